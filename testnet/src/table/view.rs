//! The state of the network as it is shown, and as `shoal-testnet status` gets it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::limits::TABLE_HISTORY_MAX;
use crate::network::NodeCondition;

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// `embedded` or `bitcoind`.
    pub bitcoin: String,
    /// The network's folder.
    pub dir: String,
    /// Seconds since the start.
    pub running_s: u64,
    /// The groups of a partition, while there is one.
    pub partition: Option<String>,
    /// Names of the miners, in the order of their colours.
    pub miners: Vec<String>,
    /// The nodes.
    pub nodes: Vec<NodeRow>,
    /// Bitcoin blocks found so far.
    pub blocks_found: u64,
    /// The latest of them, newest first.
    pub blocks: VecDeque<BlockRow>,
    /// What happened lately, newest first.
    pub notes: VecDeque<Note>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Its name.
    pub name: String,
    /// What its process is doing.
    pub condition: NodeCondition,
    /// Whether its API answers.
    pub answers: bool,
    /// Its tip.
    pub tip: String,
    /// Height of the tip.
    pub height: u32,
    /// Nodes it is connected to.
    pub peers: u64,
    /// Hashes a second of its miners.
    pub hashrate_hs: f64,
    /// Shares its miners found since it started.
    pub shares: u64,
    /// Shares that wait to be listed.
    pub pending: u64,
    /// Submits it refused since it started.
    pub refused: u64,
    /// Resident memory.
    pub rss_bytes: u64,
    /// Why it hands out no work, if it does not.
    pub no_work: Option<String>,
}

/// One found block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockRow {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: String,
    /// Miner and node that found it, as far as known.
    pub finder: Option<String>,
    /// Seconds from the network's start to its discovery.
    pub at_s: u64,
    /// Subsidy and fees.
    pub value_sat: u64,
    /// Whom it pays, in the order of the outputs.
    pub payees: Vec<Payee>,
}

/// One payment of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payee {
    /// The miner, or the script of somebody unknown.
    pub name: String,
    /// The amount.
    pub value_sat: u64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Seconds since the network's start.
    pub at_s: u64,
    /// A sentence.
    pub text: String,
}

impl View {
    /// Adds a block on top.
    pub fn push_block(&mut self, block: BlockRow) {
        self.blocks_found += 1;
        self.blocks.push_front(block);
        self.blocks.truncate(TABLE_HISTORY_MAX);
    }

    /// Adds a note on top.
    pub fn push_note(&mut self, text: String) {
        self.notes.push_front(Note { at_s: self.running_s, text });
        self.notes.truncate(TABLE_HISTORY_MAX);
    }

    /// Hashes a second of all miners.
    pub fn hashrate_hs(&self) -> f64 {
        self.nodes.iter().map(|node| node.hashrate_hs).sum()
    }

    /// Whether all nodes that answer have the same tip.
    pub fn is_agreed(&self) -> bool {
        let mut tips = self.nodes.iter().filter(|node| node.answers).map(|node| &node.tip);
        let first = tips.next();
        tips.all(|tip| Some(tip) == first)
    }
}
