//! The due of a script during selection.

use bitcoin::Script;

/// A due that borrows its script, so that the selection copies only the scripts that it selects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub(super) script: &'a Script,
    pub(super) weight: u128,
}

impl Claim<'_> {
    /// Orders larger dues first, then scripts by their bytes.
    pub(super) fn rank(&self, other: &Self) -> core::cmp::Ordering {
        other.weight.cmp(&self.weight).then_with(|| self.script.cmp(other.script))
    }
}
