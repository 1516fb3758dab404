//! What happened in a world, written down by whoever did it and read only by people: what each miner found, and what
//! became of it at once.

use std::collections::{BTreeMap, HashMap};

use bitcoin::ScriptBuf;
use p2p_proto::Misbehaviour;
use sharechain::{RuleError, ShareId};

use crate::time::Micros;
use crate::world::{MinerId, NodeId};

/// What the finder's own node said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Valid.
    Accepted,
    /// It cannot be judged yet.
    Held,
    /// Too late to be listed.
    Unlistable,
    /// FoundProof before.
    Repeated,
    /// It breaks a rule.
    Invalid(RuleError),
}

/// A proof that somebody found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Find {
    /// Its id.
    pub id: ShareId,
    /// Who found it.
    pub miner: MinerId,
    /// When.
    pub at: Micros,
    /// What a share of its place earns, expected Bitcoin blocks.
    pub weight: f64,
    /// What it earns on top as a link of the main chain; 0 for a share.
    pub bonus: f64,
    /// Whether it met the link target.
    pub is_link: bool,
    /// Whether it is a Bitcoin block.
    pub is_block: bool,
    /// Whether it was withheld at first.
    pub withheld: bool,
    /// What the finder's own node said.
    pub verdict: Verdict,
}

/// A node bans a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// When.
    pub at: Micros,
    /// Who bans.
    pub by: NodeId,
    /// Who is banned.
    pub whom: NodeId,
    /// For what, in the end.
    pub why: Misbehaviour,
}

/// Everything written down.
#[derive(Debug, Default)]
pub struct Ledger {
    finds: Vec<Find>,
    by_id: HashMap<ShareId, usize>,
    miners: BTreeMap<ScriptBuf, MinerId>,
    /// Reorganisations of all nodes by the number of links that left the main chain.
    pub reorgs: BTreeMap<u32, u64>,
    /// Starts of nodes after a crash, and records that the crash took from their disks.
    pub restarts: u64,
    /// See [`Ledger::restarts`].
    pub torn_records: u64,
    /// Peers that nodes banned.
    pub bans: Vec<Ban>,
}

impl Ledger {
    /// A miner works for a script.
    pub fn register(&mut self, script: &ScriptBuf, miner: MinerId) {
        if !self.miners.contains_key(script) {
            self.miners.insert(script.clone(), miner);
        }
    }

    /// Who works for a script.
    #[must_use]
    pub fn miner(&self, script: &bitcoin::Script) -> Option<MinerId> {
        self.miners.get(script).copied()
    }

    /// Somebody found something.
    pub fn found(&mut self, find: Find) {
        self.by_id.entry(find.id).or_insert(self.finds.len());
        self.finds.push(find);
    }

    /// Everything found, in the order of time.
    #[must_use]
    pub fn finds(&self) -> &[Find] {
        &self.finds
    }

    /// A find.
    #[must_use]
    pub fn find(&self, id: &ShareId) -> Option<&Find> {
        self.by_id.get(id).and_then(|index| self.finds.get(*index))
    }
}
