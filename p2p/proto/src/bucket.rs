//! A token bucket in integers, without a clock.

use crate::Millis;

/// Token bucket. It counts in thousandths of tokens, so that slow rates do not round to zero. A negative level is debt,
/// which inflow pays off first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    level_milli: i64,
    capacity_milli: i64,
    /// Number of tokens that flow in per period.
    tokens: u64,
    period_ms: u64,
    at: Millis,
}

fn milli(tokens: u64) -> i64 {
    i64::try_from(tokens.saturating_mul(1_000)).unwrap_or(i64::MAX)
}

impl Bucket {
    pub(crate) fn full(capacity: u64, tokens: u64, period_ms: u64, now: Millis) -> Self {
        Self { level_milli: milli(capacity), capacity_milli: milli(capacity), tokens, period_ms, at: now }
    }

    pub(crate) fn with_burst(burst: u64, per_minute: u64, now: Millis) -> Self {
        Self::full(burst, per_minute, 60_000, now)
    }

    /// Removes tokens if there are enough. Returns whether it did.
    pub(crate) fn take(&mut self, tokens: u64, now: Millis) -> bool {
        let enough = self.has(tokens, now);
        if enough {
            self.level_milli = self.level_milli.saturating_sub(milli(tokens));
        }
        enough
    }

    /// True if there are enough tokens.
    pub(crate) fn has(&mut self, tokens: u64, now: Millis) -> bool {
        self.fill(now);
        self.level_milli >= milli(tokens)
    }

    /// Removes tokens for something that already happened. The debt is at most one capacity.
    pub(crate) fn spend(&mut self, tokens: u64, now: Millis) {
        self.fill(now);
        self.level_milli = self.level_milli.saturating_sub(milli(tokens)).max(-self.capacity_milli);
    }

    fn fill(&mut self, now: Millis) {
        let elapsed_ms = now.since(self.at);
        let inflow_milli = elapsed_ms.saturating_mul(self.tokens).saturating_mul(1_000) / self.period_ms;
        // If the inflow rounds to zero, the elapsed time counts next time.
        if inflow_milli > 0 {
            let inflow_milli = i64::try_from(inflow_milli).unwrap_or(i64::MAX);
            self.level_milli = self.level_milli.saturating_add(inflow_milli).min(self.capacity_milli);
            self.at = now;
        }
    }

    /// Returns tokens, up to the capacity.
    pub(crate) fn give_back(&mut self, tokens: u64) {
        self.level_milli = self.level_milli.saturating_add(milli(tokens)).min(self.capacity_milli);
    }

    /// Time at which it was last filled.
    pub(crate) const fn filled_at(&self) -> Millis {
        self.at
    }
}

#[cfg(test)]
mod tests;
