//! Proofs that cannot be judged yet. They cost nobody; they are bounded in count, time and per source, and the least work
//! goes first when room runs out.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::BlockHash;

use crate::change_set::Source;
use crate::check::binding::BoundProof;
use crate::limits::{HELD_MAX, HELD_PER_SOURCE_MAX, HELD_SECONDS_MAX};
use crate::units::{ShareId, Timestamp};

/// What is missing for a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// A proof: the parent, or a listed share.
    Proof(ShareId),
    /// The list of a link, or of one of its ancestors.
    Body(ShareId),
    /// A Bitcoin header.
    BitcoinHeader(BlockHash),
    /// Nothing but time: the proof is from the future until then.
    Time(Timestamp),
}

/// A proof that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) proof: BoundProof,
    pub(super) list: Option<Vec<ShareId>>,
    pub(super) source: Source,
    pub(super) missing: Missing,
    since: Timestamp,
}

/// All proofs that wait, by id and by what they wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    by_id: BTreeMap<ShareId, Waiter>,
    by_missing: BTreeSet<(Missing, ShareId)>,
    per_source: BTreeMap<Source, usize>,
}

impl Held {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, id: &ShareId) -> Option<&Waiter> {
        self.by_id.get(id)
    }

    /// Keeps a proof. Returns the ids that had to go to make room, possibly this one.
    pub(super) fn hold(
        &mut self,
        proof: BoundProof,
        list: Option<Vec<ShareId>>,
        source: Source,
        missing: Missing,
        now: Timestamp,
    ) -> Vec<ShareId> {
        let id = proof.id();
        let list = list.or_else(|| self.remove(&id).and_then(|old| old.list));
        self.remove(&id);
        self.by_missing.insert((missing, id));
        self.by_id.insert(id, Waiter { proof, list, source, missing, since: now });
        let count = self.per_source.entry(source).or_default();
        *count = count.saturating_add(1);
        let mut evicted = Vec::new();
        if *count > HELD_PER_SOURCE_MAX {
            evicted.extend(self.least_work(Some(source)));
        } else if self.by_id.len() > HELD_MAX {
            evicted.extend(self.least_work(None));
        }
        for id in &evicted {
            self.remove(id);
        }
        evicted
    }

    /// The proof with the highest hash, of one source or of all.
    fn least_work(&self, source: Option<Source>) -> Option<ShareId> {
        self.by_id
            .iter()
            .filter(|(_, waiter)| source.is_none_or(|source| waiter.source == source))
            .map(|(id, _)| *id)
            .max_by_key(ShareId::as_number)
    }

    pub(super) fn remove(&mut self, id: &ShareId) -> Option<Waiter> {
        let waiter = self.by_id.remove(id)?;
        self.by_missing.remove(&(waiter.missing, *id));
        if let Some(count) = self.per_source.get_mut(&waiter.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_source.remove(&waiter.source);
            }
        }
        Some(waiter)
    }

    /// Takes out everything that waited for `missing`, in the order of ids.
    pub(super) fn take_waiting_for(&mut self, missing: Missing) -> Vec<Waiter> {
        let lowest = ShareId([0; 32]);
        let highest = ShareId([u8::MAX; 32]);
        let ids: Vec<ShareId> =
            self.by_missing.range((missing, lowest)..=(missing, highest)).map(|(_, id)| *id).collect();
        ids.iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Takes out everything whose time has come.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Waiter> {
        let first = (Missing::Time(Timestamp(0)), ShareId([0; 32]));
        let last = (Missing::Time(now), ShareId([u8::MAX; 32]));
        let ids: Vec<ShareId> = self.by_missing.range(first..=last).map(|(_, id)| *id).collect();
        ids.iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Drops what waited too long and returns its ids.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<ShareId> {
        let expired: Vec<ShareId> = self
            .by_id
            .iter()
            .filter(|(_, waiter)| {
                let waits_for_time = matches!(waiter.missing, Missing::Time(_));
                !waits_for_time && now.seconds_since(waiter.since) > i64::from(HELD_SECONDS_MAX)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in &expired {
            self.remove(id);
        }
        expired
    }

    /// What is waited for, without repetitions.
    pub(super) fn missing(&self) -> impl Iterator<Item = Missing> {
        let mut all: Vec<Missing> = self.by_missing.iter().map(|(missing, _)| *missing).collect();
        all.dedup();
        all.into_iter()
    }
}
