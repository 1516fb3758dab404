//! The pool of unconfirmed transactions.

use std::collections::HashSet;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, Block, OutPoint, Txid, Wtxid};

use crate::limits::POOL_TRANSACTIONS_MAX;
use crate::wallet::Spend;

/// An unconfirmed transaction with the facts that a template needs.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// Its bytes in hexadecimal.
    pub hex: String,
    /// Its id without witness.
    pub txid: Txid,
    /// Its id with witness.
    pub wtxid: Wtxid,
    /// Inputs minus outputs.
    pub fee: Amount,
    /// Cost in signature operations.
    pub sigops: usize,
    /// Weight in weight units.
    pub weight: u64,
    /// The outputs that it spends.
    pub spends: Vec<OutPoint>,
}

/// The pool, parents before children.
#[derive(Debug, Default)]
pub(super) struct Pool {
    waiting: Vec<Waiting>,
    /// Number of changes. It is part of the long poll's id.
    version: u64,
}

impl Pool {
    /// Adds one of the wallet's transactions, unless the pool is full.
    pub(super) fn add(&mut self, spend: &Spend) {
        if self.waiting.len() >= POOL_TRANSACTIONS_MAX {
            return;
        }
        let transaction = &spend.transaction;
        self.waiting.push(Waiting {
            hex: serialize_hex(transaction),
            txid: transaction.compute_txid(),
            wtxid: transaction.compute_wtxid(),
            fee: spend.fee,
            sigops: spend.sigops,
            weight: transaction.weight().to_wu(),
            spends: transaction.input.iter().map(|input| input.previous_output).collect(),
        });
        self.version += 1;
    }

    /// Removes the transactions of a connected block, and those that conflict with it.
    pub(super) fn connect(&mut self, block: &Block) {
        let mut gone: HashSet<Txid> = block.txdata.iter().map(|tx| tx.compute_txid()).collect();
        let spent: HashSet<OutPoint> =
            block.txdata.iter().flat_map(|tx| tx.input.iter().map(|input| input.previous_output)).collect();
        let mined = gone.clone();
        self.waiting.retain(|waiting| {
            let conflicts = waiting
                .spends
                .iter()
                .any(|spend| spent.contains(spend) || (gone.contains(&spend.txid) && !mined.contains(&spend.txid)));
            let stays = !mined.contains(&waiting.txid) && !conflicts;
            if !stays {
                gone.insert(waiting.txid);
            }
            stays
        });
        self.version += 1;
    }

    /// Drops all transactions, as after a reorganization.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.version += 1;
    }

    /// Returns the unconfirmed transactions, parents before children.
    pub(super) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// Returns the number of changes.
    pub(super) fn version(&self) -> u64 {
        self.version
    }
}

#[cfg(test)]
mod tests;
