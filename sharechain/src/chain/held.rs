//! Held proofs: proofs that cannot be judged yet. No sender is at fault for them. Their count, bytes, time and count
//! per source are bounded. When room runs out, the proof with the least work goes first.

use std::sync::Arc;

use bitcoin::BlockHash;

use crate::change_set::Source;
use crate::check::binding::BoundProof;
use crate::limits::{HELD_LIST_BYTES_MAX, HELD_MAX, HELD_PER_SOURCE_MAX, HELD_SECONDS_MAX};
use crate::ordered::Ordered;
use crate::units::{ShareId, Timestamp};

/// Something that is missing to judge a proof or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// A proof: the parent or a listed proof.
    Proof(ShareId),
    /// The list of a link or of one of its ancestors.
    List(ShareId),
    /// A Bitcoin header.
    BitcoinHeader(BlockHash),
    /// Only time: the proof's time is too far ahead of the clock until then.
    Time(Timestamp),
}

/// A proof as received.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) proof: BoundProof,
    pub(super) list: Option<Vec<ShareId>>,
    pub(super) source: Source,
    /// True if this node asked for it.
    pub(super) requested: bool,
}

/// A held proof.
#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) arrival: Arrival,
    pub(super) missing: Missing,
    since: Timestamp,
}

/// A proof as one source sent it. Nothing binds the extranonce and the witness commitment until the coinbase is
/// rebuilt. So two sources may send different versions under one id, and neither may displace the other.
type Key = (ShareId, Source);

const LOWEST: Key = (ShareId([0; 32]), Source(0));
const HIGHEST: Key = (ShareId([u8::MAX; 32]), Source(u64::MAX));

/// All held proofs, by id and by what they wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    waiters: Ordered<Key, Arc<Waiter>>,
    by_missing: Ordered<(Missing, Key), ()>,
    per_source: Ordered<Source, usize>,
    list_bytes: usize,
}

impl Held {
    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// First version of a proof.
    pub(super) fn get(&self, id: &ShareId) -> Option<&Waiter> {
        self.versions(id).next().map(|(_, waiter)| waiter)
    }

    /// When the first version of a proof came.
    pub(super) fn since(&self, id: &ShareId) -> Option<Timestamp> {
        self.versions(id).map(|(_, waiter)| waiter.since).min()
    }

    fn versions(&self, id: &ShareId) -> impl Iterator<Item = (&Key, &Waiter)> {
        let versions = self.waiters.range((*id, Source(0))..=(*id, Source(u64::MAX)));
        versions.map(|(key, waiter)| (key, &**waiter))
    }

    /// Holds a proof. Returns the id of the proof that was dropped to make room, if any; it may be this one.
    pub(super) fn hold(&mut self, arrival: Arrival, missing: Missing, now: Timestamp) -> Option<ShareId> {
        let Arrival { proof, list, source, requested } = arrival;
        let id = proof.id();
        let same = self.versions(&id).find(|(_, waiter)| waiter.arrival.proof == proof).map(|(key, _)| *key);
        // The same bytes from another source add nothing but the list.
        let old = self.remove(&same.unwrap_or((id, source)));
        let (source, since) =
            old.as_ref().filter(|_| same.is_some()).map_or((source, now), |old| (old.arrival.source, old.since));
        let requested = requested || old.as_ref().is_some_and(|old| same.is_some() && old.arrival.requested);
        let list = list.or_else(|| old.and_then(|old| old.arrival.list)).filter(|list| self.has_room_for(list));
        self.add(Waiter { arrival: Arrival { proof, list, source, requested }, missing, since });
        let crowded = self.per_source.get(&source).is_some_and(|count| *count > HELD_PER_SOURCE_MAX);
        if !crowded && self.waiters.len() <= HELD_MAX {
            return None;
        }
        let evicted = self.least_work(crowded.then_some(source))?;
        self.remove(&evicted);
        Some(evicted.0)
    }

    fn has_room_for(&self, list: &[ShareId]) -> bool {
        self.list_bytes.saturating_add(size_of_val(list)) <= HELD_LIST_BYTES_MAX
    }

    fn add(&mut self, waiter: Waiter) {
        let source = waiter.arrival.source;
        let key = (waiter.arrival.proof.id(), source);
        let count = self.per_source.get(&source).map_or(1, |count| count.saturating_add(1));
        self.per_source.insert(source, count);
        self.list_bytes = self.list_bytes.saturating_add(waiter.list_bytes());
        self.by_missing.insert((waiter.missing, key), ());
        self.waiters.insert(key, Arc::new(waiter));
    }

    /// Proof with the highest hash, among those of one source or all.
    fn least_work(&self, source: Option<Source>) -> Option<Key> {
        let eligible = self.waiters.keys().filter(|key| source.is_none_or(|source| key.1 == source));
        eligible.max_by_key(|key| key.0.as_number()).copied()
    }

    fn remove(&mut self, key: &Key) -> Option<Waiter> {
        let waiter = Arc::unwrap_or_clone(self.waiters.remove(key)?);
        self.by_missing.remove(&(waiter.missing, *key));
        self.list_bytes = self.list_bytes.saturating_sub(waiter.list_bytes());
        if let Some(count) = self.per_source.get_mut(&waiter.arrival.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_source.remove(&waiter.arrival.source);
            }
        }
        Some(waiter)
    }

    /// Removes all versions of a proof that was judged.
    pub(super) fn remove_all(&mut self, id: &ShareId) {
        let keys: Vec<Key> = self.versions(id).map(|(key, _)| *key).collect();
        for key in keys {
            self.remove(&key);
        }
    }

    /// Removes and returns all proofs that waited for `missing`, in order of id.
    pub(super) fn take_waiting_for(&mut self, missing: Missing) -> Vec<Waiter> {
        let keys: Vec<Key> =
            self.by_missing.range((missing, LOWEST)..=(missing, HIGHEST)).map(|((_, key), ())| *key).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }

    /// Removes and returns all proofs whose time has come.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Waiter> {
        let first = (Missing::Time(Timestamp(0)), LOWEST);
        let keys: Vec<Key> =
            self.by_missing.range(first..=(Missing::Time(now), HIGHEST)).map(|((_, key), ())| *key).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }

    /// Drops the proofs that were held too long, and returns their ids.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<ShareId> {
        let waited = |waiter: &Waiter| now.seconds_since(waiter.since) > i64::from(HELD_SECONDS_MAX);
        let keys: Vec<Key> = self.waiters.iter().filter(|(_, waiter)| waited(waiter)).map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| self.remove(key)).map(|waiter| waiter.arrival.proof.id()).collect()
    }

    /// Links whose lists held proofs wait for, without duplicates.
    pub(super) fn missing_lists(&self) -> impl Iterator<Item = ShareId> {
        let (lowest, highest) = (Missing::List(LOWEST.0), Missing::List(HIGHEST.0));
        let mut ids: Vec<ShareId> = (self.by_missing.range((lowest, LOWEST)..=(highest, HIGHEST)))
            .filter_map(|((missing, _), ())| if let Missing::List(id) = missing { Some(*id) } else { None })
            .collect();
        ids.dedup();
        ids.into_iter()
    }

    /// Everything that held proofs wait for, without duplicates.
    pub(super) fn missing(&self) -> impl Iterator<Item = Missing> {
        let mut all: Vec<Missing> = self.by_missing.keys().map(|(missing, _)| *missing).collect();
        all.dedup();
        all.into_iter()
    }
}

impl Waiter {
    fn list_bytes(&self) -> usize {
        self.arrival.list.as_deref().map_or(0, size_of_val)
    }
}
