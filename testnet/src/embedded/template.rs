//! Block templates, built before they are requested.

use std::collections::HashMap;

use bitcoin::{Amount, BlockHash, Target, Txid, Weight};
use serde_json::{Map, Value, json};

use super::index::Index;
use super::pool::{Pool, Waiting};
use crate::signet;

/// Consensus limit of the signature operation cost of a block.
pub(super) const SIGOPS_MAX: usize = 80_000;

/// The top bits of BIP-0009, with no signal.
const VERSION: i32 = 0x2000_0000;

/// A template for the next block. Only its time is left open.
#[derive(Debug)]
pub(super) struct Template {
    /// Hash of the block it builds on.
    pub tip: BlockHash,
    /// Version of the pool that it holds.
    pub pool_version: u64,
    /// Earliest time of the block, in seconds since the Unix epoch.
    pub min_time: u32,
    /// The answer to `getblocktemplate`, without `curtime`.
    fields: Map<String, Value>,
}

impl Template {
    /// Builds the template on the active tip with all unconfirmed transactions.
    pub(super) fn build(index: &Index, pool: &Pool) -> Self {
        let (tip, entry) = index.tip();
        let height = entry.height + 1;
        let bits = index.next_bits(&tip);
        let min_time = index.min_time(&tip);
        let fees: Amount = pool.waiting().iter().map(|waiting| waiting.fee).sum();
        let wtxids = pool.waiting().iter().map(|waiting| waiting.wtxid);
        let commitment = signet::witness_commitment(wtxids, &signet::RESERVED_VALUE);
        let fields = json!({
            "capabilities": ["proposal"],
            "version": VERSION,
            "rules": ["csv", "!segwit", "!signet", "taproot"],
            "vbavailable": {},
            "vbrequired": 0,
            "previousblockhash": tip.to_string(),
            "transactions": transactions(pool.waiting()),
            "coinbaseaux": {},
            "coinbasevalue": (signet::subsidy(height) + fees).to_sat(),
            "longpollid": format!("{tip}{}", pool.version()),
            "target": hex_target(Target::from_compact(bits)),
            "mintime": min_time,
            "mutable": ["time", "transactions", "prevblock"],
            "noncerange": "00000000ffffffff",
            "sigoplimit": SIGOPS_MAX,
            "sizelimit": 4_000_000,
            "weightlimit": Weight::MAX_BLOCK.to_wu(),
            "bits": format!("{:08x}", bits.to_consensus()),
            "height": height,
            "signet_challenge": signet::CHALLENGE_HEX,
            "default_witness_commitment": commitment.to_hex_string(),
        });
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self { tip, pool_version: pool.version(), min_time, fields }
    }

    /// Returns the answer to `getblocktemplate` at the time `now_s`.
    pub(super) fn answer(&self, now_s: u32) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("curtime".to_owned(), json!(now_s.max(self.min_time)));
        Value::Object(fields)
    }
}

fn transactions(waiting: &[Waiting]) -> Vec<Value> {
    let position: HashMap<Txid, usize> =
        waiting.iter().zip(1..).map(|(waiting, position)| (waiting.txid, position)).collect();
    let depends = |waiting: &Waiting| -> Vec<usize> {
        waiting.spends.iter().filter_map(|spend| position.get(&spend.txid).copied()).collect()
    };
    let entry = |waiting: &Waiting| {
        json!({
            "data": waiting.hex,
            "txid": waiting.txid.to_string(),
            "hash": waiting.wtxid.to_string(),
            "depends": depends(waiting),
            "fee": waiting.fee.to_sat(),
            "sigops": waiting.sigops,
            "weight": waiting.weight,
        })
    };
    waiting.iter().map(entry).collect()
}

/// Formats a target like bitcoind: most significant digits first.
pub(super) fn hex_target(target: Target) -> String {
    format!("{target:x}")
}
