//! Which of two complete branches is the main chain.

use crate::units::Work;

#[cfg(test)]
mod tests;

/// The newest link of a complete branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Work of all its links.
    pub chain_work: Work,
    /// True when it left out shares that it should have listed (policy): it loses ties.
    pub omits: bool,
    /// Order in which the node saw complete branches.
    pub sequence: u64,
}

/// SC-501: most cumulative link work; on a tie a branch that leaves nothing out; then the one seen first.
#[must_use]
pub fn better(challenger: &Candidate, holder: &Candidate) -> bool {
    let rank = |candidate: &Candidate| (candidate.chain_work, !candidate.omits, core::cmp::Reverse(candidate.sequence));
    rank(challenger) > rank(holder)
}
