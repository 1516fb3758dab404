//! A record of a world's events, for reports and oracles. It holds each proof that a miner found and the verdict of the
//! miner's node.

use std::collections::{BTreeMap, HashMap};

use bitcoin::{BlockHash, ScriptBuf};
use p2p_proto::Misbehaviour;
use sharechain::{RuleError, ShareId, Weight};

use crate::ids::{MinerId, NodeId};
use crate::time::Micros;

/// The verdict of the finder's node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The proof is valid.
    Accepted,
    /// The node cannot judge the proof yet.
    Held,
    /// It is too late to list the proof.
    Unlistable,
    /// The node knows the proof already.
    Repeated,
    /// The proof breaks a rule.
    Invalid(RuleError),
}

/// Converts a weight to expected Bitcoin blocks.
#[must_use]
pub fn expected_blocks(weight: Weight) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits of a weight are plenty")]
    let units = weight.0 as f64;
    units / 2_f64.powi(64)
}

/// A proof that a miner found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Find {
    /// Id of the proof.
    pub id: ShareId,
    /// The miner that found it.
    pub miner: MinerId,
    /// Time of the find.
    pub at: Micros,
    /// Weight of a share at its position, in expected Bitcoin blocks.
    pub weight: f64,
    /// Extra weight as a link of the main chain, in expected Bitcoin blocks. 0 for a share.
    pub bonus: f64,
    /// Whether it meets the link target.
    pub is_link: bool,
    /// Whether it is a Bitcoin block.
    pub is_block: bool,
    /// Whether it was withheld at first.
    pub withheld: bool,
    /// The verdict of the finder's node.
    pub verdict: Verdict,
}

/// A node's ban of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Time of the ban.
    pub at: Micros,
    /// The node that bans.
    pub by: NodeId,
    /// The node that is banned.
    pub whom: NodeId,
    /// The last misbehavior before the ban.
    pub why: Misbehaviour,
}

/// All recorded events.
#[derive(Debug, Default)]
pub struct Ledger {
    finds: Vec<Find>,
    by_id: HashMap<ShareId, usize>,
    miners: BTreeMap<ScriptBuf, MinerId>,
    /// Reorganizations on all nodes, by the number of links that left the main chain.
    pub reorgs: BTreeMap<u32, u64>,
    /// Crashes of nodes.
    pub restarts: u64,
    /// Records that crashes tore from disks.
    pub torn_records: u64,
    /// Bans by any node.
    pub bans: Vec<Ban>,
    /// When each node's bitcoind got a block of the pool from its peers.
    relays: Vec<(BlockHash, NodeId, Micros)>,
}

impl Ledger {
    /// Assigns a script to a miner.
    pub fn register(&mut self, script: &ScriptBuf, miner: MinerId) {
        if !self.miners.contains_key(script) {
            self.miners.insert(script.clone(), miner);
        }
    }

    /// Returns the miner that a script belongs to.
    #[must_use]
    pub fn miner(&self, script: &bitcoin::Script) -> Option<MinerId> {
        self.miners.get(script).copied()
    }

    /// Records that a node's bitcoind got a block of the pool from its peers.
    pub fn relayed(&mut self, block: BlockHash, node: NodeId, at: Micros) {
        self.relays.push((block, node, at));
    }

    /// Returns when each node's bitcoind got a block of the pool from its peers, in this order.
    #[must_use]
    pub fn relays(&self) -> &[(BlockHash, NodeId, Micros)] {
        &self.relays
    }

    /// Records a proof.
    pub fn found(&mut self, find: Find) {
        self.by_id.entry(find.id).or_insert(self.finds.len());
        self.finds.push(find);
    }

    /// Returns all proofs, in the order in which they were found.
    #[must_use]
    pub fn finds(&self) -> &[Find] {
        &self.finds
    }

    /// Returns one proof.
    #[must_use]
    pub fn find(&self, id: &ShareId) -> Option<&Find> {
        self.by_id.get(id).and_then(|index| self.finds.get(*index))
    }
}
