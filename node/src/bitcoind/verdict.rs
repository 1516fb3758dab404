//! bitcoind's verdicts on blocks (BIP-0022, BIP-0023).

use serde::{Deserialize, Serialize};

/// bitcoind's verdict on a submitted block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubmitVerdict {
    /// The block is valid and became the tip.
    Accepted,
    /// bitcoind already has the block.
    Duplicate,
    /// bitcoind stored the block, but it is not the tip, so its transactions are not validated yet.
    Inconclusive,
    /// The block is invalid.
    Rejected {
        /// bitcoind's reason.
        reason: String,
    },
}

/// Reasons that say nothing about the block itself: its parent is unknown, or was invalidated manually, which
/// `reconsiderblock` reverts; a clock is behind; or bitcoind gives no reason (BIP-0022's `rejected`).
const PASSING_REASONS: [&str; 5] =
    ["prev-blk-not-found", "bad-prevblk", "duplicate-invalid", "time-too-new", "rejected"];

impl SubmitVerdict {
    /// True if bitcoind may change its verdict, so that the block must be submitted again.
    #[must_use]
    pub fn may_change(&self) -> bool {
        match self {
            Self::Accepted | Self::Duplicate => false,
            Self::Inconclusive => true,
            Self::Rejected { reason } => PASSING_REASONS.contains(&reason.as_str()),
        }
    }

    /// Rank of a verdict among those of several bitcoinds, worst to best for the block's finder.
    fn rank(&self) -> u8 {
        match self {
            Self::Accepted => 4,
            Self::Duplicate => 3,
            Self::Inconclusive => 2,
            Self::Rejected { .. } if self.may_change() => 1,
            Self::Rejected { .. } => 0,
        }
    }

    /// The better of two bitcoinds' verdicts on one block; the first among equals.
    #[must_use]
    pub fn or_better(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// bitcoind's verdict on a proposed block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalVerdict {
    /// The block is valid except for its missing proof of work.
    Valid,
    /// The block does not extend bitcoind's tip, so it cannot be validated.
    NotOnTip,
    /// The block is invalid.
    Rejected {
        /// bitcoind's reason.
        reason: String,
    },
}
