//! The locations of nodes, and the distances between cities.
//!
//! Round-trip times are medians over one year between data centers of one provider, as published by `cloudping.co` on
//! April 8, 2022 (50th percentile over `1Y`). They were measured over TCP between all regions. Here they are rounded to
//! whole milliseconds and averaged over both directions. Cities stand for regions: Columbus is `us-east-2`, Manama is
//! `me-south-1`. Ten of these distances can be compared with those that another provider published for September 2024;
//! they agree within a fifth (see the tests). The last mile to a home is added by [`super::transport::Line::base`].

use rand::Rng;

use super::rng::SimRng;
use super::time::Micros;

/// A city, by its index in [`CITIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct City(u8);

/// Names of the cities, from west to east by continent.
pub const CITIES: [&str; 16] = [
    "portland",
    "columbus",
    "ashburn",
    "montreal",
    "sao-paulo",
    "dublin",
    "london",
    "frankfurt",
    "stockholm",
    "cape-town",
    "manama",
    "mumbai",
    "singapore",
    "hong-kong",
    "tokyo",
    "sydney",
];

/// Round-trip milliseconds from each city to those before it, and within itself.
const ROUND_TRIP_MS: [&[u16]; CITIES.len()] = [
    &[3],
    &[52, 5],
    &[70, 15, 5],
    &[66, 27, 16, 3],
    &[180, 127, 116, 127, 4],
    &[124, 78, 68, 71, 179, 2],
    &[133, 87, 77, 79, 189, 13, 2],
    &[146, 101, 91, 92, 205, 26, 17, 3],
    &[163, 121, 110, 109, 218, 43, 33, 23, 4],
    &[279, 234, 223, 230, 337, 160, 150, 164, 181, 8],
    &[247, 205, 190, 201, 313, 136, 126, 118, 138, 161, 2],
    &[223, 198, 188, 190, 302, 123, 114, 122, 142, 165, 39, 2],
    &[168, 200, 214, 211, 324, 181, 171, 157, 177, 214, 88, 60, 2],
    &[145, 183, 196, 195, 308, 222, 211, 198, 218, 259, 128, 98, 41, 2],
    &[99, 133, 146, 144, 258, 202, 210, 225, 245, 360, 165, 132, 74, 53, 4],
    &[141, 189, 199, 198, 313, 257, 266, 268, 296, 414, 181, 149, 94, 134, 111, 3],
];

/// Probability of a node in each city, in percent. An assumption, based on the parts of the hashrate that the
/// Cambridge Centre for Alternative Finance gave for January 2022 (United States 38, China 21, Kazakhstan 13, Canada 6,
/// Russia 5). Where the table has no city nearby, the city that carries the traffic is used: Frankfurt for Kazakhstan,
/// Stockholm for Russia.
const WEIGHTS: [u8; CITIES.len()] = [12, 16, 10, 7, 3, 2, 2, 14, 8, 1, 3, 1, 3, 15, 2, 1];

/// The sum of [`WEIGHTS`].
const WEIGHTS_SUM: u8 = 100;

impl City {
    /// Returns all cities.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).take(CITIES.len()).map(Self)
    }

    /// Returns the city with this name, if the table has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|city| city.name() == name)
    }

    /// Draws a city by where miners live.
    #[must_use]
    pub fn draw(rng: &mut SimRng) -> Self {
        let mut left = rng.random_range(0..WEIGHTS_SUM);
        for (city, weight) in Self::all().zip(WEIGHTS) {
            if left < weight {
                return city;
            }
            left -= weight;
        }
        Self(0)
    }

    /// Returns the city's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        CITIES[self.index()]
    }

    /// Returns the index in [`CITIES`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns the round-trip time to another city, between data centers.
    #[must_use]
    pub fn round_trip(self, other: Self) -> Micros {
        let (near, far) = (self.min(other), self.max(other));
        Micros::from_millis(u64::from(ROUND_TRIP_MS[far.index()][near.index()]))
    }

    /// Returns the one-way time to another city: half of [`City::round_trip`].
    #[must_use]
    pub fn one_way(self, other: Self) -> Micros {
        Micros(self.round_trip(other).0 / 2)
    }
}

#[cfg(test)]
mod tests;
