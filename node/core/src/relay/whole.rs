//! Complete blocks, and their validation.

use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, deserialize_partial, serialize};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Transaction, VarInt, Wtxid};
use sharechain::Proof;
use sharechain::chain::Chain;
use sharechain::check::binding::merkle_root;
use sharechain::coinbase::Coinbase;
use sharechain::share::EXTRANONCE_BYTES;

use crate::jobs::{Job, hash_pair, parents, with_witness};
use crate::limits::BLOCK_WEIGHT_MAX;

/// A Bitcoin block of the pool with all its transactions, checked against the header's commitments.
#[derive(Debug, PartialEq, Eq)]
pub struct WholeBlock {
    /// Hash of the block.
    pub hash: BlockHash,
    /// Height of the block.
    pub height: u32,
    bytes: Arc<[u8]>,
    /// Offset of each transaction after the coinbase, and the end of the last one.
    bounds: Vec<usize>,
    wtxids: Vec<Wtxid>,
}

/// The part of a block that follows from its valid share: everything but the transactions after the coinbase.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The share.
    pub proof: Proof,
    /// Hash of the block.
    pub hash: BlockHash,
    /// Height of the block.
    pub height: u32,
    /// The coinbase as serialized in the block.
    coinbase: Vec<u8>,
}

impl WholeBlock {
    /// The block that a miner of this node found.
    #[must_use]
    pub fn of_job(job: &Job, header: &Header, extranonce: &[u8; EXTRANONCE_BYTES]) -> Self {
        let bytes = job.block(header, extranonce);
        let kept = job.kept();
        let mut at = bytes.len() - kept.iter().map(|transaction| transaction.raw.len()).sum::<usize>();
        let mut bounds = vec![at];
        for transaction in kept {
            at += transaction.raw.len();
            bounds.push(at);
        }
        let wtxids = kept.iter().map(|transaction| transaction.wtxid).collect();
        let height = job.template.block.height;
        Self { hash: header.block_hash(), height, bytes: bytes.into(), bounds, wtxids }
    }

    /// The serialized block.
    #[must_use]
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// Hashes of the transactions after the coinbase, with their witnesses.
    #[must_use]
    pub fn wtxids(&self) -> &[Wtxid] {
        &self.wtxids
    }

    /// The transaction at this position after the coinbase, counted from 0.
    #[must_use]
    pub fn transaction(&self, position: u16) -> Option<&[u8]> {
        let position = usize::from(position);
        self.bytes.get(*self.bounds.get(position)?..*self.bounds.get(position + 1)?)
    }
}

impl Frame {
    /// The frame of a valid share that meets Bitcoin's own target. None if its payouts are not known, or are not those of
    /// its coinbase.
    #[must_use]
    pub(crate) fn of(proof: &Proof, chain: &mut Chain) -> Option<Self> {
        let share = &proof.share;
        let previous = proof.header.prev_blockhash;
        let payouts = chain.payouts(&share.parent, &previous, share.coinbase_value, &share.payout).ok()?;
        let witness_commitment = proof.witness_commitment.as_ref();
        let stripped = Coinbase { share, payouts: &payouts, extranonce: &proof.extranonce, witness_commitment }
            .build(chain.consensus_id());
        let root = merkle_root(stripped.txid().to_byte_array(), &proof.branch);
        if root != proof.header.merkle_root.to_byte_array() {
            return None;
        }
        // BIP-0141: without a commitment, no transaction has a witness.
        let coinbase = match proof.witness_commitment {
            Some(_) => with_witness(stripped.as_bytes()),
            None => stripped.as_bytes().to_vec(),
        };
        let hash = proof.header.block_hash();
        Some(Self { proof: proof.clone(), hash, height: share.bitcoin_height, coinbase })
    }

    /// The block with these transactions after its coinbase. None if they are not those of the block: each one must be a
    /// transaction, and together they must have the header's merkle root and the coinbase's witness commitment.
    #[must_use]
    pub(crate) fn assemble(&self, transactions: &[&[u8]]) -> Option<WholeBlock> {
        if !is_depth_of(self.proof.branch.len(), transactions.len()) {
            return None;
        }
        let mut bytes = serialize(&self.proof.header);
        bytes.extend_from_slice(&serialize(&VarInt::from(transactions.len() + 1)));
        bytes.extend_from_slice(&self.coinbase);
        let coinbase: Transaction = deserialize(&self.coinbase).ok()?;
        let mut weight = 4 * Header::SIZE as u64 + 4 * VarInt::from(transactions.len() + 1).size() as u64;
        weight += coinbase.weight().to_wu();
        let (mut bounds, mut wtxids) = (vec![bytes.len()], Vec::with_capacity(transactions.len()));
        let mut txids = vec![coinbase.compute_txid().to_byte_array()];
        for raw in transactions {
            let transaction: Transaction = deserialize(raw).ok()?;
            weight += transaction.weight().to_wu();
            txids.push(transaction.compute_txid().to_byte_array());
            wtxids.push(transaction.compute_wtxid());
            bytes.extend_from_slice(raw);
            bounds.push(bytes.len());
        }
        let is_whole = weight <= BLOCK_WEIGHT_MAX
            && root(txids.clone()) == Some(self.proof.header.merkle_root.to_byte_array())
            && self.has_witnesses(&txids, &wtxids);
        is_whole.then(|| WholeBlock { hash: self.hash, height: self.height, bytes: bytes.into(), bounds, wtxids })
    }

    /// True if these are the witnesses that the coinbase commits to (BIP-0141).
    fn has_witnesses(&self, txids: &[[u8; 32]], wtxids: &[Wtxid]) -> bool {
        let wtxids = wtxids.iter().map(|wtxid| wtxid.to_byte_array());
        match &self.proof.witness_commitment {
            // The coinbase counts as zero.
            Some(commitment) => {
                let leaves = std::iter::once([0; 32]).chain(wtxids).collect();
                root(leaves).is_some_and(|root| hash_pair(&root, &[0; 32]) == *commitment)
            }
            None => wtxids.eq(txids.iter().skip(1).copied()),
        }
    }

    /// The block with these bytes. None if they are not this block's.
    #[must_use]
    pub(crate) fn parse(&self, bytes: &[u8]) -> Option<WholeBlock> {
        let (header, rest) = bytes.split_at_checked(Header::SIZE)?;
        let (VarInt(count), used) = deserialize_partial::<VarInt>(rest).ok()?;
        let mut rest = rest.get(used..)?.strip_prefix(self.coinbase.as_slice())?;
        // A count alone allocates nothing: each transaction takes its bytes off the rest.
        let mut transactions = Vec::new();
        for _ in 1..count {
            let (_, used) = deserialize_partial::<Transaction>(rest).ok()?;
            let (transaction, after) = rest.split_at_checked(used)?;
            transactions.push(transaction);
            rest = after;
        }
        let is_framed = header == serialize(&self.proof.header) && count > 0 && rest.is_empty();
        is_framed.then(|| self.assemble(&transactions)).flatten().filter(|block| *block.bytes == *bytes)
    }
}

/// True if a merkle branch of this length leads to the coinbase of a block with so many other transactions.
#[must_use]
pub(super) fn is_depth_of(branch: usize, transactions: usize) -> bool {
    let levels = usize::BITS - transactions.leading_zeros();
    u32::try_from(branch) == Ok(levels)
}

/// Merkle root of these leaves. None if two siblings are equal: then other leaves have the same root (CVE-2012-2459).
fn root(mut level: Vec<[u8; 32]>) -> Option<[u8; 32]> {
    while level.len() > 1 {
        if level.chunks_exact(2).any(|pair| pair.first() == pair.last()) {
            return None;
        }
        level = parents(&level);
    }
    level.first().copied()
}
