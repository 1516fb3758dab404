//! Queries of the API. Each returns a page of rows, newest first, and blocks on the disk.

use std::sync::PoisonError;

use bitcoin::Script;
use sharechain::ShareId;

use super::events::Event;
use super::keys::{self, EFFORT, EVENT, LISTED, REFUSED, REORGANISED};
use super::prune;
use super::rows::{Cursor, Effort, Payment, ShareEntry, Step, from_json};
use super::task::History;
use crate::store::{Row, StoreError};

/// Minimum period of a hashrate, seconds; a shorter one shows mostly chance.
const OBSERVED_S_MIN: u32 = 60;

/// A page of a list, and the start of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Items, newest first.
    pub items: Vec<T>,
    /// `from` of the next page; none on the last page.
    pub next_from: Option<u64>,
}

/// A share of a payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// Id of the share.
    pub id: ShareId,
    /// When its job was handed out, by the clock of the finder's node, seconds since 1970.
    pub time: u32,
    /// True if it is a link.
    pub is_link: bool,
    /// True if it is a Bitcoin block.
    pub is_block: bool,
    /// Expected hashes to find such a share.
    pub hashes: u128,
}

/// A payout of a Bitcoin block to a payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Hash of the block.
    pub block: ShareId,
    /// Height of the block.
    pub height: u32,
    /// Time of the block's header, seconds since 1970.
    pub time: u32,
    /// Amount, satoshi.
    pub value_sat: u64,
    /// True for a lottery payout; none in records of older versions.
    pub drawn: Option<bool>,
    /// True if the block pays its finder alone; none in records of older versions.
    pub finder_alone: Option<bool>,
}

/// What was found in one time step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointRow {
    /// Start of the step, seconds since 1970.
    pub start: u32,
    /// Sums over the step.
    pub step: Step,
}

/// Average hashrate from the hashes since `start`, hashes per second. The average begins with the first share, given by its
/// time and its hashes, or at `known_since`, if that is later. None while it covers less than a minute.
pub(crate) fn observed_hashrate(
    hashes: u128,
    start: u32,
    (first, of_first): (u32, u128),
    known_since: u32,
    now: u32,
) -> Option<f64> {
    // The first share only marks the start; the hashrate follows from the later ones.
    let (since, hashes) = if first > start { (first, hashes.saturating_sub(of_first)) } else { (start, hashes) };
    let observed_s = now.saturating_sub(since.max(known_since));
    (observed_s >= OBSERVED_S_MIN).then(|| hashes as f64 / f64::from(observed_s))
}

/// Reads up to `limit` rows; `number` extracts the start of the next page from a key.
fn page<T>(
    rows: impl Iterator<Item = Result<Row, StoreError>>,
    limit: usize,
    number: impl Fn(&[u8]) -> Option<u64>,
    read: impl Fn(&Row) -> Option<T>,
) -> Result<Page<T>, StoreError> {
    let mut items = Vec::new();
    for (taken, row) in rows.enumerate() {
        let row = row?;
        if taken == limit {
            return Ok(Page { items, next_from: number(&row.0) });
        }
        items.extend(read(&row));
    }
    Ok(Page { items, next_from: None })
}

impl History {
    /// Shares of a payee, newest first, from the `next_from` of an earlier page.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn shares_of(&self, script: &Script, from: Option<u64>, limit: usize) -> Result<Page<ShareRow>, StoreError> {
        let payee = keys::payee(script);
        let prefix = keys::key(keys::SHARE, &[&payee]);
        let rows = self.store.history_down(&prefix, &keys::share(&payee, from.unwrap_or(u64::MAX)));
        page(rows, limit, keys::last_u64, |(_, value)| {
            let ShareEntry { id, time, is_link, is_block, hashes } = ShareEntry::from_bytes(value)?;
            Some(ShareRow { id, time, is_link, is_block, hashes })
        })
    }

    /// Time since which all shares of a payee are stored, seconds since 1970; none if all are.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn shares_since(&self, script: &Script) -> Result<Option<u32>, StoreError> {
        let removed = if self.is_own(script) { None } else { prune::removed(&self.store)? };
        Ok(self.begins()?.max(removed.map(|removed| removed.since)))
    }

    /// Time since which all steps of this length are stored, seconds since 1970; none if all are. For a payee, or for
    /// the pool.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn steps_since(&self, script: Option<&Script>, step_s: u32) -> Result<Option<u32>, StoreError> {
        let removed = prune::removed(&self.store)?;
        let by_age = removed.as_ref().and_then(|removed| removed.newest.checked_sub(prune::step_kept_s(step_s)?));
        let shares = script.map(|script| self.shares_since(script)).transpose()?;
        Ok(by_age.max(shares.unwrap_or(self.begins()?)))
    }

    fn is_own(&self, script: &Script) -> bool {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).contains(&keys::payee(script))
    }

    fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        Ok(self.store.history(keys::CURSOR)?.and_then(|bytes| from_json(&bytes)))
    }

    /// Time since which blocks and payments are stored, seconds since 1970: the node joined the pool then. None if all are.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn begins(&self) -> Result<Option<u32>, StoreError> {
        Ok(self.cursor()?.and_then(|cursor| cursor.begins))
    }

    /// What the pool found in each time step, newest first, from a time down. Steps without shares are left out.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn pool_steps(&self, step_s: u32, from: Option<u64>, limit: usize) -> Result<Page<PointRow>, StoreError> {
        let prefix = keys::key(keys::POOL_STEP, &[&step_s.to_be_bytes()]);
        let rows = self.store.history_down(&prefix, &keys::pool_step(step_s, start_of(from)));
        points(rows, limit)
    }

    /// What a payee found in each time step, newest first, from a time down. Steps without shares are left out.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn payee_steps(
        &self,
        script: &Script,
        step_s: u32,
        from: Option<u64>,
        limit: usize,
    ) -> Result<Page<PointRow>, StoreError> {
        let payee = keys::payee(script);
        let prefix = keys::key(keys::PAYEE_STEP, &[&payee, &step_s.to_be_bytes()]);
        let rows = self.store.history_down(&prefix, &keys::payee_step(&payee, step_s, start_of(from)));
        points(rows, limit)
    }

    /// Average hashrate of a payee over the `span_s` seconds before `now`, or over the time since its first share if that
    /// is shorter, hashes per second; none while less than a minute is known. `step_s` is the length of the steps to sum.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn mean_hashrate(
        &self,
        script: &Script,
        (span_s, step_s): (u32, u32),
        now: u32,
    ) -> Result<Option<f64>, StoreError> {
        let start = now.saturating_sub(span_s);
        let start = start - start % step_s;
        let steps = usize::try_from(span_s / step_s).unwrap_or(usize::MAX).saturating_add(2);
        let rows = self.payee_steps(script, step_s, None, steps)?;
        let of_span = rows.items.iter().filter(|row| row.start >= start);
        let hashes = of_span.fold(0_u128, |sum, row| sum.saturating_add(row.step.hashes));
        let payee = keys::payee(script);
        let prefix = keys::key(keys::SHARE, &[&payee]);
        let first = self.store.history_up(&prefix, &prefix).next().transpose()?;
        let Some(first) = first.and_then(|(_, value)| ShareEntry::from_bytes(&value)) else { return Ok(None) };
        Ok(observed_hashrate(hashes, start, (first.time, first.hashes), self.begins()?.unwrap_or(0), now))
    }

    /// Payouts to a payee, highest block first, from a height down. Blocks at the same height are on the same page.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn payments_to(
        &self,
        script: &Script,
        from: Option<u64>,
        limit: usize,
    ) -> Result<Page<PaymentRow>, StoreError> {
        let payee = keys::payee(script);
        let prefix = keys::key(keys::PAYMENT, &[&payee]);
        let first = keys::payment(&payee, start_of(from), &ShareId([0xff; 32]));
        let mut items: Vec<PaymentRow> = Vec::new();
        for row in self.store.history_down(&prefix, &first) {
            let (key, value) = row?;
            let Some((height, block)) = keys::height_and_id(&key) else { continue };
            if items.len() >= limit && items.last().is_some_and(|last| last.height != height) {
                return Ok(Page { items, next_from: Some(u64::from(height)) });
            }
            let Some(Payment { value_sat, time, drawn, finder_alone }) = from_json(&value) else { continue };
            items.push(PaymentRow { block, height, time, value_sat, drawn, finder_alone });
        }
        Ok(Page { items, next_from: None })
    }

    /// The pool's total work up to a Bitcoin block, and up to its previous one; none if the rows do not reach that far.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn effort(&self, height: u32, block: &ShareId) -> Result<Option<(Effort, Option<Effort>)>, StoreError> {
        let key = keys::effort(height, block);
        let mut rows = self.store.history_down(&[EFFORT], &key);
        let Some((_, own)) = rows.next().transpose()?.filter(|(found, _)| *found == key) else { return Ok(None) };
        let below = loop {
            match rows.next().transpose()? {
                Some((key, value)) if keys::height_and_id(&key).is_some_and(|(lower, _)| lower < height) => {
                    break Some(value);
                }
                Some(_) => {}
                None => break None,
            }
        };
        Ok(from_json(&own).map(|own| (own, below.and_then(|bytes| from_json(&bytes)))))
    }

    /// Whether a deep Bitcoin block of the pool is in the chain with the most work; none if that was not recorded.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn in_chain(&self, height: u32, block: &ShareId) -> Result<Option<bool>, StoreError> {
        let effort = self.store.history(&keys::effort(height, block))?;
        Ok(effort.and_then(|bytes| from_json::<Effort>(&bytes)).and_then(|effort| effort.in_chain))
    }

    /// The pool's total work so far, and its newest Bitcoin block with the work up to it, if there is one.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn round(&self) -> Result<(u128, Option<(ShareId, Effort)>), StoreError> {
        let cursor = self.cursor()?;
        let newest = self.store.history_down(&[EFFORT], &[EFFORT + 1]).next().transpose()?;
        let newest = newest.and_then(|(key, value)| Some((keys::last_id(&key)?, from_json(&value)?)));
        Ok((cursor.map_or(0, |cursor| cursor.weight), newest))
    }

    /// The pool's blocks at a Bitcoin height.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn blocks_at(&self, height: u32) -> Result<Vec<ShareId>, StoreError> {
        let prefix = keys::key(EFFORT, &[&height.to_be_bytes()]);
        self.store
            .history_up(&prefix, &prefix)
            .filter_map(|row| row.map(|(key, _)| keys::last_id(&key)).transpose())
            .collect()
    }

    /// The links that list a share, with their heights, on any branch.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn listed_in(&self, share: &ShareId) -> Result<Vec<(ShareId, u32)>, StoreError> {
        let prefix = keys::key(LISTED, &[&share.0]);
        let rows = self.store.history_up(&prefix, &prefix);
        rows.filter_map(|row| row.map(|(key, value)| Some((keys::last_id(&key)?, keys::last_u32(&value)?))).transpose())
            .collect()
    }

    /// Events, newest first, from an id down.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn events(&self, from: Option<u64>, limit: usize) -> Result<Page<Event>, StoreError> {
        let first = keys::key(EVENT, &[&from.unwrap_or(u64::MAX).to_be_bytes()]);
        page(self.store.history_down(&[EVENT], &first), limit, keys::last_u64, |(_, value)| from_json(value))
    }

    /// Reorganizations, newest first, from an id down.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn reorganisations(&self, from: Option<u64>, limit: usize) -> Result<Page<Event>, StoreError> {
        let first = keys::key(REORGANISED, &[&from.unwrap_or(u64::MAX).to_be_bytes()]);
        let numbers = page(self.store.history_down(&[REORGANISED], &first), limit, keys::last_u64, |(key, _)| {
            keys::last_u64(key)
        })?;
        let events: Result<Vec<_>, _> = numbers.items.iter().map(|number| self.event_log().event(*number)).collect();
        Ok(Page { items: events?.into_iter().flatten().collect(), next_from: numbers.next_from })
    }

    /// The latest rejection event of a share.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn refusal(&self, share: &ShareId) -> Result<Option<Event>, StoreError> {
        let number = self.store.history(&keys::key(REFUSED, &[&share.0]))?.and_then(|bytes| keys::last_u64(&bytes));
        number.map_or(Ok(None), |number| self.event_log().event(number))
    }
}

fn points(rows: impl Iterator<Item = Result<Row, StoreError>>, limit: usize) -> Result<Page<PointRow>, StoreError> {
    let number = |key: &[u8]| keys::last_u32(key).map(u64::from);
    page(rows, limit, number, |(key, value)| {
        Some(PointRow { start: keys::last_u32(key)?, step: Step::from_bytes(value)? })
    })
}

fn start_of(from: Option<u64>) -> u32 {
    from.map_or(u32::MAX, |from| u32::try_from(from).unwrap_or(u32::MAX))
}
