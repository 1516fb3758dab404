//! A surge of hashrate, and its collapse. The miner is honest all the time.

use serde::Deserialize;

use super::{Strategy, View};

/// A miner whose hashrate multiplies for a while: its full rate during the surge, a fraction of it otherwise.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Surge {
    /// Full hashrate divided by the rate outside the surge.
    pub factor: f64,
    /// Start, in seconds since the simulation began.
    pub from_s: u64,
    /// Length in seconds.
    pub for_s: u64,
}

impl Default for Surge {
    fn default() -> Self {
        Self { factor: 1_000.0, from_s: 600, for_s: 600 }
    }
}

impl Strategy for Surge {
    fn power(&mut self, view: &mut View<'_>) -> f64 {
        let now_s = view.now.whole_secs();
        let surges = now_s >= self.from_s && now_s - self.from_s < self.for_s;
        if surges { 1.0 } else { 1.0 / self.factor.max(1.0) }
    }

    fn is_honest(&self) -> bool {
        true
    }
}
