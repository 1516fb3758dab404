//! What the chain keeps of each link.

use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::pow::CompactTarget;

use crate::check::header::Position;
use crate::error::RuleError;
use crate::signals::Signals;
use crate::units::{Height, ShareId, Timestamp, U256, Work};
use crate::window::Rows;

/// A valid proof that meets the link target of its position, or genesis.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its parent; genesis is its own.
    pub parent: ShareId,
    /// Links between it and genesis.
    pub height: Height,
    /// Its time.
    pub time: Timestamp,
    /// Height of the Bitcoin block that it would have been.
    pub bitcoin_height: u32,
    /// The greatest Bitcoin height of it and its ancestors. Unlike the height itself it never falls along a branch.
    pub bitcoin_height_max: u32,
    /// The Bitcoin block that it builds on.
    pub previous_block: BlockHash,
    /// The target that it had to meet.
    pub target: U256,
    /// What its header commits to instead of its list.
    pub shares_root: [u8; 32],
    /// How many ids its list has.
    pub shares_count: u16,
    /// The nBits of its Bitcoin header.
    pub bits: CompactTarget,
    /// Work of it and its ancestors.
    pub chain_work: Work,
    /// What it decides about its children.
    pub position: Position,
    /// Its list, as far as this node has come.
    pub list: ListState,
}

/// The ids that a link lists. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(Arc<[ShareId]>);

impl List {
    /// The ids, in the order of the list.
    #[must_use]
    pub fn as_slice(&self) -> &[ShareId] {
        &self.0
    }
}

impl core::ops::Deref for List {
    type Target = [ShareId];

    fn deref(&self) -> &[ShareId] {
        self.as_slice()
    }
}

impl From<Vec<ShareId>> for List {
    fn from(ids: Vec<ShareId>) -> Self {
        Self(ids.into())
    }
}

/// A link's list.
#[derive(Clone, Debug)]
pub enum ListState {
    /// Not known yet.
    Missing,
    /// Known, but something that it lists, or the parent's list, is not.
    Waiting(List),
    /// It and all its ancestors are known and valid: the link counts for fork choice.
    Complete(Complete),
    /// It breaks a rule; the link earns as a share, and nothing is built on it.
    Invalid(RuleError),
}

/// What follows from a complete list.
#[derive(Clone, Debug)]
pub struct Complete {
    /// The ids; dropped when the link is too deep for any branch to undo it.
    pub list: List,
    /// What each script earned in this link.
    pub rows: Rows,
    /// Shares listed from genesis up to and including this link.
    pub listed_total: u64,
    /// Order in which links became complete: the first seen wins a tie.
    pub sequence: u64,
    /// Own Bitcoin height when the link became complete while the node was in sync.
    pub live_since: Option<u32>,
    /// Links from genesis up to and including this one that became complete while the node was in sync.
    pub live_total: u64,
    /// What its branch says of upgrades (SC-601, SC-602).
    pub signals: Signals,
    /// True when it left out a share that this node had long validated; see the policy in `specs/protocol.md`.
    pub omits: bool,
}

impl Link {
    /// The completed body, if it is.
    #[must_use]
    pub fn complete(&self) -> Option<&Complete> {
        match &self.list {
            ListState::Complete(complete) => Some(complete),
            ListState::Missing | ListState::Waiting(_) | ListState::Invalid(_) => None,
        }
    }
}
