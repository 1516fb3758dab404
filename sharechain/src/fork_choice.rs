//! Fork choice: decides which of two complete branches is the main chain.

use crate::units::Work;

#[cfg(test)]
mod tests;

/// Newest link of a complete branch, with what fork choice compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Cumulative link work from genesis.
    pub chain_work: Work,
    /// True if it left out shares that it should have listed (policy). It then loses ties.
    pub omits: bool,
    /// Position in the order in which links became complete on this node.
    pub sequence: u64,
}

/// True if `challenger` replaces `holder` (SC-501): it has more cumulative link work; on a tie, it leaves nothing out
/// (policy) while `holder` does; then it became complete first.
#[must_use]
pub fn better(challenger: &Candidate, holder: &Candidate) -> bool {
    let rank = |candidate: &Candidate| (candidate.chain_work, !candidate.omits, core::cmp::Reverse(candidate.sequence));
    rank(challenger) > rank(holder)
}
