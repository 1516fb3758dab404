//! Changes made by a call, for the store, peers, and miners. The chain never sees a database.

use crate::error::RuleError;
use crate::share::Proof;
use crate::units::{Height, ShareId};

/// Source of a proof: an opaque number that the caller assigns to each peer; 0 is the node itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(pub u64);

/// A proof found valid. The caller must store accepted proofs in this order before it announces them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedProof {
    /// Id of the proof.
    pub id: ShareId,
    /// The proof itself.
    pub proof: Proof,
    /// True if it meets the link target of its position.
    pub is_link: bool,
    /// True if this node should forward it: the main chain can list it, or its branch may still become the main chain.
    pub forward: bool,
    /// Source that sent it.
    pub source: Source,
}

/// A change of the tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipChange {
    /// Previous tip.
    pub old: ShareId,
    /// New tip.
    pub new: ShareId,
    /// Height of the last link that both branches have in common.
    pub fork_height: Height,
    /// Links that left the main chain, newest first. Empty unless the chain reorganized.
    pub disconnected: Vec<ShareId>,
    /// Links that entered the main chain, oldest first.
    pub connected: Vec<ShareId>,
}

/// A proof that turned out to be invalid after it had been held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Id of the proof.
    pub id: ShareId,
    /// The broken rule.
    pub rule: RuleError,
    /// Source that sent it.
    pub source: Source,
}

/// All changes made by one call. Each list is in the order of the changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// Proofs found valid: the inserted one and the held ones that depended on it.
    pub accepted: Vec<AcceptedProof>,
    /// Lists that became known, by the id of their link.
    pub lists: Vec<(ShareId, Vec<ShareId>)>,
    /// Links that became complete: their lists and all lists below are known and valid. Only complete links count for
    /// fork choice.
    pub completed: Vec<ShareId>,
    /// Changes of the tip.
    pub tips: Vec<TipChange>,
    /// Held proofs that turned out to be invalid.
    pub refused: Vec<Refusal>,
    /// Held proofs that the chain discarded without a verdict: they expired, made room, or became unlistable.
    pub dropped: Vec<ShareId>,
    /// Newest link of a heavier branch that would undo settled links, when it is first seen.
    pub conflict: Option<ShareId>,
}

impl ChangeSet {
    /// True if nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
