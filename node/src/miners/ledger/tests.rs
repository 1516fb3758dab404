use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::{ScriptBuf, WScriptHash};
use proptest::prelude::*;
use stratum::{Account, Difficulty, Tally};

use super::{FeePart, Ledgers};
use crate::limits::LEDGERS_MAX;
use crate::miners::account::{Part, account_of};

fn script(number: u32) -> ScriptBuf {
    let mut hash = [7; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    ScriptBuf::new_p2wsh(&WScriptHash::from_byte_array(hash))
}

fn payee(number: u32) -> Account {
    Account::from(script(number).into_bytes())
}

fn split(percents: &[u8]) -> Account {
    let part = |(number, percent): (usize, &u8)| Part { script: script(number as u32), percent: *percent };
    account_of(&percents.iter().enumerate().map(part).collect::<Vec<_>>())
}

const FEE: u32 = 1_000;

fn ledgers(hundredths: u16) -> Ledgers {
    let fee = (hundredths > 0).then(|| FeePart { account: payee(FEE), hundredths });
    Ledgers { fee, ..Ledgers::default() }
}

/// Work that payees received, in hashes.
#[derive(Default)]
struct Done(std::collections::BTreeMap<Account, u128>);

impl Done {
    /// Accepts shares for a payee. Returns their work.
    fn work(&mut self, (payee, tally): &(Account, Arc<Tally>), difficulties: &[u32]) -> u128 {
        let probe = Tally::default();
        for difficulty in difficulties {
            let difficulty = Difficulty::floor(f64::from(*difficulty));
            tally.add(difficulty);
            probe.add(difficulty);
        }
        let work = probe.take();
        *self.0.entry(Arc::clone(payee)).or_default() += work;
        work
    }

    fn of(&self, payee: &Account) -> u128 {
        self.0.get(payee).copied().unwrap_or(0)
    }

    fn sum(&self) -> u128 {
        self.0.values().sum()
    }
}

/// Percentages that add up to 100.
fn percents() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1u8..100, 1..4).prop_filter_map("more than 100", |mut some| {
        let sum: u32 = some.iter().map(|percent| u32::from(*percent)).sum();
        let last = 100u32.checked_sub(sum).filter(|last| *last > 0)?;
        some.push(last as u8);
        Some(some)
    })
}

/// Shares of each job: zero to five, of any difficulty.
fn jobs() -> impl Strategy<Value = Vec<Vec<u32>>> {
    prop::collection::vec(prop::collection::vec(1u32..1_000_000, 0..6), 1..200)
}

proptest! {
    #[test]
    fn no_payee_gets_ahead_of_its_part_by_more_than_one_jobs_work(percents in percents(), jobs in jobs()) {
        let (account, mut ledgers, mut done, mut longest) = (split(&percents), ledgers(0), Done::default(), 0);
        for shares in &jobs {
            longest = longest.max(done.work(&ledgers.next(&account).unwrap(), shares));
            for (number, percent) in percents.iter().enumerate() {
                let (got, due) = (100 * done.of(&payee(number as u32)), u128::from(*percent) * done.sum());
                prop_assert!(got <= due + 100 * longest, "{percents:?}: {got} of {due}");
                if percents.len() == 2 {
                    prop_assert!(due <= got + 100 * longest, "{percents:?}: {got} of {due}");
                }
                let others = percents.len() as u128 - 1;
                prop_assert!(due <= got + 100 * longest * others, "{percents:?}: {got} of {due}");
            }
        }
    }

    /// The fee comes after the work from which it is taken.
    #[test]
    fn a_fee_never_exceeds_its_percentage(hundredths in 1u16..=1_000, percents in percents(), jobs in jobs()) {
        let (account, mut ledgers, mut done) = (split(&percents), ledgers(hundredths), Done::default());
        let mut excess = 0;
        for shares in &jobs {
            let next = ledgers.next(&account).unwrap();
            let longest = ledgers.kept[&account].longest;
            let work = done.work(&next, shares);
            if next.0 == payee(FEE) {
                // A job for the fee may be longer than the recent jobs. The miner works off the excess before the next
                // one.
                excess = work.saturating_sub(longest).max(excess);
            }
            let (got, due) = (10_000 * done.of(&payee(FEE)), u128::from(hundredths) * done.sum());
            prop_assert!(got <= due + 10_000 * excess, "{got} of {due}");
        }
    }

    /// Jobs of about the same length, as in a pool: then there is no excess, and the fee is paid.
    #[test]
    fn a_fee_is_paid_and_stays_below_its_percentage(hundredths in 1u16..=1_000, difficulty in 1u32..1_000_000, count in 1usize..3_000) {
        let (account, mut ledgers, mut done) = (payee(1), ledgers(hundredths), Done::default());
        let mut one = 0;
        for _ in 0..count {
            one = done.work(&ledgers.next(&account).unwrap(), &[difficulty]);
            let (got, due) = (10_000 * done.of(&payee(FEE)), u128::from(hundredths) * done.sum());
            prop_assert!(got <= due && due < got + 2 * 10_000 * one, "{got} of {due}");
        }
        prop_assert!(one > 0);
    }
}

/// A miner that recognizes jobs for the fee and does not work on them gets no other job until it has worked off the
/// debt.
#[test]
fn a_miner_that_ignores_jobs_of_the_fee_gets_no_others() {
    let (account, mut ledgers, mut done) = (payee(1), ledgers(200), Done::default());
    let mut next = ledgers.next(&account).unwrap();
    while next.0 != payee(FEE) {
        done.work(&next, &[1_000]);
        next = ledgers.next(&account).unwrap();
    }
    for _ in 0..100 {
        next = ledgers.next(&account).unwrap();
        assert_eq!(next.0, payee(FEE));
    }
    // Continuing with an old job does not help, either: its work adds to the debt.
    let old = ledgers.kept[&account].entries[0].tally.clone();
    for _ in 0..200 {
        old.add(Difficulty::floor(1_000.0));
        assert_eq!(ledgers.next(&account).unwrap().0, payee(FEE));
    }
    done.work(&next, &[1_000; 2]);
    assert_eq!(ledgers.next(&account).unwrap().0, payee(FEE), "the debt is greater by now");
    done.work(&next, &[1_000; 3]);
    assert_eq!(ledgers.next(&account).unwrap().0, payee(1));
}

#[test]
fn accounts_that_share_nothing_have_no_ledger_and_ledgers_are_bounded() {
    assert!(ledgers(0).next(&payee(1)).is_none());
    assert!(ledgers(100).next(&payee(FEE)).is_none(), "the owner pays himself no fee");
    assert!(ledgers(100).next(&Account::default()).is_none());
    let mut ledgers = ledgers(100);
    for number in 0..LEDGERS_MAX as u32 + 10 {
        assert!(number == FEE || ledgers.next(&payee(number)).is_some());
        ledgers.next(&payee(0));
    }
    assert!((LEDGERS_MAX / 2..=LEDGERS_MAX).contains(&ledgers.kept.len()));
    assert!(ledgers.kept.contains_key(&payee(0)) && !ledgers.kept.contains_key(&payee(1)));
}

/// When others log in with one account after another, no payee of a split loses its part, and no one avoids a fee.
#[test]
fn a_flood_of_logins_forgets_no_ledger_with_work() {
    let (account, mut ledgers, mut done) = (split(&[70, 30]), ledgers(0), Done::default());
    let mut flooded = 1;
    for _ in 0..10 {
        done.work(&ledgers.next(&account).unwrap(), &[1_000]);
        for _ in 0..=LEDGERS_MAX {
            flooded += 1;
            let stranger = account_of(&[
                Part { script: script(flooded), percent: 50 },
                Part { script: script(flooded + 1), percent: 50 },
            ]);
            ledgers.next(&stranger).unwrap();
        }
        assert!(ledgers.kept.len() <= LEDGERS_MAX);
    }
    assert_eq!((10 * done.of(&payee(0)), 10 * done.of(&payee(1))), (7 * done.sum(), 3 * done.sum()));
}
