//! What one link credits, summed for each script.

use std::sync::Arc;

use super::scripts::ScriptIndex;
use crate::units::Weight;

/// What one link credits to one script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who earned.
    pub script: ScriptIndex,
    /// What the credited shares weigh together.
    pub weight: Weight,
    /// How many shares were credited.
    pub shares: u32,
}

/// What one link credits: one row for each distinct script, ascending by index. Clones share the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows(Arc<[Row]>);

impl Rows {
    /// Orders rows, and joins those of the same script.
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

    /// The rows, ascending by index.
    pub fn iter(&self) -> core::slice::Iter<'_, Row> {
        self.0.iter()
    }

    /// How many rows there are: at most one for each listed proof, and one for the link itself.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// What the link credits in all.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.0.iter().fold(Weight::ZERO, |sum, row| sum.plus(row.weight))
    }

    /// One more than the highest slot that a row names; 0 without rows.
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
