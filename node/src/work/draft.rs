//! One template bound to one place in the share-chain: all that miners' works have in common.

use std::borrow::Cow;
use std::sync::Arc;

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, ScriptBuf, Target, TxMerkleNode, TxOut, VarInt};
use sharechain::chain::{Assignment, Chain, Plan, TemplateError, Unpayable};
use sharechain::check::binding::{BoundProof, merkle_root};
use sharechain::coinbase::Coinbase;
use sharechain::encode::shares_root;
use sharechain::share::SHARE_VERSION;
use sharechain::{Proof, ShareHeader, ShareId, Timestamp, U256};
use stratum::{EXTRANONCE_BYTES, Work, WorkParts};

use super::trim::Body;
use crate::bitcoind::BlockTemplate;

/// Weight of everything in a coinbase but its payouts, at most: 192 bytes that count fourfold, and the witness.
const COINBASE_WEIGHT_AROUND: u64 = 192 * 4 + 36;

/// Weight of the largest payout output.
const PAYOUT_WEIGHT: u64 = 43 * 4;

/// Where new work belongs in the share-chain, and whom it pays.
#[derive(Debug)]
pub struct Place {
    /// The link to extend, and what follows from it. Its list may be changed: drafts commit to what it is then.
    pub assignment: Assignment,
    plan: Arc<Plan>,
    consensus_id: [u8; 32],
}

/// A template, where it belongs, and whom it pays.
#[derive(Debug)]
pub struct Draft {
    /// bitcoind's template.
    pub template: Arc<BlockTemplate>,
    /// The place in the share-chain.
    pub assignment: Assignment,
    /// Which of the template's transactions stay.
    pub body: Arc<Body>,
    /// The outputs that settled history demands; `None` pays the finder alone.
    payouts: Option<Vec<TxOut>>,
    /// The share header's time.
    share_time: Timestamp,
    /// The Bitcoin header's time to start from: bitcoind's, or later when the template has been waiting.
    header_time: u32,
    shares_root: [u8; 32],
    consensus_id: [u8; 32],
}

/// One miner's part: what its coinbase commits to.
#[derive(Debug)]
pub struct Order {
    /// What is common to all.
    pub draft: Arc<Draft>,
    /// What the miner commits to.
    pub share: ShareHeader,
}

/// Why there is no work now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The chain has no place for it.
    #[error("the share-chain has no link to build on")]
    NoParent,
    /// A heavier branch would undo final links, and the operator has not chosen.
    #[error(
        "link {0} is the tip of a heavier branch that would undo final links; to follow it, restart once with \
         `shoal run --follow-heaviest`"
    )]
    Conflict(ShareId),
    /// The pool upgraded its rules, and this program does not know the new ones.
    #[error(
        "the pool has upgraded (bit {0}), and this version of shoal does not know the new rules; install a newer one"
    )]
    TooOld(u8),
    /// The share-chain does not know bitcoind's tip, or not yet.
    #[error("the share-chain does not know bitcoind's tip {0}")]
    UnknownTip(BlockHash),
    /// bitcoind's tip has less work than the one that the share-chain builds on.
    #[error("bitcoind is behind the share-chain")]
    BitcoinBehind,
    /// What it must pay is not known yet.
    #[error("what the next coinbase must pay is not known yet: {0}")]
    Unpayable(#[from] Unpayable),
    /// It does not pass the check that peers apply.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl Place {
    /// Where work on `prev_block` belongs now. Takes the chain's time only for what the chain alone knows.
    ///
    /// # Errors
    /// Why no work can be handed out.
    pub fn find(chain: &mut Chain, prev_block: &BlockHash) -> Result<Self, DraftError> {
        if let Some(conflict) = chain.finality().conflict {
            return Err(DraftError::Conflict(conflict));
        }
        if let Some(bit) = chain.too_old() {
            return Err(DraftError::TooOld(bit));
        }
        let parent = chain.build_on();
        Self::find_on(chain, &parent, prev_block)
    }

    /// Where work on `prev_block` belongs if it is to extend `parent`, whatever the chain would choose.
    ///
    /// # Errors
    /// Why no work can be handed out.
    pub fn find_on(chain: &mut Chain, parent: &ShareId, prev_block: &BlockHash) -> Result<Self, DraftError> {
        let assignment = chain.assignment_on(parent).ok_or(DraftError::NoParent)?;
        let known = chain.bitcoin().get(prev_block).ok_or(DraftError::UnknownTip(*prev_block))?;
        if known.chain_work < assignment.position.bitcoin_work {
            return Err(DraftError::BitcoinBehind);
        }
        let plan = chain.plan(&assignment.position.anchor, prev_block)?;
        Ok(Self { assignment, plan, consensus_id: *chain.consensus_id() })
    }

    /// Payouts that the coinbase has.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.plan.selection.as_ref().map_or(1, |selection| selection.entries().len())
    }

    /// Weight that the coinbase has at most.
    #[must_use]
    pub fn coinbase_weight(&self) -> u64 {
        COINBASE_WEIGHT_AROUND + PAYOUT_WEIGHT * self.outputs() as u64
    }
}

impl Draft {
    /// Binds a template, of which `body` stays, to a place.
    ///
    /// # Errors
    /// An amount leaves its range.
    pub fn new(
        template: Arc<BlockTemplate>,
        body: Arc<Body>,
        place: Place,
        now: Timestamp,
    ) -> Result<Arc<Self>, DraftError> {
        let Place { assignment, plan, consensus_id } = place;
        let value_sat = body.coinbase_value.to_sat();
        let payouts = plan.selection.as_ref().map(|selection| selection.amounts(value_sat));
        let payouts = payouts.transpose().map_err(Unpayable::Rule)?;
        let share_time = assignment.time(now);
        let header_time = template.time.max(now.0);
        let shares_root = shares_root(&assignment.list);
        Ok(Arc::new(Self { template, assignment, body, payouts, share_time, header_time, shares_root, consensus_id }))
    }

    /// Passes the draft through the check that peers apply to what is found with it.
    ///
    /// # Errors
    /// What a peer would say.
    pub fn check(self: &Arc<Self>, chain: &mut Chain, now: Timestamp) -> Result<(), DraftError> {
        let order = Order::new(Arc::clone(self), nobody());
        let proof = order.proof(order.unworked_header(), [0; EXTRANONCE_BYTES]);
        let bound = BoundProof::bind(proof, U256::MAX, &self.consensus_id).map_err(TemplateError::Rule)?;
        Ok(chain.check_template(&bound, now)?)
    }

    /// A block of this draft without work, for bitcoind to judge.
    #[must_use]
    pub fn proposal(self: &Arc<Self>) -> Vec<u8> {
        let order = Order::new(Arc::clone(self), nobody());
        order.block(&order.unworked_header(), &[0; EXTRANONCE_BYTES])
    }

    /// What a miner with this payout script commits to.
    #[must_use]
    pub fn share_header(&self, payout: ScriptBuf) -> ShareHeader {
        ShareHeader {
            version: SHARE_VERSION,
            parent: self.assignment.parent,
            anchor: self.assignment.position.anchor,
            shares_root: self.shares_root,
            shares_count: u16::try_from(self.assignment.list.len()).expect("a list is bounded by 1,024"),
            payout,
            time: self.share_time,
            bitcoin_height: self.template.height,
            coinbase_value: self.body.coinbase_value.to_sat(),
            signals: 0,
        }
    }
}

impl Order {
    /// A miner's part of a draft.
    #[must_use]
    pub fn new(draft: Arc<Draft>, payout: ScriptBuf) -> Self {
        Self { share: draft.share_header(payout), draft }
    }

    fn payouts(&self) -> Cow<'_, [TxOut]> {
        match &self.draft.payouts {
            Some(payouts) => Cow::Borrowed(payouts),
            None => {
                let value = self.draft.body.coinbase_value;
                Cow::Owned(vec![TxOut { value, script_pubkey: self.share.payout.clone() }])
            }
        }
    }

    fn coinbase(&self, extranonce: &[u8; EXTRANONCE_BYTES]) -> sharechain::coinbase::CoinbaseBytes {
        Coinbase {
            share: &self.share,
            payouts: &self.payouts(),
            extranonce,
            witness_commitment: Some(&self.draft.body.witness_commitment),
        }
        .build(&self.draft.consensus_id)
    }

    /// The order as Stratum hands it out.
    #[must_use]
    pub fn work(&self, key: u64) -> Work {
        let coinbase = self.coinbase(&[0; EXTRANONCE_BYTES]);
        let (coinb1, coinb2) = coinbase.split_for_stratum();
        let template = &self.draft.template;
        Work::new(WorkParts {
            key,
            version: template.version,
            prev_block: template.prev_block,
            coinb1: coinb1.to_vec(),
            coinb2: coinb2.to_vec(),
            branch: self.draft.body.branch.clone(),
            bits: template.bits,
            time: self.draft.header_time,
            min_time: template.min_time,
            share_target: Target::from_le_bytes(self.draft.assignment.position.share_target.to_le_bytes()),
            bitcoin_target: Target::from_compact(template.bits),
            bitcoin_height: template.height,
        })
    }

    /// The proof that a header with this extranonce is.
    #[must_use]
    pub fn proof(&self, header: Header, extranonce: [u8; EXTRANONCE_BYTES]) -> Proof {
        Proof {
            header,
            share: self.share.clone(),
            extranonce,
            witness_commitment: Some(self.draft.body.witness_commitment),
            branch: self.draft.body.branch.clone(),
            prefix: self.coinbase(&extranonce).prefix(),
        }
    }

    /// The ids that the proof lists if it is a link.
    #[must_use]
    pub fn list(&self) -> &[ShareId] {
        &self.draft.assignment.list
    }

    /// The whole Bitcoin block with this header, serialized.
    #[must_use]
    pub fn block(&self, header: &Header, extranonce: &[u8; EXTRANONCE_BYTES]) -> Vec<u8> {
        let kept = &self.draft.template.transactions[..self.draft.body.kept];
        let mut block = serialize(header);
        block.extend_from_slice(&serialize(&VarInt::from(kept.len() + 1)));
        block.extend_from_slice(&with_witness(self.coinbase(extranonce).as_bytes()));
        for transaction in kept {
            block.extend_from_slice(&transaction.raw);
        }
        block
    }

    /// A header of this order that nobody has worked on, for an extranonce of zeros.
    #[must_use]
    pub fn unworked_header(&self) -> Header {
        let leaf = self.coinbase(&[0; EXTRANONCE_BYTES]).txid().to_byte_array();
        let template = &self.draft.template;
        Header {
            version: Version::from_consensus(template.version),
            prev_blockhash: template.prev_block,
            merkle_root: TxMerkleNode::from_byte_array(merkle_root(leaf, &self.draft.body.branch)),
            time: self.draft.header_time,
            bits: template.bits,
            nonce: 0,
        }
    }
}

/// A payout script for checks of drafts that nobody works on.
fn nobody() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::all_zeros())
}

/// Adds to a coinbase the witness that BIP-0141 demands: one item of 32 zero bytes.
fn with_witness(stripped: &[u8]) -> Vec<u8> {
    const VERSION_BYTES: usize = 4;
    const LOCKTIME_BYTES: usize = 4;
    let (version, rest) = stripped.split_at(VERSION_BYTES);
    let (inputs_and_outputs, locktime) = rest.split_at(rest.len() - LOCKTIME_BYTES);
    [version, &[0, 1], inputs_and_outputs, &[1, 32], &[0; 32], locktime].concat()
}

#[cfg(test)]
pub(super) mod tests;
