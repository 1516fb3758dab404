//! What an insertion changed: what a store must write, what peers and miners must hear. The chain never sees a database.

use crate::error::RuleError;
use crate::share::Proof;
use crate::units::{Height, ShareId};

/// Who brought a proof: an opaque number that the caller gives to each peer, 0 for the node itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(pub u64);

/// A proof that was found valid. To be stored in this order, before anybody hears of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedProof {
    /// Its id.
    pub id: ShareId,
    /// The proof.
    pub proof: Proof,
    /// True when it met the link target of its position.
    pub is_link: bool,
    /// Who brought it.
    pub source: Source,
}

/// A move of the tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipChange {
    /// The tip before.
    pub old: ShareId,
    /// The tip now.
    pub new: ShareId,
    /// Height of the last link that both have in common.
    pub fork_height: Height,
    /// Links that left the main chain, newest first. Empty when the tip just grew.
    pub disconnected: Vec<ShareId>,
    /// Links that entered it, oldest first.
    pub connected: Vec<ShareId>,
}

/// A refusal that came to light after the proof had been held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which proof.
    pub id: ShareId,
    /// Which rule.
    pub rule: RuleError,
    /// Who brought it.
    pub source: Source,
}

/// Everything that one call changed, in the order in which it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// Proofs found valid: the inserted one and those that had waited for it.
    pub accepted: Vec<AcceptedProof>,
    /// Lists that became known for links.
    pub lists: Vec<(ShareId, Vec<ShareId>)>,
    /// Links whose list is known and valid, down to genesis; only these count for fork choice.
    pub completed: Vec<ShareId>,
    /// Moves of the tip.
    pub tips: Vec<TipChange>,
    /// Held proofs that turned out to be invalid.
    pub refused: Vec<Refusal>,
    /// Held proofs that can no longer be of use.
    pub dropped: Vec<ShareId>,
    /// A heavier branch that would undo final links: the operator must choose.
    pub conflict: Option<ShareId>,
}

impl ChangeSet {
    /// True when nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
