//! Decodes and checks bitcoind's block template (BIP-0022, BIP-0023, BIP-0145).

use std::sync::Arc;

use bitcoin::consensus::encode;
use bitcoin::hashes::hex::FromHex;
use bitcoin::{Amount, BlockHash, CompactTarget, ScriptBuf, Target, Transaction, Txid, Wtxid};
use serde::{Deserialize, Deserializer, de};

use node_core::jobs::{BlockTemplate, TemplateTransaction};
use node_core::limits::{BLOCK_SIGOPS_COST_MAX, BLOCK_WEIGHT_MAX};

use crate::limits::TEMPLATE_TRANSACTIONS_MAX;

/// How a block template is inconsistent.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The target does not match the bits.
    #[error("its target does not match its bits {bits:#010x}")]
    Target {
        /// The compact target.
        bits: u32,
    },
    /// The height cannot be encoded in a coinbase.
    #[error("its height {height} is out of range")]
    Height {
        /// The height.
        height: u32,
    },
    /// The coinbase value is below the fees, or above all bitcoin.
    #[error("its coinbase value of {coinbase_sat} sat is below its fees or above 21 million BTC")]
    CoinbaseValue {
        /// The coinbase value, satoshi.
        coinbase_sat: u64,
    },
    /// The witness commitment is not such a script.
    #[error("its witness commitment is not a BIP-0141 script")]
    WitnessCommitment,
    /// A transaction cannot be decoded.
    #[error("its transaction {position} cannot be decoded")]
    Undecodable {
        /// Position of the transaction, from 0, not counting the coinbase.
        position: usize,
        /// Cause from the decoder.
        source: encode::Error,
    },
    /// A transaction does not match its listed id, hash or weight.
    #[error("the {what} of its transaction {position} does not match its bytes")]
    Mismatch {
        /// Position of the transaction, from 0, not counting the coinbase.
        position: usize,
        /// Name of the field that differs.
        what: &'static str,
    },
    /// A transaction depends on one that does not come before it.
    #[error("its transaction {position} depends on one that does not come before it")]
    Order {
        /// Position of the transaction, from 0, not counting the coinbase.
        position: usize,
    },
    /// The transactions do not fit into a block.
    #[error("its {count} transactions, with weight {weight} and sigops cost {sigops_cost}, exceed a block's limits")]
    TooLarge {
        /// Number of transactions.
        count: usize,
        /// Their weight, weight units.
        weight: u64,
        /// Their signature operation cost.
        sigops_cost: u64,
    },
}

/// The fields of `getblocktemplate`'s result that the node uses.
#[derive(Debug, Deserialize)]
pub(super) struct RawTemplate {
    version: i32,
    previousblockhash: BlockHash,
    height: u32,
    #[serde(deserialize_with = "hex_array")]
    bits: [u8; 4],
    #[serde(deserialize_with = "hex_array")]
    target: [u8; 32],
    curtime: u32,
    mintime: u32,
    coinbasevalue: u64,
    #[serde(default)]
    default_witness_commitment: Option<ScriptBuf>,
    transactions: Vec<RawTransaction>,
    #[serde(default)]
    weightlimit: Option<u64>,
    sigoplimit: u64,
    #[serde(default)]
    longpollid: Option<String>,
    #[serde(default)]
    signet_challenge: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RawTransaction {
    #[serde(deserialize_with = "hex_bytes")]
    data: Vec<u8>,
    txid: Txid,
    hash: Wtxid,
    fee: u64,
    weight: u64,
    sigops: u64,
    depends: Vec<u32>,
}

impl TryFrom<RawTemplate> for BlockTemplate {
    type Error = TemplateError;

    fn try_from(raw: RawTemplate) -> Result<Self, TemplateError> {
        let bits = u32::from_be_bytes(raw.bits);
        if Target::from_compact(CompactTarget::from_consensus(bits)).to_be_bytes() != raw.target {
            return Err(TemplateError::Target { bits });
        }
        if !(1..=bitcoin::absolute::LOCK_TIME_THRESHOLD).contains(&raw.height) {
            return Err(TemplateError::Height { height: raw.height });
        }
        let commitment = raw.default_witness_commitment;
        if !commitment.iter().all(is_witness_commitment) {
            return Err(TemplateError::WitnessCommitment);
        }
        let transactions = raw
            .transactions
            .into_iter()
            .enumerate()
            .map(|(position, transaction)| transaction.check(position).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let template = BlockTemplate {
            version: raw.version,
            prev_block: raw.previousblockhash,
            height: raw.height,
            bits: CompactTarget::from_consensus(bits),
            time: raw.curtime.max(raw.mintime),
            min_time: raw.mintime,
            coinbase_value: Amount::from_sat(raw.coinbasevalue),
            witness_commitment: commitment,
            transactions,
            weight_limit: raw.weightlimit.unwrap_or(BLOCK_WEIGHT_MAX).min(BLOCK_WEIGHT_MAX),
            sigops_limit: raw.sigoplimit.min(BLOCK_SIGOPS_COST_MAX),
            long_poll_id: raw.longpollid,
            signet_challenge: raw.signet_challenge,
        };
        check_sums(&template)?;
        Ok(template)
    }
}

fn check_sums(template: &BlockTemplate) -> Result<(), TemplateError> {
    let transactions = &template.transactions;
    let (count, weight, sigops_cost) = (transactions.len(), transactions.weight(), transactions.sigops());
    if count > TEMPLATE_TRANSACTIONS_MAX || weight > template.weight_limit || sigops_cost > template.sigops_limit {
        return Err(TemplateError::TooLarge { count, weight, sigops_cost });
    }
    let fees = transactions.iter().map(|transaction| transaction.fee.to_sat()).fold(0_u64, u64::saturating_add);
    let fees = Amount::from_sat(fees);
    if template.coinbase_value < fees || template.coinbase_value > Amount::MAX_MONEY {
        let coinbase_sat = template.coinbase_value.to_sat();
        return Err(TemplateError::CoinbaseValue { coinbase_sat });
    }
    Ok(())
}

impl RawTransaction {
    fn check(self, position: usize) -> Result<TemplateTransaction, TemplateError> {
        let decoded: Transaction =
            encode::deserialize(&self.data).map_err(|source| TemplateError::Undecodable { position, source })?;
        let mismatch = |what| Err(TemplateError::Mismatch { position, what });
        if decoded.compute_txid() != self.txid {
            return mismatch("txid");
        }
        if decoded.compute_wtxid() != self.hash {
            return mismatch("hash");
        }
        if decoded.weight().to_wu() != self.weight {
            return mismatch("weight");
        }
        // bitcoind counts from 1, since the coinbase comes first.
        if !self.depends.iter().all(|one_based| (1..=position).contains(&(*one_based as usize))) {
            return Err(TemplateError::Order { position });
        }
        Ok(TemplateTransaction {
            raw: self.data.into(),
            txid: self.txid,
            wtxid: self.hash,
            fee: Amount::from_sat(self.fee),
            weight: self.weight,
            sigops_cost: self.sigops,
        })
    }
}

/// `OP_RETURN`, a push of 36 bytes, BIP-0141's marker, a hash.
fn is_witness_commitment(script: &ScriptBuf) -> bool {
    let bytes = script.as_bytes();
    bytes.len() == 38 && bytes.starts_with(&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed])
}

/// Decodes hex without an intermediate string: a template has megabytes of it.
fn hex_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    struct Hex;

    impl de::Visitor<'_> for Hex {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes in hex")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
            Vec::from_hex(text).map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Hex)
}

fn hex_array<'de, const N: usize, D: Deserializer<'de>>(d: D) -> Result<[u8; N], D::Error> {
    let bytes = hex_bytes(d)?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| de::Error::invalid_length(length, &"hex of the right length"))
}
