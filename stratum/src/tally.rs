//! Counts accepted work.

use std::sync::{Mutex, PoisonError};

use crate::difficulty::Difficulty;

/// Accepted work, in expected hashes. Any number of work units can share one.
#[derive(Debug, Default)]
pub struct Tally(Mutex<u128>);

impl Tally {
    /// Adds an accepted share of this difficulty.
    pub fn add(&self, difficulty: Difficulty) {
        let hashes = difficulty.target().to_work().to_be_bytes();
        let low = hashes.last_chunk().map_or(0, |low| u128::from_be_bytes(*low));
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *sum = sum.saturating_add(low);
    }

    /// Returns `true` if there was no work since the last call of [`Self::take`].
    pub fn is_empty(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == 0
    }

    /// Returns the work since the last call.
    pub fn take(&self) -> u128 {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use crate::difficulty::Difficulty;

    #[test]
    fn a_tally_sums_expected_hashes_and_starts_again() {
        let tally = Tally::default();
        assert!(tally.is_empty());
        tally.add(Difficulty::ONE);
        assert!(!tally.is_empty());
        // 2^48 / 0xffff, rounded down.
        assert_eq!(tally.take(), 4_295_032_833);
        assert_eq!(tally.take(), 0);
        tally.add(Difficulty::MIN);
        tally.add(Difficulty::floor(f64::from(u32::MAX)));
        let expected = (u128::from(u32::MAX) << 48) / 0xffff;
        assert!(tally.take().abs_diff(expected) <= 2);
    }
}
