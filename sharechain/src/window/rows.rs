//! Credits of one link, summed by script.

use std::sync::Arc;

use super::scripts::ScriptIndex;
use crate::units::Weight;

/// Credit of one link to one script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Script that earned.
    pub script: ScriptIndex,
    /// Total weight of its credited proofs.
    pub weight: Weight,
    /// Number of its credited proofs.
    pub shares: u32,
}

/// A row in 16 bytes: windows hold two million.
///
/// A link credits at most 1,024 proofs, itself and a bonus, at most 2^64 units each. That takes 75 bits of weight and 11
/// bits of count. What does not fit becomes the largest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed {
    script: ScriptIndex,
    shares: u16,
    weight_high: u16,
    weight_low: u64,
}

impl Packed {
    fn new(row: &Row) -> Self {
        let (high, low) = (row.weight.0 >> 64, row.weight.0 & u128::from(u64::MAX));
        let weight = u16::try_from(high).ok().zip(u64::try_from(low).ok());
        let (weight_high, weight_low) = weight.unwrap_or((u16::MAX, u64::MAX));
        Self { script: row.script, shares: u16::try_from(row.shares).unwrap_or(u16::MAX), weight_high, weight_low }
    }

    fn row(&self) -> Row {
        let weight = Weight(u128::from(self.weight_high) << 64 | u128::from(self.weight_low));
        Row { script: self.script, weight, shares: u32::from(self.shares) }
    }
}

/// Credits of one link: one row for each distinct script, ascending by index. Clones share the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows(Arc<[Packed]>);

impl Rows {
    /// Sorts rows by script, and merges rows of the same script.
    #[must_use]
    pub fn new(mut rows: Vec<Row>) -> Self {
        rows.sort_unstable_by_key(|row| row.script);
        rows.dedup_by(|later, kept| {
            let same = later.script == kept.script;
            if same {
                kept.weight = kept.weight.plus(later.weight);
                kept.shares = kept.shares.saturating_add(later.shares);
            }
            same
        });
        Self(rows.iter().map(Packed::new).collect())
    }

    /// Rows, ascending by script index.
    pub fn iter(&self) -> impl Iterator<Item = Row> {
        self.0.iter().map(Packed::row)
    }

    /// Number of proofs that the link credits, itself included.
    #[must_use]
    pub fn proofs(&self) -> u64 {
        self.iter().fold(0, |sum, row| sum.saturating_add(u64::from(row.shares)))
    }

    /// Total weight that the link credits.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.iter().fold(Weight::ZERO, |sum, row| sum.plus(row.weight))
    }

    /// One more than the highest slot in the rows; 0 without rows.
    pub(super) fn scripts_end(&self) -> usize {
        self.0.last().map_or(0, |row| row.script.slot().saturating_add(1))
    }
}
