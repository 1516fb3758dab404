//! The places and lines of nodes.

use rand::Rng;

use super::count_f64;
use sim::geography::City;
use sim::rng::stream;
use sim::transport::{Distances, LineKind};

/// The path between two nodes is longer than the bare distance by up to one part in this many, drawn once per
/// connection.
const JITTER_PARTS: u64 = 5;

/// Probability of each kind of line, in percent. An assumption: most operators have fiber or a rented server, and one
/// in ten uses Tor.
pub const LINES: [(LineKind, u8); 5] = [
    (LineKind::Datacenter, 15),
    (LineKind::Fibre, 45),
    (LineKind::Dsl, 25),
    (LineKind::Mobile, 5),
    (LineKind::Tor, 10),
];

/// Places and lines of all nodes.
#[derive(Clone, Debug)]
pub struct Ground {
    distances: Distances,
    kinds: Vec<LineKind>,
    seed: u64,
}

impl Ground {
    /// Draws nodes by where miners live, with the usual mix of lines.
    #[must_use]
    pub fn drawn(nodes: usize, seed: u64) -> Self {
        let mut rng = stream(seed, "scale ground", 0);
        let (mut cities, mut kinds) = (Vec::with_capacity(nodes), Vec::with_capacity(nodes));
        for _ in 0..nodes {
            cities.push(City::draw(&mut rng));
            kinds.push(draw_kind(rng.random_range(0..100)));
        }
        Self { distances: Distances::Cities(cities), kinds, seed }
    }

    /// Creates nodes with given places and lines, such as those of another simulation.
    #[must_use]
    pub fn given(distances: Distances, kinds: Vec<LineKind>, seed: u64) -> Self {
        Self { distances, kinds, seed }
    }

    /// Returns the number of nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.kinds.len()
    }

    /// Returns a node's kind of line.
    #[must_use]
    pub fn kind(&self, node: u32) -> LineKind {
        self.kinds[node as usize]
    }

    /// Returns the mean probability that a copy of a message is lost between two nodes.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        let both_ends = 2.0;
        both_ends * self.kinds.iter().map(|kind| kind.line().loss).sum::<f64>() / count_f64(self.nodes().max(1))
    }

    /// Returns the microseconds that a bit travels between two nodes.
    #[must_use]
    pub fn way_us(&self, node: u32, other: u32) -> u32 {
        let (low, high) = (node.min(other), node.max(other));
        let distance = match &self.distances {
            Distances::Cities(cities) => cities[low as usize].one_way(cities[high as usize]),
            Distances::Even(distance) => *distance,
        };
        let way = (distance + self.kind(low).line().base + self.kind(high).line().base).0;
        // It is the same for both directions and all topics, so it is computed from the pair and not drawn from a
        // stream.
        let draw = mix(self.seed ^ (u64::from(low) << 32 | u64::from(high)));
        let jitter = ((way / JITTER_PARTS) * (draw >> 32)) >> 32;
        u32::try_from(way + jitter).expect("no way takes an hour")
    }
}

fn draw_kind(hundredth: u8) -> LineKind {
    let mut left = hundredth;
    for (kind, weight) in LINES {
        if left < weight {
            return kind;
        }
        left -= weight;
    }
    LineKind::Fibre
}

/// Scrambles a number (the finalizer of SplitMix64).
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
