//! What a script is due, while it is selected.

use bitcoin::Script;

/// A due before the selection, which does not copy scripts that it will not select.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub(super) script: &'a Script,
    pub(super) weight: u128,
}

impl Claim<'_> {
    /// Larger dues first, then scripts in the order of their bytes.
    pub(super) fn rank(&self, other: &Self) -> core::cmp::Ordering {
        other.weight.cmp(&self.weight).then_with(|| self.script.cmp(other.script))
    }
}
