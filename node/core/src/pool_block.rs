//! A Bitcoin block that the pool found, as known to every node that sees its share.

use bitcoin::{ScriptBuf, Target, TxOut};
use serde::{Deserialize, Serialize};
use sharechain::chain::Chain;
use sharechain::coinbase::Coinbase;
use sharechain::{Proof, ShareId};

use crate::journal::{Record, RecordKind};

/// A found block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolBlock {
    /// Hash of the block; also its id as a share.
    pub hash: bitcoin::BlockHash,
    /// Height of the block.
    pub height: u32,
    /// Hash of the previous block.
    pub prev_hash: bitcoin::BlockHash,
    /// Time of its header, seconds since 1970.
    pub time: u32,
    /// Payout script of the finder.
    pub finder: ScriptBuf,
    /// Subsidy and fees, satoshi.
    pub value_sat: u64,
    /// Payout outputs of the coinbase, in order.
    pub payouts: Vec<TxOut>,
    /// Number of leading payouts that are proportional; the others won the lottery. None in records of older versions.
    #[serde(default)]
    pub exact: Option<usize>,
    /// The snapshot: the link up to which work counted.
    pub snapshot: bitcoin::BlockHash,
    /// Seed of the lottery: the hash of an earlier Bitcoin block.
    pub seed: bitcoin::BlockHash,
    /// The coinbase as hashed for its txid, without the witness.
    pub coinbase: ScriptBuf,
}

impl PoolBlock {
    /// True if the hash of a proof, its id, meets Bitcoin's own target.
    #[must_use]
    pub fn is_block(proof: &Proof, id: &ShareId) -> bool {
        Target::from_compact(proof.header.bits).is_met_by(id.block_hash())
    }

    /// The pool block of a valid proof that meets Bitcoin's target; none if its payouts are not known.
    #[must_use]
    pub fn of(proof: &Proof, chain: &mut Chain) -> Option<Self> {
        let share = &proof.share;
        let previous = proof.header.prev_blockhash;
        let plan = chain.plan(&share.parent, &previous).ok()?;
        let payouts = chain.payouts(&share.parent, &previous, share.coinbase_value, &share.payout).ok()?;
        let coinbase = Coinbase {
            share,
            payouts: &payouts,
            extranonce: &proof.extranonce,
            witness_commitment: proof.witness_commitment.as_ref(),
        }
        .build(chain.consensus_id());
        Some(Self {
            hash: proof.header.block_hash(),
            height: share.bitcoin_height,
            prev_hash: previous,
            time: proof.header.time,
            finder: share.payout.clone(),
            value_sat: share.coinbase_value,
            payouts,
            exact: Some(plan.selection.as_ref().map_or(1, |selection| selection.exact())),
            snapshot: plan.snapshot.block_hash(),
            seed: ShareId(plan.seed).block_hash(),
            coinbase: ScriptBuf::from_bytes(coinbase.as_bytes().to_vec()),
        })
    }

    /// True if the coinbase pays the finder alone.
    #[must_use]
    pub fn pays_finder_alone(&self) -> bool {
        matches!(&self.payouts[..], [only] if only.script_pubkey == self.finder)
    }

    /// Serializes it as a journal record.
    #[must_use]
    pub fn to_record(&self) -> Record {
        let bytes = serde_json::to_vec(self).expect("a struct of strings and integers is JSON");
        Record { kind: RecordKind::Block, id: ShareId::from(self.hash).0, bytes }
    }

    /// Reads the bytes of a journal record.
    ///
    /// # Errors
    /// The bytes are not what [`PoolBlock::to_record`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
