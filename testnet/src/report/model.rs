//! The format of the report.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use serde::Serialize;

use super::propagation::LinkReport;
use crate::network::NodeCondition;
use crate::table::Note;

/// The report of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this format.
    pub version: u32,
    /// Id of the network's constants.
    pub consensus_id: String,
    /// `embedded` or `bitcoind`.
    pub bitcoin: &'static str,
    /// `local` or `regtest`.
    pub network: &'static str,
    /// Seconds from the start of the processes to the end of mining.
    pub mined_s: u64,
    /// Seconds from the start of the processes to the first Bitcoin block.
    pub first_block_s: Option<u64>,
    /// Seconds from the start of the processes to the first Bitcoin block that pays more than one miner.
    pub first_shared_block_s: Option<u64>,
    /// The lines between the nodes, if they are not loopback.
    pub link: Option<LinkReport>,
    /// Groups of the partition in force at the end, if any.
    pub partition: Option<String>,
    /// The nodes.
    pub nodes: Vec<NodeReport>,
    /// The miners.
    pub miners: Vec<MinerReport>,
    /// The Bitcoin blocks, by height.
    pub blocks: Vec<BlockReport>,
    /// The fates of all shares.
    pub shares: SharesReport,
    /// Events, oldest first. If there were many, only the newest.
    pub events: Vec<Note>,
}

/// The final state of a node.
#[derive(Debug, Clone, Serialize)]
pub struct NodeReport {
    /// Name of the node.
    pub name: String,
    /// The state of its process.
    pub condition: NodeCondition,
    /// Id of its tip. Empty if it did not answer, like all that follows.
    pub tip: String,
    /// Height of its tip.
    pub height: u32,
    /// Number of nodes it was connected to.
    pub peers: u64,
    /// Resident memory at the end, in bytes.
    pub rss_bytes: u64,
    /// Largest resident memory in any second, in bytes.
    pub rss_bytes_max: u64,
    /// The window that ends in its tip.
    pub window: Vec<WindowRow>,
}

/// The credit of a script in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowRow {
    /// The script.
    pub script: ScriptBuf,
    /// Decimal string in units of 2^-64 expected blocks, up to 128 bits.
    pub weight: String,
    /// Number of credited shares.
    pub shares: u64,
}

/// A miner.
#[derive(Debug, Clone, Serialize)]
pub struct MinerReport {
    /// Name of the miner.
    pub name: String,
    /// Name of its node.
    pub node: String,
    /// Payout address.
    pub address: String,
    /// The script of that address.
    pub script: ScriptBuf,
    /// Artificial delay in milliseconds.
    pub delay_ms: u64,
    /// Hashes it computed up to its last proof.
    pub hashes: u64,
    /// Its proofs that a node accepted.
    pub accepted: u64,
    /// Its proofs that a node rejected.
    pub refused: u64,
}

/// A Bitcoin block.
#[derive(Debug, Clone, Serialize)]
pub struct BlockReport {
    /// Hash of the block.
    pub hash: String,
    /// Height of the block.
    pub height: u32,
    /// Hash of the previous block.
    pub prev_hash: String,
    /// Node of the miner that found it.
    pub finder_node: Option<String>,
    /// Payout script of the finder.
    pub finder_script: ScriptBuf,
    /// Nodes whose bitcoind accepted it.
    pub accepted_by: Vec<String>,
    /// Whether it is in Bitcoin's best chain at the end.
    pub is_active: bool,
    /// The coinbase in hexadecimal as Bitcoin has it, with its witness. If Bitcoin lacks the block, as the nodes have
    /// it.
    pub coinbase_hex: String,
    /// Sum of its outputs, in satoshi.
    pub value_sat: u64,
    /// Its outputs that pay a script, in order.
    pub outputs: Vec<Output>,
    /// Id of the snapshot.
    pub snapshot: String,
    /// Number of shares listed up to the snapshot.
    pub snapshot_listed: Option<u64>,
    /// Hash of the Bitcoin block that seeds the draw.
    pub seed: String,
    /// The window's weights at the snapshot.
    pub weights: Vec<Weight>,
}

/// An output of a coinbase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    /// The paid script.
    pub script: ScriptBuf,
    /// Amount in satoshi.
    pub value_sat: u64,
}

/// The weight of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Weight {
    /// The script.
    pub script: ScriptBuf,
    /// Decimal string in units of 2^-64 expected blocks.
    pub weight: String,
}

/// The fates of all shares that a node accepted from a miner.
///
/// `found` is the sum of `listed`, `pending`, `held`, `expired`, `lost` and the part of `refused` that a rule rejected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SharesReport {
    /// Proofs that met the share target and that a node accepted, according to the miners.
    pub found: u64,
    /// In the main chain, as links or listed by one.
    pub listed: u64,
    /// Valid, and not listed yet.
    pub pending: u64,
    /// Cannot be judged yet.
    pub held: u64,
    /// Valid, and too old to be listed.
    pub expired: u64,
    /// Rejected, by reason: by the node's Stratum server, or later by a rule.
    pub refused: BTreeMap<String, u64>,
    /// Accepted by a node, and unknown to all nodes at the end.
    pub lost: u64,
    /// Ids of the first hundred lost shares.
    pub lost_ids: Vec<String>,
    /// Sent without an answer, because the connection ended: a node was killed.
    pub unanswered: u64,
    /// Proofs that a node accepted but that did not meet the share target. They measure a miner, and earn nothing.
    pub below_target: u64,
}
