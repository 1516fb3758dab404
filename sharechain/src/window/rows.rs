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

/// Credits of one link: one row for each distinct script, ascending by index. Clones share the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows(Arc<[Row]>);

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
        Self(rows.into())
    }

    /// Rows, ascending by script index.
    pub fn iter(&self) -> core::slice::Iter<'_, Row> {
        self.0.iter()
    }

    /// Number of rows: at most one for each listed proof and one for the link itself.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Total weight that the link credits.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.0.iter().fold(Weight::ZERO, |sum, row| sum.plus(row.weight))
    }

    /// One more than the highest slot in the rows; 0 without rows.
    pub(super) fn scripts_end(&self) -> usize {
        self.0.last().map_or(0, |row| row.script.slot().saturating_add(1))
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Row;
    type IntoIter = core::slice::Iter<'a, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
