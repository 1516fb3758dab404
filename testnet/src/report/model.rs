//! The report's form.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use serde::Serialize;

use crate::network::NodeCondition;
use crate::table::Note;

/// Everything about a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// Id of the network's constants.
    pub consensus_id: String,
    /// `embedded` or `bitcoind`.
    pub bitcoin: &'static str,
    /// Seconds from the processes' start to the end of mining.
    pub mined_s: u64,
    /// Seconds from the processes' start to the first Bitcoin block, and to the first that pays more than one miner.
    pub first_block_s: Option<u64>,
    /// See `first_block_s`.
    pub first_shared_block_s: Option<u64>,
    /// Groups of the partition that was in force at the end, if there was one.
    pub partition: Option<String>,
    /// The nodes.
    pub nodes: Vec<NodeReport>,
    /// The miners.
    pub miners: Vec<MinerReport>,
    /// The Bitcoin blocks, by height.
    pub blocks: Vec<BlockReport>,
    /// What became of every share.
    pub shares: SharesReport,
    /// What happened, oldest first: the newest of them, if there were many.
    pub events: Vec<Note>,
}

/// A node at the end.
#[derive(Debug, Clone, Serialize)]
pub struct NodeReport {
    /// Its name.
    pub name: String,
    /// What its process did.
    pub condition: NodeCondition,
    /// Its tip; empty if it did not answer, as all that follows.
    pub tip: String,
    /// Height of its tip.
    pub height: u32,
    /// Nodes it was connected to.
    pub peers: u64,
    /// Resident memory at the end.
    pub rss_bytes: u64,
    /// The most resident memory it had in any second.
    pub rss_bytes_max: u64,
    /// The window up to its tip.
    pub window: Vec<WindowRow>,
}

/// Who earned what in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowRow {
    /// The script.
    pub script: ScriptBuf,
    /// Units of 2^-64 expected blocks, a decimal string: up to 128 bits.
    pub weight: String,
    /// By how many shares.
    pub shares: u64,
}

/// A miner.
#[derive(Debug, Clone, Serialize)]
pub struct MinerReport {
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: String,
    /// Where it is paid.
    pub address: String,
    /// The script of that address.
    pub script: ScriptBuf,
    /// Its artificial delay.
    pub delay_ms: u64,
    /// Hashes it computed up to its last proof.
    pub hashes: u64,
    /// Its proofs that a node took.
    pub accepted: u64,
    /// Its proofs that a node refused.
    pub refused: u64,
}

/// A Bitcoin block.
#[derive(Debug, Clone, Serialize)]
pub struct BlockReport {
    /// Its hash.
    pub hash: String,
    /// Its height.
    pub height: u32,
    /// The block before it.
    pub prev_hash: String,
    /// Node of the miner that found it.
    pub finder_node: Option<String>,
    /// Where the finder is paid.
    pub finder_script: ScriptBuf,
    /// Nodes whose Bitcoin took it.
    pub accepted_by: Vec<String>,
    /// Whether it is in Bitcoin's best chain at the end.
    pub is_active: bool,
    /// The coinbase as Bitcoin has it, with its witness; as the nodes have it if Bitcoin lacks the block.
    pub coinbase_hex: String,
    /// Sum of its outputs.
    pub value_sat: u64,
    /// Its outputs that pay somebody, in order.
    pub outputs: Vec<Output>,
    /// The link up to which work counted.
    pub snapshot: String,
    /// Shares listed up to the snapshot.
    pub snapshot_listed: Option<u64>,
    /// The Bitcoin block whose hash the draw was drawn with.
    pub seed: String,
    /// Who had earned what up to the snapshot.
    pub weights: Vec<Weight>,
}

/// An output of a coinbase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Who is paid.
    pub script: ScriptBuf,
    /// How much.
    pub value_sat: u64,
}

/// What a script had earned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Weight {
    /// The script.
    pub script: ScriptBuf,
    /// Units of 2^-64 expected blocks, a decimal string.
    pub weight: String,
}

/// What became of every share that a node took from a miner.
///
/// `found` is the sum of `listed`, `pending`, `held`, `expired`, `lost` and those of `refused` that a rule refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SharesReport {
    /// Proofs that met the share target and that a node took, by the miners' own account.
    pub found: u64,
    /// In the main chain, as links or listed by one.
    pub listed: u64,
    /// Valid, and waiting to be listed.
    pub pending: u64,
    /// Waiting for something before they can be judged.
    pub held: u64,
    /// Valid, and too old to be listed.
    pub expired: u64,
    /// Refused, by reason: by the node's Stratum server, or later by a rule.
    pub refused: BTreeMap<String, u64>,
    /// Taken by a node, and known to none at the end.
    pub lost: u64,
    /// Their ids, the first hundred.
    pub lost_ids: Vec<String>,
    /// Sent, and the connection ended before an answer: a node that was killed.
    pub unanswered: u64,
    /// Proofs that a node took but that did not meet the share target: they measure a miner, and earn nothing.
    pub below_target: u64,
}
