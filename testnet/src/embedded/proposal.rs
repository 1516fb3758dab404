//! Checks a block without proof of work (`getblocktemplate`, mode "proposal").
//!
//! The kernel library fully checks only blocks with work, so it cannot check a proposal against its coins. Its
//! context-free block check needs no work and is called last. The checks before it are made here, in bitcoind's order
//! and words: the parent, the header's context, the coinbase's height and value, the witness commitment, and that every
//! other transaction is in the pool, after its parents. Only for those are inputs, fees and signatures known to be
//! valid.

use std::collections::HashMap;

use bitcoin::absolute::{Height, LockTime, Time};
use bitcoin::consensus::encode::serialize;
use bitcoin::script::Builder;
use bitcoin::{Amount, Block, Transaction, Txid, Weight};

use super::engine::{Engine, EngineError};
use super::pool::Waiting;
use super::state::{View, now_s};
use crate::signet;

/// Seconds by which a block's time may be ahead of the clock.
const FUTURE_S_MAX: u32 = 7_200;

/// Smallest length of the output script with the witness commitment, in bytes.
const COMMITMENT_BYTES_MIN: usize = 38;

/// Returns the reason, in BIP-0022's words, why the block would be invalid on the current tip. `None` if it is valid.
///
/// # Errors
/// [`EngineError`] if the engine itself fails.
pub(super) fn judge(block: &Block, view: &View, engine: &Engine) -> Result<Option<String>, EngineError> {
    let refused = header(block, view)
        .and_then(|()| body(block))
        .and_then(|()| in_place(block, view))
        .and_then(|()| value(block, view))
        .err();
    if let Some(reason) = refused {
        return Ok(Some(reason.to_owned()));
    }
    let sound = engine.check_structure(block)?;
    Ok((!sound).then(|| "rejected".to_owned()))
}

type Check = Result<(), &'static str>;

fn require(holds: bool, reason: &'static str) -> Check {
    if holds { Ok(()) } else { Err(reason) }
}

fn header(block: &Block, view: &View) -> Check {
    let (tip, _) = view.index.tip();
    let header = &block.header;
    require(header.prev_blockhash == tip, "inconclusive-not-best-prevblk")?;
    require(header.bits == view.index.next_bits(&tip), "bad-diffbits")?;
    require(header.time > view.index.median_time(&tip), "time-too-old")?;
    require(header.time <= now_s().saturating_add(FUTURE_S_MAX), "time-too-new")?;
    require(header.version.to_consensus() >= 4, "bad-version")
}

/// Checks that need no context.
fn body(block: &Block) -> Check {
    let (coinbase, rest) = block.txdata.split_first().ok_or("bad-blk-length")?;
    require(block.check_merkle_root(), "bad-txnmrklroot")?;
    require(coinbase.is_coinbase(), "bad-cb-missing")?;
    require(!rest.iter().any(Transaction::is_coinbase), "bad-cb-multiple")?;
    let script_sig = &coinbase.input[0].script_sig;
    require((2..=100).contains(&script_sig.len()), "bad-cb-length")?;
    require(serialize(coinbase).len() != 64, "bad-cb-length")
}

/// Checks that need only the height.
fn in_place(block: &Block, view: &View) -> Check {
    let coinbase = &block.txdata[0];
    let (tip_hash, tip) = view.index.tip();
    let height = Builder::new().push_int(i64::from(tip.height) + 1).into_script();
    let script_sig = coinbase.input[0].script_sig.as_bytes();
    require(script_sig.starts_with(height.as_bytes()), "bad-cb-height")?;
    // BIP-0113: lock times are compared with the median time past.
    let height = Height::from_consensus(tip.height + 1).map_err(|_| "bad-txns-nonfinal")?;
    let time = Time::from_consensus(view.index.median_time(&tip_hash)).map_err(|_| "bad-txns-nonfinal")?;
    // The library treats a lock at the block's own height as met. Consensus does so only from the next block on.
    let unlocked = match coinbase.lock_time {
        LockTime::Blocks(lock) => lock < height,
        LockTime::Seconds(lock) => lock < time,
    };
    require(unlocked || !coinbase.is_lock_time_enabled(), "bad-txns-nonfinal")?;
    witnesses(block)?;
    require(block.weight() <= Weight::MAX_BLOCK, "bad-blk-weight")
}

/// BIP-0141: the coinbase commits to all witnesses, if there are any.
fn witnesses(block: &Block) -> Check {
    let coinbase = &block.txdata[0];
    let commitment = coinbase
        .output
        .iter()
        .rev()
        .map(|output| output.script_pubkey.as_bytes())
        .find(|script| script.len() >= COMMITMENT_BYTES_MIN && script.starts_with(&signet::COMMITMENT_START));
    let Some(commitment) = commitment else {
        // bitcoind does not check a signet's solution in a proposal. A submitted block without the commitment is
        // rejected for that.
        let inputs = block.txdata.iter().flat_map(|transaction| &transaction.input);
        let bare = inputs.into_iter().all(|input| input.witness.is_empty());
        return require(bare, "unexpected-witness");
    };
    let witness = &coinbase.input[0].witness;
    let reserved = witness.nth(0).filter(|value| witness.len() == 1 && value.len() == 32);
    let reserved = reserved.ok_or("bad-witness-nonce-size")?;
    let wtxids = block.txdata.iter().skip(1).map(Transaction::compute_wtxid);
    let expected = signet::witness_commitment(wtxids, reserved);
    require(commitment[..COMMITMENT_BYTES_MIN] == *expected.as_bytes(), "bad-witness-merkle-match")
}

/// Checks that every transaction is in the pool, parents first, and that the coinbase takes at most the subsidy and
/// their fees.
fn value(block: &Block, view: &View) -> Check {
    let waiting: HashMap<Txid, &Waiting> = view.pool.waiting().iter().map(|waiting| (waiting.txid, waiting)).collect();
    let mut earlier: Vec<Txid> = Vec::new();
    let mut fees = Amount::ZERO;
    for transaction in block.txdata.iter().skip(1) {
        let txid = transaction.compute_txid();
        let known = waiting
            .get(&txid)
            .filter(|known| known.wtxid == transaction.compute_wtxid())
            .ok_or("bad-txns-inputs-missingorspent")?;
        let after_parents =
            known.spends.iter().all(|spend| !waiting.contains_key(&spend.txid) || earlier.contains(&spend.txid));
        require(after_parents && !earlier.contains(&txid), "bad-txns-inputs-missingorspent")?;
        fees += known.fee;
        earlier.push(txid);
    }
    let (_, tip) = view.index.tip();
    let paid = block.txdata[0].output.iter().try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value));
    let paid = paid.ok_or("bad-txns-txouttotal-toolarge")?;
    require(paid <= signet::subsidy(tip.height + 1) + fees, "bad-cb-amount")
}
