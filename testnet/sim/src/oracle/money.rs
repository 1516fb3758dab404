//! Conservation of money: each block that the pool found pays all it may, and pays each script what it is due.

use std::collections::BTreeMap;

use bitcoin::{BlockHash, ScriptBuf};
use sharechain::ShareId;
use sharechain::bitcoin_headers::BitcoinHeaders;

use super::book::Book;
use super::payout::payouts;
use super::{Finding, Oracle};
use crate::full::node::SimNode;
use crate::full::surroundings::Surroundings;
use crate::plant::Plant;

/// Number of the pool's blocks checked so far.
#[derive(Debug, Default)]
pub(super) struct Money {
    checked: usize,
}

impl Money {
    /// Checks the blocks that this node found since the last call.
    ///
    /// # Errors
    /// If a block pays too little, or the wrong scripts.
    pub(super) fn check(
        &mut self,
        book: &Book,
        node: &SimNode,
        surroundings: &Surroundings,
        plant: Option<Plant>,
    ) -> Result<(), Finding> {
        let new = surroundings.bitcoin.found().get(self.checked..).unwrap_or_default();
        self.checked += new.len();
        new.iter().try_for_each(|hash| check_block(hash, book, node, surroundings, plant))
    }
}

/// Checks the payments that a node would put into the next block.
///
/// # Errors
/// If it would pay the wrong scripts.
pub(super) fn check_next(book: &Book, node: &mut SimNode, bitcoin: &BitcoinHeaders) -> Result<(), Finding> {
    const VALUE_SAT: u64 = 5_000_000_007;
    let previous = node.bitcoind().tip();
    let Some(chain) = node.chain_mut() else { return Ok(()) };
    let tip = chain.tip();
    let finder = ScriptBuf::new();
    let Ok(outputs) = chain.payouts(&tip, &previous, VALUE_SAT, &finder) else { return Ok(()) };
    let mut paid = BTreeMap::new();
    for output in outputs.into_iter().filter(|output| output.value.to_sat() > 0) {
        *paid.entry(output.script_pubkey).or_default() += output.value.to_sat();
    }
    let due = payouts(book, bitcoin, &tip, &previous, &finder, VALUE_SAT);
    if due.as_ref().is_none_or(|due| *due == paid) {
        return Ok(());
    }
    Err(Oracle::Money.finds(format!("a block on link {tip} would pay {paid:?}, and {due:?} is due")))
}

fn check_block(
    hash: &BlockHash,
    book: &Book,
    node: &SimNode,
    surroundings: &Surroundings,
    plant: Option<Plant>,
) -> Result<(), Finding> {
    let (Some(block), Some(chain)) = (surroundings.bitcoin.block(hash), node.chain()) else { return Ok(()) };
    let Some(paid) = &block.paid else { return Ok(()) };
    let total_sat = paid.total_sat() - u64::from(plant == Some(Plant::LostSatoshi));
    if total_sat != paid.value_sat {
        let what = format!("block {hash} pays {total_sat} sat of {} sat", paid.value_sat);
        return Err(Oracle::Money.finds(what));
    }
    // A strategy's private branch is not in the book, and takes no other miner's money.
    let Some(credit) = chain.credit(&ShareId::from(*hash)) else { return Ok(()) };
    let Some(finder) = chain.scripts().script(credit.script) else { return Ok(()) };
    let previous = &block.header.prev_blockhash;
    let headers = surroundings.bitcoin.headers();
    let due = payouts(book, headers, &credit.parent, previous, &finder.to_owned(), paid.value_sat);
    match due {
        Some(due) if due != paid.scripts => {
            let what = format!("block {hash} pays {:?}, and {due:?} is due", paid.scripts);
            Err(Oracle::Money.finds(what))
        }
        _ => Ok(()),
    }
}
