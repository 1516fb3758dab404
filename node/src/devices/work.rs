//! The accepted work of a device in minutes and hours, for its average hashrates. It has no clock.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::view::Averages;

/// Expected hashes per share of difficulty 1.
const HASHES: f64 = 4_294_967_296.0;

/// Work in steps of equal length, newest last: difficulty of the accepted submits.
#[derive(Clone, Debug, Default, PartialEq)]
struct Steps {
    /// Number of the newest step since 1970.
    newest: u32,
    work: VecDeque<f32>,
}

impl Steps {
    /// Adds work to a step. Steps before the last `keep` are forgotten.
    #[expect(clippy::cast_possible_truncation, reason = "seven digits show a hashrate")]
    fn add(&mut self, step: u32, keep: usize, work: f64) {
        if self.work.is_empty() || step.saturating_sub(self.newest) as usize >= keep {
            self.work = VecDeque::from([0.0]);
            self.newest = step;
        }
        while self.newest < step {
            self.newest += 1;
            self.work.push_back(0.0);
        }
        while self.work.len() > keep {
            self.work.pop_front();
        }
        // If the clock goes back, work counts in the newest step.
        if let Some(newest) = self.work.back_mut() {
            *newest += work as f32;
        }
    }

    /// The work of the step that holds `now` and of `steps` before it.
    fn sum(&self, now: u32, steps: u32) -> f64 {
        let oldest = now.saturating_sub(steps);
        let ages = 0u32..;
        let recent = self.work.iter().rev().zip(ages).filter(|(_, age)| self.newest.saturating_sub(*age) >= oldest);
        recent.fold(0.0, |sum, (work, _)| sum + f64::from(*work))
    }
}

/// Work of a minute or an hour with the precision of 8 bits: the upper half of each number, in hex. A restart changes an
/// average by less than half a percent.
impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let halves = self.work.iter().map(|work| format!("{:04x}", work.to_bits().saturating_add(0x8000) >> 16));
        (self.newest, halves.collect::<String>()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (newest, text) = <(u32, String)>::deserialize(deserializer)?;
        let half = |digits: &[u8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let work = text.as_bytes().chunks(4).map_while(half).map(|half| f32::from_bits(half << 16));
        // An altered file must not yield negative or infinite work.
        let work = work.take(HOURS_KEPT).map(|work| if work.is_finite() { work.max(0.0) } else { 0.0 });
        Ok(Self { newest, work: work.collect() })
    }
}

/// An hour in minutes, and the current one.
const MINUTES_KEPT: usize = 61;
/// Seven days in hours, and the current one.
const HOURS_KEPT: usize = 169;

/// The accepted work of a device: 61 minutes and 169 hours, about 1 KB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Work {
    minutes: Steps,
    hours: Steps,
}

impl Work {
    /// Adds the difficulty of accepted submits at `now`, seconds since 1970.
    pub(super) fn add(&mut self, difficulty: f64, now: u32) {
        self.minutes.add(now / 60, MINUTES_KEPT, difficulty);
        self.hours.add(now / 3_600, HOURS_KEPT, difficulty);
    }

    /// The averages at `now` of a device that was first seen at `first`, seconds since 1970.
    pub(super) fn averages(&self, first: u32, now: u32) -> Averages {
        let known_s = now.saturating_sub(first);
        let average = |steps: &Steps, length: u32, count: u32| {
            let seconds = (length * count + now % length).min(known_s);
            (known_s >= 60).then(|| steps.sum(now / length, count) * HASHES / f64::from(seconds))
        };
        Averages {
            minute_hs: average(&self.minutes, 60, 1),
            ten_minutes_hs: average(&self.minutes, 60, 10),
            hour_hs: average(&self.minutes, 60, 60),
            day_hs: average(&self.hours, 3_600, 24),
            week_hs: average(&self.hours, 3_600, 168),
        }
    }
}

#[cfg(test)]
mod tests;
