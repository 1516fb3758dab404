//! Data that the chain stores of each link.

use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::pow::CompactTarget;

use crate::check::header::Position;
use crate::error::RuleError;
use crate::signals::Signals;
use crate::state::{Commitment, History};
use crate::units::{Height, ShareId, Timestamp, U256, Weight, Work};
use crate::window::Rows;

/// A valid proof that meets the link target of its position, or genesis.
#[derive(Clone, Debug)]
pub struct Link {
    /// Parent of the link. Genesis is its own parent.
    pub parent: ShareId,
    /// Number of links between it and genesis.
    pub height: Height,
    /// Time in its share header.
    pub time: Timestamp,
    /// Height that it would have as a Bitcoin block.
    pub bitcoin_height: u32,
    /// Previous block in its Bitcoin header.
    pub previous_block: BlockHash,
    /// State root in its share header (SC-408).
    pub state_root: [u8; 32],
    /// Link target that it had to meet.
    pub target: U256,
    /// Root of its list, from its share header.
    pub shares_root: [u8; 32],
    /// Number of ids in its list.
    pub shares_count: u16,
    /// nBits of the difficulty period of its Bitcoin header.
    pub bits: CompactTarget,
    /// Cumulative link work of it and its ancestors.
    pub chain_work: Work,
    /// Position of its children.
    pub position: Position,
    /// State of its list.
    pub list: ListState,
}

/// The ids that a link lists. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(Arc<[ShareId]>);

impl List {
    /// Ids in the order of the list.
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

/// State of a link's list.
#[derive(Clone, Debug)]
pub enum ListState {
    /// The list is not known yet.
    Missing,
    /// The list is known, but a listed proof or an earlier list is not.
    Waiting(List),
    /// The list and all lists of its ancestors are known and valid. The link counts for fork choice.
    Complete(Complete),
    /// The list breaks this rule. The link still earns as a share, but no link on it can become complete.
    Invalid(RuleError),
}

/// Data that follows from a complete list.
#[derive(Clone, Debug)]
pub struct Complete {
    /// Listed ids. Dropped, so empty, once the link is too deep for any branch to undo it.
    pub list: List,
    /// Credits of this link, by script.
    pub rows: Rows,
    /// Number of proofs credited from genesis up to and including this link (SC-303, SC-304).
    pub listed_total: u64,
    /// The window that it pays by, as its state root commits to it (SC-408).
    pub window: Commitment<Weight>,
    /// All links of its branch up to and including this one (SC-408).
    pub history: History,
    /// Position in the order in which links became complete on this node. The first wins a tie.
    pub sequence: u64,
    /// Height of this node's bitcoind when the link became complete. `None` if the node was not in sync.
    pub live_since: Option<u32>,
    /// Number of links, from genesis up to and including this one, that became complete while the node was in sync.
    pub live_total: u64,
    /// Upgrade signals of its branch (SC-601, SC-602).
    pub signals: Signals,
    /// Upgrade bits that the link itself sets.
    pub own_signals: u32,
    /// True if it left out a share that it should have listed (policy, protocol §12).
    pub omits: bool,
}

impl Link {
    /// Returns the data of the complete list, if the link is complete.
    #[must_use]
    pub fn complete(&self) -> Option<&Complete> {
        match &self.list {
            ListState::Complete(complete) => Some(complete),
            ListState::Missing | ListState::Waiting(_) | ListState::Invalid(_) => None,
        }
    }
}
