//! Snapshot, window, selection and amounts, computed again from the book in the words of the specification, without the
//! share-chain's shortcuts.

use std::collections::BTreeMap;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::{BlockHash, ScriptBuf};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::{ChainParams, ShareId, U256, Weight};

use super::book::Book;

/// The weight of each script.
pub(super) type Dues = BTreeMap<ScriptBuf, Weight>;

/// SC-303: returns the dues of the window that ends in `newest`. `None` if a link of the window is not recorded.
#[must_use]
pub(super) fn window(book: &Book, newest: &ShareId) -> Option<Dues> {
    book.page(newest)?;
    let params = book.params();
    let (mut dues, mut total, mut proofs) = (Dues::new(), 0_u128, 0_u64);
    for (_, page) in book.branch(newest) {
        for (script, weight) in &page.earned {
            let due = dues.entry(script.clone()).or_default();
            *due = due.plus(*weight);
            total += weight.0;
        }
        proofs += page.credited;
        if total >= params.window_weight.0 || proofs >= params.window_proofs {
            break;
        }
    }
    dues.retain(|_, weight| *weight > Weight::ZERO);
    Some(dues)
}

/// What the payouts of proofs with one parent and previous block follow from.
struct Plan {
    /// The dues; nobody is due anything if only the finder is paid.
    dues: Dues,
    seed: [u8; 32],
    subsidy_sat: u64,
}

/// `None` if a link is not recorded.
fn plan(book: &Book, bitcoin: &BitcoinHeaders, parent: &ShareId, previous: &BlockHash) -> Option<Plan> {
    let params = book.params();
    let height = bitcoin.get(previous)?.height;
    let snapshot = book.snapshot(bitcoin, parent, previous)?;
    let (snapshot, page) = book.branch(parent).find(|(_, page)| page.height == snapshot)?;
    let is_early = page.credited_total < params.listed_before_payouts;
    let dues = if is_early { Dues::new() } else { window(book, &snapshot)? };
    let seed = bitcoin.ancestor(previous, height.saturating_sub(params.seed_depth))?;
    let subsidy_sat = params.bitcoin.subsidy_sat(height + 1);
    Some(Plan { dues, seed: seed.to_byte_array(), subsidy_sat })
}

/// Returns the payments that a coinbase of `value_sat` with this parent and previous block must make, in satoshi.
/// `None` if a link is not recorded.
#[must_use]
pub(super) fn payouts(
    book: &Book,
    bitcoin: &BitcoinHeaders,
    parent: &ShareId,
    previous: &BlockHash,
    finder: &ScriptBuf,
    value_sat: u64,
) -> Option<BTreeMap<ScriptBuf, u64>> {
    let Plan { dues, seed, subsidy_sat } = plan(book, bitcoin, parent, previous)?;
    if dues.is_empty() {
        return Some(BTreeMap::from([(finder.clone(), value_sat)]));
    }
    let (_, outputs) = select(dues, &seed, subsidy_sat, book.params())?;
    Some(amounts(&outputs, value_sat))
}

/// Returns the dues that a link with this parent and previous block pays by, in the order of the coinbase: the exact ones,
/// then all others in the order of the lottery. `None` if a link is not recorded.
#[must_use]
pub(super) fn dues_in_order(
    book: &Book,
    bitcoin: &BitcoinHeaders,
    parent: &ShareId,
    previous: &BlockHash,
) -> Option<Vec<(ScriptBuf, u128)>> {
    let Plan { dues, seed, subsidy_sat } = plan(book, bitcoin, parent, previous)?;
    if dues.is_empty() {
        return Some(Vec::new());
    }
    let (exact, _) = select(dues.clone(), &seed, subsidy_sat, book.params())?;
    let mut ordered = ranked(dues);
    let rest = ordered.split_off(exact);
    ordered.extend(line(&rest, &seed).into_iter().map(|(_, script, weight)| (script.clone(), weight)));
    Some(ordered)
}

/// The dues, largest first.
fn ranked(dues: Dues) -> Vec<(ScriptBuf, u128)> {
    let mut dues: Vec<(ScriptBuf, u128)> = dues.into_iter().map(|(script, weight)| (script, weight.0)).collect();
    dues.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.as_bytes().cmp(other.0.as_bytes())));
    dues
}

/// SC-305 to SC-307: selects the scripts to pay and their proportions. The first number of them is paid exactly.
fn select(
    dues: Dues,
    seed: &[u8; 32],
    subsidy_sat: u64,
    params: &ChainParams,
) -> Option<(usize, Vec<(ScriptBuf, u128)>)> {
    let dues = ranked(dues);
    let sum: u128 = dues.iter().map(|(_, weight)| weight).sum();
    for outputs in (1..=params.outputs_max.min(dues.len())).rev() {
        let (exact, tail, total) =
            if outputs == dues.len() { (outputs, dues.last()?.1, sum) } else { split(&dues, outputs) };
        let worth =
            U256::from(subsidy_sat) * U256::from(tail) >= U256::from(params.output_floor_sat) * U256::from(total);
        if outputs == 1 || worth {
            let drawn = draw(&dues[exact..], seed, tail, outputs - exact);
            let paid = dues[..exact].iter().cloned().chain(drawn.into_iter().map(|script| (script, tail)));
            return Some((exact, paid.collect()));
        }
    }
    None
}

/// Splits the dues if there are fewer outputs: the number of exact dues, the payment of each other output, and the sum
/// of all.
fn split(dues: &[(ScriptBuf, u128)], outputs: usize) -> (usize, u128, u128) {
    let mut exact = 0;
    loop {
        let rest: u128 = dues[exact..].iter().map(|(_, weight)| weight).sum();
        let payments = (outputs - exact) as u128;
        if rest >= payments * dues[exact].1 {
            let before: u128 = dues[..exact].iter().map(|(_, weight)| weight).sum();
            return (exact, rest / payments, before + rest / payments * payments);
        }
        exact += 1;
    }
}

/// A hash of the lottery.
fn lottery_hash(seed: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    let tag = sha256::Hash::hash(b"shoal/draw").to_byte_array();
    let key = sha256::Hash::hash(&[&tag[..], &tag, seed].concat()).to_byte_array();
    sha256::Hash::hash(&[&key[..], &key, bytes].concat()).to_byte_array()
}

/// The dues in the order of the lottery, each behind the hash that places it.
fn line<'a>(rest: &'a [(ScriptBuf, u128)], seed: &[u8; 32]) -> Vec<([u8; 32], &'a ScriptBuf, u128)> {
    let place = |script: &ScriptBuf| lottery_hash(seed, script.as_bytes());
    let mut line: Vec<_> = rest.iter().map(|(script, weight)| (place(script), script, *weight)).collect();
    line.sort();
    line
}

/// Draws the scripts that win the payments of the tail.
fn draw(rest: &[(ScriptBuf, u128)], seed: &[u8; 32], tail: u128, payments: usize) -> Vec<ScriptBuf> {
    let random = lottery_hash(seed, b"")[..16].iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let product: U256 = U256::from(random) * U256::from(tail);
    let first = u128::from_le_bytes(product.to_le_bytes::<32>()[16..].try_into().unwrap_or_default());
    let points: Vec<u128> = (0..payments as u128).map(|number| first + number * tail).collect();
    let mut won = Vec::new();
    let mut start = 0;
    for (_, script, weight) in line(rest, seed) {
        if points.iter().any(|point| (start..start + weight).contains(point)) {
            won.push(script.clone());
        }
        start += weight;
    }
    won
}

/// SC-308: returns the amount of each output.
fn amounts(outputs: &[(ScriptBuf, u128)], value_sat: u64) -> BTreeMap<ScriptBuf, u64> {
    let total: u128 = outputs.iter().map(|(_, weight)| weight).sum();
    let part =
        |weight: u128| u64::try_from(U256::from(value_sat) * U256::from(weight) / U256::from(total)).unwrap_or(0);
    let parts: Vec<u64> = outputs.iter().map(|(_, weight)| part(*weight)).collect();
    let left_sat = value_sat - parts.iter().sum::<u64>();
    let mut paid = BTreeMap::new();
    for (index, ((script, _), part_sat)) in outputs.iter().zip(parts).enumerate() {
        *paid.entry(script.clone()).or_default() += part_sat + if index == 0 { left_sat } else { 0 };
    }
    paid.retain(|_, paid_sat| *paid_sat > 0);
    paid
}

#[cfg(test)]
mod tests;
