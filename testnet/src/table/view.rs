//! The state of the network for display, and for `shoal-testnet status`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::limits::TABLE_HISTORY_MAX;
use crate::network::NodeCondition;

/// The displayed state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// `embedded` or `bitcoind`.
    pub bitcoin: String,
    /// The network's folder.
    pub dir: String,
    /// Seconds since the start.
    pub running_s: u64,
    /// Properties of the lines between the nodes, if they are not loopback.
    pub link: Option<String>,
    /// URL of the archive that the nodes stream into, if any.
    pub archive: Option<String>,
    /// The groups of the current partition, if any.
    pub partition: Option<String>,
    /// Names of the miners, in the order of their colors.
    pub miners: Vec<String>,
    /// The nodes.
    pub nodes: Vec<NodeRow>,
    /// Bitcoin blocks found so far.
    pub blocks_found: u64,
    /// The latest blocks, newest first.
    pub blocks: VecDeque<BlockRow>,
    /// The latest events, newest first.
    pub notes: VecDeque<Note>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Name of the node.
    pub name: String,
    /// The state of its process.
    pub condition: NodeCondition,
    /// Whether its API answers.
    pub answers: bool,
    /// Id of its tip.
    pub tip: String,
    /// Height of the tip.
    pub height: u32,
    /// Number of nodes it is connected to.
    pub peers: u64,
    /// Hashes per second of its miners.
    pub hashrate_hs: f64,
    /// Shares that its miners found since it started.
    pub shares: u64,
    /// Shares that are not listed yet.
    pub pending: u64,
    /// Submissions that it rejected since it started.
    pub refused: u64,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
    /// The reason why it hands out no work, if it does not.
    pub no_work: Option<String>,
    /// Address of its web pages, on this machine.
    pub pages: String,
}

/// One found block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockRow {
    /// Height of the block.
    pub height: u32,
    /// Hash of the block.
    pub hash: String,
    /// Miner and node that found it, if known.
    pub finder: Option<String>,
    /// Seconds from the network's start to the find.
    pub at_s: u64,
    /// Subsidy and fees, in satoshi.
    pub value_sat: u64,
    /// Number of its payouts.
    pub outputs: usize,
    /// Amount for each miner, in the order of the first payouts to them.
    pub payees: Vec<Payee>,
}

/// One payment of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payee {
    /// Name of the miner, or the script if the miner is unknown.
    pub name: String,
    /// Amount in satoshi.
    pub value_sat: u64,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Seconds since the network's start.
    pub at_s: u64,
    /// A sentence about the event.
    pub text: String,
}

impl View {
    /// Adds a block at the top.
    pub fn push_block(&mut self, block: BlockRow) {
        self.blocks_found += 1;
        self.blocks.push_front(block);
        self.blocks.truncate(TABLE_HISTORY_MAX);
    }

    /// Adds a note at the top.
    pub fn push_note(&mut self, text: String) {
        self.notes.push_front(Note { at_s: self.running_s, text });
        self.notes.truncate(TABLE_HISTORY_MAX);
    }

    /// Returns the hashes per second of all miners.
    pub fn hashrate_hs(&self) -> f64 {
        self.nodes.iter().map(|node| node.hashrate_hs).sum()
    }

    /// Returns whether all answering nodes have the same tip.
    pub fn is_agreed(&self) -> bool {
        let mut tips = self.nodes.iter().filter(|node| node.answers).map(|node| &node.tip);
        let first = tips.next();
        tips.all(|tip| Some(tip) == first)
    }
}
