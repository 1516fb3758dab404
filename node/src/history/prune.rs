//! Removes rows of other miners below the oldest link that the node keeps, and steps that are too short for their age:
//! a bounded number of rows at a time, in endless passes.
//!
//! | rows                              | removed                                                        |
//! |-----------------------------------|----------------------------------------------------------------|
//! | shares and steps of other miners  | before the time of the oldest kept link                        |
//! | links that list their shares      | below its height                                               |
//! | links off the main chain          | once no branch can bring them back                             |
//! | steps of the pool, of own miners  | a minute after 14 days, ten minutes after 90, an hour after 730 |
//!
//! Shares of own miners, steps of a day, payouts and the work up to each Bitcoin block stay.

use sharechain::Height;
use sharechain::chain::Chain;

use super::keys::{self, EFFORT, LISTED, PAYEE_STEP, POOL_STEP, PayeeKey, REMOVED, SHARE};
use super::own::OwnPayees;
use super::rows::{Effort, ListedEntry, Removed, ShareEntry, from_json, to_json};
use crate::store::{Store, StoreError};

/// How long steps of each length are kept, seconds: at most 20,160, 12,960 and 17,520 of them. Longer steps stay.
const STEPS_KEPT_S: [(u32, u32); 3] = [(60, 14 * 86_400), (600, 90 * 86_400), (3_600, 730 * 86_400)];

/// How long steps of a length are kept, seconds; none means forever.
pub(super) fn step_kept_s(step_s: u32) -> Option<u32> {
    STEPS_KEPT_S.iter().find(|(length, _)| *length == step_s).map(|(_, kept)| *kept)
}

/// Confirmations after which the node records permanently whether a Bitcoin block is in the chain with the most work.
const NOTED_CONFIRMATIONS: u32 = 144;

/// Records which Bitcoin blocks of the pool are in the chain with the most work, while the chain still knows.
///
/// # Errors
/// The disk fails.
pub(super) fn note_blocks(store: &Store, chain: &Chain) -> Result<(), StoreError> {
    let (headers, best) = (chain.bitcoin(), chain.bitcoin().best());
    let from = keys::key(EFFORT, &[&headers.root().height.to_be_bytes()]);
    let mut noted = Vec::new();
    for row in store.history_up(&[EFFORT], &from) {
        let (key, value) = row?;
        let Some((height, id)) = keys::height_and_id(&key) else { continue };
        if height.saturating_add(NOTED_CONFIRMATIONS) > best.height {
            break;
        }
        let Some(effort) = from_json::<Effort>(&value).filter(|effort| effort.in_chain.is_none()) else { continue };
        let in_chain = headers.ancestor(&best.header.block_hash(), height) == Some(id.block_hash());
        noted.push((key, to_json(&Effort { in_chain: Some(in_chain), ..effort })));
    }
    if noted.is_empty() { Ok(()) } else { store.write_history(&noted, &[]) }
}

/// What was removed so far, if anything was.
pub(super) fn removed(store: &Store) -> Result<Option<Removed>, StoreError> {
    Ok(store.history(REMOVED)?.and_then(|bytes| from_json(&bytes)))
}

/// Checks the next `count` rows, and removes those that are no longer needed. Does nothing until the chain has
/// forgotten its first link.
///
/// # Errors
/// The disk fails.
pub(super) fn step(store: &Store, chain: &Chain, own: &OwnPayees, count: usize) -> Result<(), StoreError> {
    let time_of = |height| Some(chain.link(&chain.main_at(height)?)?.time.0);
    let bottom = chain.bottom();
    let (Some(since), Some(newest)) = (time_of(bottom), time_of(chain.height())) else { return Ok(()) };
    if bottom == Height(0) {
        return Ok(());
    }
    let old = removed(store)?.unwrap_or_default();
    let removed = Removed {
        since: old.since.max(since),
        height: old.height.max(bottom.0),
        newest: old.newest.max(newest),
        next: Vec::new(),
    };
    let sweep = Sweep { chain, own, removed };
    let from = if old.next.is_empty() { vec![SHARE] } else { old.next };
    let (mut gone, mut next) = (Vec::new(), vec![SHARE]);
    for (number, row) in store.history_up(&[], &from).enumerate() {
        let (key, value) = row?;
        if key.first().is_none_or(|kind| *kind > PAYEE_STEP) {
            break;
        }
        if number == count {
            next = key;
            break;
        }
        if sweep.is_due(&key, &value) {
            gone.push(key);
        }
    }
    let removed = Removed { next, ..sweep.removed };
    store.write_history(&[(REMOVED.to_vec(), to_json(&removed))], &gone)
}

struct Sweep<'a> {
    chain: &'a Chain,
    own: &'a OwnPayees,
    removed: Removed,
}

impl Sweep<'_> {
    fn is_due(&self, key: &[u8], value: &[u8]) -> bool {
        let is_own = |payee: Option<PayeeKey>| payee.is_some_and(|payee| self.own.contains(&payee));
        let is_payee_own = || is_own(keys::payee_of(key));
        match key.first() {
            Some(&SHARE) => {
                let time = ShareEntry::from_bytes(value).map(|share| share.time);
                time.is_some_and(|time| time < self.removed.since) && !is_payee_own()
            }
            Some(&LISTED) => ListedEntry::from_bytes(value).is_some_and(|listed| {
                let below = listed.height < self.removed.height;
                self.is_off(key, Height(listed.height)) || (below && !is_own(listed.payee))
            }),
            Some(&POOL_STEP) => self.is_too_short(key),
            Some(&PAYEE_STEP) => {
                let end = keys::step_of(key).map(|(step_s, start)| start.saturating_add(step_s));
                let below = end.is_some_and(|end| end <= self.removed.since);
                self.is_too_short(key) || (below && !is_payee_own())
            }
            _ => false,
        }
    }

    /// True if the link at the end of the key is off the main chain for good.
    fn is_off(&self, key: &[u8], height: Height) -> bool {
        let is_decided = height >= self.chain.bottom() && !self.chain.judges_above(height);
        is_decided && keys::last_id(key) != self.chain.main_at(height)
    }

    fn is_too_short(&self, key: &[u8]) -> bool {
        let old = |(step_s, start): (u32, u32)| Some(start.saturating_add(step_kept_s(step_s)?) < self.removed.newest);
        keys::step_of(key).and_then(old).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests;
