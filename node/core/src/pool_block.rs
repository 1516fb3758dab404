//! A Bitcoin block that the pool found, as every node that sees the share knows it.

use bitcoin::{ScriptBuf, Target, TxOut};
use serde::{Deserialize, Serialize};
use sharechain::chain::Chain;
use sharechain::coinbase::Coinbase;
use sharechain::{Proof, ShareId};

use crate::journal::{Record, RecordKind};

/// A found block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolBlock {
    /// Its hash; also the id of the share that it is.
    pub hash: bitcoin::BlockHash,
    /// Its height.
    pub height: u32,
    /// The block before it.
    pub prev_hash: bitcoin::BlockHash,
    /// Time in its header, seconds since 1970.
    pub time: u32,
    /// Who found it.
    pub finder: ScriptBuf,
    /// Subsidy and fees, satoshi.
    pub value_sat: u64,
    /// Whom it pays, in the order of the outputs.
    pub payouts: Vec<TxOut>,
    /// How many of them, the first ones, are paid exactly; the others were drawn. None in what an older version wrote.
    #[serde(default)]
    pub exact: Option<usize>,
    /// The link up to which work counted.
    pub snapshot: bitcoin::BlockHash,
    /// What the tail was drawn with: the hash of an earlier Bitcoin block.
    pub seed: bitcoin::BlockHash,
    /// The coinbase as it is hashed, without witness.
    pub coinbase: ScriptBuf,
}

impl PoolBlock {
    /// True when the hash of a proof, its id, meets Bitcoin's own target.
    #[must_use]
    pub fn is_block(proof: &Proof, id: &ShareId) -> bool {
        Target::from_compact(proof.header.bits).is_met_by(id.block_hash())
    }

    /// What a valid proof that is a block pays.
    #[must_use]
    pub fn of(proof: &Proof, chain: &mut Chain) -> Option<Self> {
        let share = &proof.share;
        let previous = proof.header.prev_blockhash;
        let plan = chain.plan(&share.anchor, &previous).ok()?;
        let payouts = chain.payouts(&share.anchor, &previous, share.coinbase_value, &share.payout).ok()?;
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

    /// The record that keeps it.
    #[must_use]
    pub fn to_record(&self) -> Record {
        let bytes = serde_json::to_vec(self).expect("a struct of strings and integers is JSON");
        Record { kind: RecordKind::Block, id: ShareId::from(self.hash).0, bytes }
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// The bytes are not what [`PoolBlock::to_record`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
