//! A wallet that fills the test network's templates with transactions.
//!
//! It is pure: blocks go in, signed transactions come out. So the same wallet feeds the embedded Bitcoin and, through
//! [`feed`], a real bitcoind. Every third transaction spends an unconfirmed one, so that templates have dependent
//! transactions.

pub mod feed;
mod keys;
mod sign;

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{Amount, Block, OutPoint, ScriptBuf, Transaction, TxOut};

pub use self::keys::{KEY_COUNT, Key, Keys};
pub use self::sign::Spend;
use crate::limits::{WALLET_CHAIN_MAX, WALLET_COINS_MAX};
use crate::signet::COINBASE_MATURITY;

/// Smallest coin worth spending, in satoshi: well above dust after any fee of this wallet.
const COIN_SAT_MIN: u64 = 100_000;

/// An output that the wallet can spend.
#[derive(Debug, Clone)]
struct Coin {
    value: Amount,
    key: usize,
    /// First height of a block that may spend it. 0 while it is unconfirmed.
    spendable_from: u32,
    /// Number of unconfirmed transactions it depends on, including its own.
    unconfirmed: u32,
}

/// The coins of the fixed keys, according to the blocks shown to the wallet.
#[derive(Debug)]
pub struct Wallet {
    keys: Keys,
    coins: BTreeMap<OutPoint, Coin>,
    /// Outputs that its own unconfirmed transactions spend.
    spent: BTreeSet<OutPoint>,
    /// Height of the last block shown.
    height: u32,
    /// Number of transactions created, which varies amounts and fee rates.
    made: u64,
}

impl Default for Wallet {
    fn default() -> Self {
        Self::new()
    }
}

impl Wallet {
    /// Creates a wallet that has seen no block.
    pub fn new() -> Self {
        Self { keys: Keys::derive(), coins: BTreeMap::new(), spent: BTreeSet::new(), height: 0, made: 0 }
    }

    /// Returns the script of the key with this number: a P2WPKH script that miners can be paid to.
    pub fn script(&self, index: usize) -> ScriptBuf {
        self.keys.get(index).script.clone()
    }

    /// Returns the height of the last block shown.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Adds a block of the active chain. After a reorganization, create a new wallet and show it the whole chain. The
    /// test network's chains are short.
    pub fn connect(&mut self, height: u32, block: &Block) {
        for transaction in &block.txdata {
            for input in &transaction.input {
                self.coins.remove(&input.previous_output);
                self.spent.remove(&input.previous_output);
            }
            let wait = if transaction.is_coinbase() { COINBASE_MATURITY } else { 1 };
            self.add_outputs(transaction, height.saturating_add(wait), 0);
        }
        self.height = height;
    }

    /// Creates the next transaction. `None` if no coin can be spent.
    pub fn spend(&mut self) -> Option<Spend> {
        let inputs = self.choose_inputs()?;
        Some(self.spend_coins(inputs))
    }

    /// Creates a transaction that spends the largest coin, confirmed or not. `None` if no coin can be spent.
    pub fn spend_largest(&mut self) -> Option<Spend> {
        let next_height = self.height.saturating_add(1);
        let usable = self.worth_spending().filter(|(_, coin)| coin.spendable_from <= next_height);
        let largest = *usable.max_by_key(|(_, coin)| coin.value)?.0;
        Some(self.spend_coins(vec![largest]))
    }

    fn spend_coins(&mut self, inputs: Vec<OutPoint>) -> Spend {
        let spent: Vec<(OutPoint, Coin)> = inputs
            .into_iter()
            .filter_map(|outpoint| self.coins.remove(&outpoint).map(|coin| (outpoint, coin)))
            .collect();
        let unconfirmed = spent.iter().map(|(_, coin)| coin.unconfirmed).max().unwrap_or(0);
        let coins: Vec<(OutPoint, TxOut, usize)> =
            spent.iter().map(|(outpoint, coin)| (*outpoint, self.output(coin.value, coin.key), coin.key)).collect();
        self.spent.extend(spent.iter().map(|(outpoint, _)| *outpoint));
        let spend = sign::build(&self.keys, &coins, self.made);
        self.add_outputs(&spend.transaction, 0, unconfirmed.saturating_add(1));
        self.made = self.made.wrapping_add(1);
        spend
    }

    /// Creates a transaction that spends a confirmed coin to one output with this script, which may be any. `None` if no
    /// coin can be spent.
    pub fn spend_to(&mut self, script_pubkey: ScriptBuf) -> Option<Spend> {
        let next_height = self.height.saturating_add(1);
        let is_usable = |coin: &Coin| coin.unconfirmed == 0 && coin.spendable_from <= next_height;
        let outpoint = *self.worth_spending().find(|(_, coin)| is_usable(coin))?.0;
        let Coin { value, key, .. } = self.coins.remove(&outpoint)?;
        self.spent.insert(outpoint);
        let output = TxOut { value: value - Amount::from_sat(COIN_SAT_MIN / 2), script_pubkey };
        Some(sign::signed(&self.keys, &[(outpoint, self.output(value, key), key)], vec![output]))
    }

    /// Creates a transaction that spends the largest coin and leaves this fee. `None` if no coin is larger than the fee.
    pub fn spend_paying(&mut self, fee: Amount) -> Option<Spend> {
        let outpoint = *self.worth_spending().max_by_key(|(_, coin)| coin.value)?.0;
        let rest = self.coins.get(&outpoint)?.value.checked_sub(fee)?;
        let Coin { value, key, .. } = self.coins.remove(&outpoint)?;
        self.spent.insert(outpoint);
        let output = self.output(rest, key);
        Some(sign::signed(&self.keys, &[(outpoint, self.output(value, key), key)], vec![output]))
    }

    /// Chooses one coin to split, or two to join if there are many.
    fn choose_inputs(&self) -> Option<Vec<OutPoint>> {
        let confirmed = || {
            let next_height = self.height.saturating_add(1);
            self.worth_spending().filter(move |(_, coin)| coin.unconfirmed == 0 && coin.spendable_from <= next_height)
        };
        let chained = || {
            self.worth_spending()
                .filter(|(_, coin)| (1..WALLET_CHAIN_MAX).contains(&coin.unconfirmed))
                .max_by_key(|(_, coin)| coin.unconfirmed)
        };
        if self.coins.len() > WALLET_COINS_MAX {
            let pair: Vec<OutPoint> = confirmed().take(2).map(|(outpoint, _)| *outpoint).collect();
            return (!pair.is_empty()).then_some(pair);
        }
        let first = if self.made % 3 == 2 { chained() } else { None };
        first.or_else(|| confirmed().next()).map(|(outpoint, _)| vec![*outpoint])
    }

    fn worth_spending(&self) -> impl Iterator<Item = (&OutPoint, &Coin)> {
        self.coins.iter().filter(|(_, coin)| coin.value.to_sat() >= COIN_SAT_MIN)
    }

    fn add_outputs(&mut self, transaction: &Transaction, spendable_from: u32, unconfirmed: u32) {
        let txid = transaction.compute_txid();
        for (vout, output) in (0_u32..).zip(&transaction.output) {
            let outpoint = OutPoint { txid, vout };
            // A block may confirm a parent whose child is still unconfirmed. That output is spent nevertheless.
            if self.spent.contains(&outpoint) {
                continue;
            }
            if let Some(key) = self.keys.position(&output.script_pubkey) {
                self.coins.insert(outpoint, Coin { value: output.value, key, spendable_from, unconfirmed });
            }
        }
    }

    fn output(&self, value: Amount, key: usize) -> TxOut {
        TxOut { value, script_pubkey: self.script(key) }
    }
}

#[cfg(test)]
mod tests;
