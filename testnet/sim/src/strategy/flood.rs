//! Flooding with useless messages at a given rate. Some kinds cost the sender work. None may cost other nodes more than
//! the limits allow.

use bitcoin::hashes::Hash;
use bitcoin::{TxMerkleNode, TxOut};
use p2p_proto::Gossip;
use p2p_proto::message::Announcement;
use rand::Rng;
use serde::Deserialize;
use sharechain::change_set::ChangeSet;
use sharechain::coinbase::Coinbase;
use sharechain::{Proof, ShareId};

use super::{Strategy, View};
use crate::pow::grind;

/// A kind of useless message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A message that all nodes have seen.
    Duplicate,
    /// A header that commits to nothing.
    Garbage,
    /// A known proof with an altered extranonce.
    Altered,
    /// Real work on a parent that does not exist.
    UnknownParent,
    /// The announcement of a Bitcoin block with made-up transactions.
    Block,
}

/// A node that floods.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flood {
    /// Messages per second.
    pub per_second: u32,
    /// Kinds of messages, in turn.
    pub kinds: Vec<Kind>,
    /// The last proof that the node heard.
    #[serde(skip)]
    heard: Option<Proof>,
}

impl Default for Flood {
    fn default() -> Self {
        let kinds = vec![Kind::Duplicate, Kind::Garbage, Kind::Altered, Kind::UnknownParent, Kind::Block];
        Self { per_second: 5, kinds, heard: None }
    }
}

impl Flood {
    fn message(kind: Kind, mut proof: Proof, view: &mut View<'_>) -> Gossip {
        match kind {
            Kind::Duplicate => {}
            Kind::Garbage => proof.header.merkle_root = TxMerkleNode::from_byte_array(view.rng.random()),
            Kind::Altered => proof.extranonce = view.rng.random(),
            Kind::UnknownParent => proof = orphan(proof, view),
            Kind::Block => return Gossip::BitcoinBlock(forged(proof, view)),
        }
        Gossip::Share(Box::new(proof))
    }
}

/// An announcement with as many made-up ids as the proof's branch allows.
fn forged(proof: Proof, view: &mut View<'_>) -> Announcement {
    let count = (1_usize << proof.branch.len().min(12)) - 1;
    let ids = (0..count).map(|_| view.rng.random()).collect();
    Announcement { proof: Box::new(proof), nonce: view.rng.random(), ids }
}

/// Returns real work on a parent that does not exist, which no node can judge.
fn orphan(like: Proof, view: &mut View<'_>) -> Proof {
    let mut proof = Proof { branch: Vec::new(), witness_commitment: None, ..like };
    proof.share.parent = ShareId(view.rng.random());
    let value = bitcoin::Amount::from_sat(proof.share.coinbase_value);
    let payouts = [TxOut { value, script_pubkey: proof.share.payout.clone() }];
    let extranonce = &proof.extranonce;
    let coinbase = Coinbase { share: &proof.share, payouts: &payouts, extranonce, witness_commitment: None };
    let coinbase = coinbase.build(view.chain.consensus_id());
    proof.prefix = coinbase.prefix();
    proof.header.merkle_root = TxMerkleNode::from_byte_array(coinbase.txid().to_byte_array());
    grind(&mut proof.header, view.chain.params().easiest_share_target);
    proof
}

impl Strategy for Flood {
    fn heard(&mut self, _view: &mut View<'_>, changes: &ChangeSet) -> Vec<ShareId> {
        if let Some(accepted) = changes.accepted.last() {
            self.heard = Some(accepted.proof.clone());
        }
        Vec::new()
    }

    fn flood(&mut self, view: &mut View<'_>) -> Vec<Gossip> {
        let Some(proof) = &self.heard else { return Vec::new() };
        let kinds = self.kinds.iter().cycle().take(usize::try_from(self.per_second).unwrap_or(usize::MAX));
        kinds.map(|kind| Self::message(*kind, proof.clone(), view)).collect()
    }
}
