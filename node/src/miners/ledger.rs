//! Shares a miner's work between its payees: decides whom its next job pays. It counts accepted work, and uses neither
//! a clock nor randomness.
//!
//! A device works on one job at a time, and a job pays one script. So the work is shared over time: each new job pays
//! the payee that has received the least of what it is due. No payee is ever ahead of its part by more than one job's
//! work. The owner's fee waits until a whole job is due, so that it stays below its percentage.

use std::collections::HashMap;
use std::sync::Arc;

use stratum::{Account, Tally};

use super::account::{Part, account_of, parts_of};
use crate::limits::LEDGERS_MAX;

/// Sum of the weights of a ledger: hundredths of a percent of a percentage.
const WHOLE: u64 = 1_000_000;
/// Hundredths of a percent in a whole.
const FEE_WHOLE: u64 = 10_000;
/// The longest job decays by this part with each job, so that one unusual job does not delay the fee forever.
const FORGET: u128 = 64;

/// Part of the work that the node's owner takes.
#[derive(Clone, Debug)]
pub(super) struct FeePart {
    /// The owner's account.
    pub(super) account: Account,
    /// Hundredths of a percent.
    pub(super) hundredths: u16,
}

/// A payee of a ledger.
#[derive(Debug)]
struct Entry {
    account: Account,
    /// Part of [`WHOLE`].
    weight: u64,
    tally: Arc<Tally>,
    /// Work that it is due less the work that it received, in expected hashes times [`WHOLE`]. The sum over all payees is 0.
    due: i128,
}

/// The accepted work of one account, by payee.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    /// The owner's fee. A payee with the owner's address has its own entry, so that the fee is charged in full.
    fee: Option<Entry>,
    /// Work of the longest recent job, in expected hashes.
    longest: u128,
    /// The turn of the last job.
    used: u64,
}

impl Ledger {
    /// Creates the ledger of an account. `None` if all its work pays one script.
    fn new(account: &[u8], fee: Option<&FeePart>) -> Option<Self> {
        let parts = parts_of(account);
        let fee = fee.filter(|fee| *fee.account != *account && fee.hundredths > 0);
        if parts.len() < 2 && fee.is_none() {
            return None;
        }
        let taken = fee.map_or(0, |fee| u64::from(fee.hundredths));
        let entry = |account, weight| Entry { account, weight, tally: Arc::default(), due: 0 };
        let entries = parts.into_iter().map(|Part { script, percent }| {
            let weight = u64::from(percent) * (FEE_WHOLE - taken);
            entry(account_of(&[Part { script, percent: 100 }]), weight)
        });
        let entries = entries.collect();
        let fee = fee.map(|fee| entry(Arc::clone(&fee.account), 100 * taken));
        Some(Self { entries, fee, longest: 0, used: 0 })
    }

    /// Decides whom the next job pays.
    fn next(&mut self) -> (Account, Arc<Tally>) {
        let done: Vec<u128> = self.all().map(|entry| entry.tally.take()).collect();
        let sum = done.iter().fold(0u128, |sum, done| sum.saturating_add(*done));
        for (entry, done) in self.all().zip(done) {
            let due = signed(sum.saturating_mul(entry.weight.into()));
            let received = signed(done.saturating_mul(WHOLE.into()));
            entry.due = entry.due.saturating_add(due).saturating_sub(received);
        }
        self.longest = sum.max(self.longest - self.longest / FORGET);
        let whole_job = signed(self.longest.saturating_mul(WHOLE.into())).max(1);
        let fee = self.fee.as_ref().filter(|fee| fee.due >= whole_job);
        // The first payee among those with the most due.
        let most = || self.entries.iter().rev().max_by_key(|entry| entry.due);
        let next = fee.or_else(most).or(self.fee.as_ref());
        next.map(|entry| (Arc::clone(&entry.account), Arc::clone(&entry.tally))).unwrap_or_default()
    }

    /// Rank for removal: ledgers without work go first, least recently used before others. A login costs nothing.
    fn rank(&self) -> (bool, u64) {
        let works = || self.entries.iter().chain(&self.fee).any(|entry| !entry.tally.is_empty());
        (self.longest > 0 || works(), self.used)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().chain(&mut self.fee)
    }
}

fn signed(work: u128) -> i128 {
    i128::try_from(work).unwrap_or(i128::MAX)
}

/// The ledgers of all accounts that share their work. They outlive connections, so that reconnecting gains nothing; a
/// restart of the node loses them, and with them less than two jobs' work.
#[derive(Debug, Default)]
pub(super) struct Ledgers {
    pub(super) fee: Option<FeePart>,
    kept: HashMap<Account, Ledger>,
    turn: u64,
}

impl Ledgers {
    /// Decides whom the account's next job pays. `None` if all its work pays the account itself. If there are
    /// [`LEDGERS_MAX`] ledgers, a part of them is dropped.
    pub(super) fn next(&mut self, account: &Account) -> Option<(Account, Arc<Tally>)> {
        if account.is_empty() {
            return None;
        }
        if !self.kept.contains_key(account) {
            let ledger = Ledger::new(account, self.fee.as_ref())?;
            if self.kept.len() >= LEDGERS_MAX {
                self.make_room();
            }
            self.kept.insert(Arc::clone(account), ledger);
        }
        self.turn += 1;
        let ledger = self.kept.get_mut(account)?;
        ledger.used = self.turn;
        Some(ledger.next())
    }

    /// Drops a sixteenth of the ledgers at a time, so that a flood of logins does not search all of them each time.
    fn make_room(&mut self) {
        let mut ranks: Vec<_> = self.kept.values().map(Ledger::rank).collect();
        ranks.sort_unstable();
        if let Some(last) = ranks.get(ranks.len() / 16) {
            self.kept.retain(|_, ledger| ledger.rank() > *last);
        }
    }
}

#[cfg(test)]
mod tests;
