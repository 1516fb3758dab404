//! The node's event log: events that an operator or a miner may want to look up later.

use std::sync::{Arc, Mutex, PoisonError};

use bitcoin::BlockHash;
use serde::{Deserialize, Serialize};
use sharechain::ShareId;
use tokio::sync::broadcast;
use tracing::error;

use super::keys::{self, DEVICES, EVENT, REFUSED, REORGANISED};
use super::rows::{from_json, to_json};
use crate::clock::now;
use crate::event_kind::EventKind;
use crate::limits::{EVENT_LOG_EVENTS_MAX, EVENT_QUEUE};
use crate::store::{Row, Store, StoreError};

/// A rejected share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Id of the share.
    pub id: BlockHash,
    /// Number of the rule that it broke.
    pub rule: String,
    /// Peer id of the sender; none for a miner of this node.
    pub peer: Option<String>,
}

/// A payout to an address of this node's miners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// The address that is paid.
    pub address: String,
    /// Amount, satoshi.
    pub value_sat: u64,
    /// Hash of the block.
    pub block: BlockHash,
    /// Height of the block.
    pub height: u32,
}

/// A Bitcoin block that the pool found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Hash of the block.
    pub hash: BlockHash,
    /// Height of the block.
    pub height: u32,
}

/// A reorganization of the share-chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reorganised {
    /// Id of the old tip.
    pub old: BlockHash,
    /// Id of the new tip.
    pub new: BlockHash,
    /// Height of the last link that both branches share.
    pub fork_height: u32,
    /// Number of links that left the main chain.
    pub depth: u32,
    /// Number of links that entered the main chain.
    pub connected: u32,
}

/// A state in which this node may be cut off, which began or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Name of its kind.
    pub kind: String,
    /// True if it began, false if it ended.
    pub begins: bool,
}

/// An event of the event log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Id of the event; counts from 1.
    pub id: u64,
    /// When it was logged, seconds since 1970.
    pub time: u32,
    /// Kind of the event.
    pub kind: EventKind,
    /// The event in one sentence.
    pub sentence: String,
    /// Path of a page in the web application with details; none if there is none.
    pub link_to: Option<String>,
    /// Details of a rejected share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// Details of a reorganization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorganised: Option<Reorganised>,
    /// Details of a payout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Paid>,
    /// The state that began or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Changed>,
    /// The block that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Found>,
    /// User name of the device that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
}

impl Event {
    /// An event at the current time.
    #[must_use]
    pub fn new(kind: EventKind, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        let (link_to, refused, reorganised, paid) = (None, None, None, None);
        let (state, block, worker) = (None, None, None);
        Self { id: 0, time: now().0, kind, sentence, link_to, refused, reorganised, paid, state, block, worker }
    }

    /// Sets the page with details.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { link_to: Some(path.into()), ..self }
    }

    fn rows(&self) -> Vec<Row> {
        let number = self.id.to_be_bytes();
        let mut rows = vec![(keys::key(EVENT, &[&number]), to_json(self))];
        if let Some(refused) = &self.refused {
            rows.push((keys::key(REFUSED, &[&ShareId::from(refused.id).0]), number.to_vec()));
        }
        if self.reorganised.is_some() {
            rows.push((keys::key(REORGANISED, &[&number]), Vec::new()));
        }
        rows
    }
}

/// Writes events, keeps the newest [`EVENT_LOG_EVENTS_MAX`], and sends them to all listeners. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventLog {
    store: Arc<Store>,
    written: Arc<Mutex<Written>>,
    news: broadcast::Sender<Arc<Event>>,
}

/// State that the next event depends on.
#[derive(Debug)]
struct Written {
    /// Id of the next event.
    next: u64,
    /// Number of events by kind since the start, in the order of [`EventKind::ALL`].
    counts: [u64; EventKind::ALL.len()],
    /// What blocks paid to this node's miners since the start, satoshi.
    paid_sat: u64,
}

impl EventLog {
    pub(super) fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let newest = store.history_down(&[EVENT], &[EVENT + 1]).next().transpose()?;
        let next = newest.and_then(|(key, _)| keys::last_u64(&key)).unwrap_or_default() + 1;
        let written = Written { next, counts: [0; EventKind::ALL.len()], paid_sat: 0 };
        Ok(Self { store, written: Arc::new(Mutex::new(written)), news: broadcast::Sender::new(EVENT_QUEUE) })
    }

    /// Logs an event. Takes microseconds, since it does not wait for the disk.
    pub fn note(&self, event: Event) {
        // A panic in between only leaves an id unused.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event { id: written.next, ..event };
        written.counts[event.kind as usize] += 1;
        let paid_sat = event.paid.as_ref().map_or(0, |paid| paid.value_sat);
        written.paid_sat = written.paid_sat.saturating_add(paid_sat);
        match self.gone(event.id).and_then(|gone| self.store.write_history(&event.rows(), &gone)) {
            Ok(()) => written.next += 1,
            Err(error) => error!(%error, sentence = event.sentence, "an event could not be written to the event log"),
        }
        drop(written);
        // There may be no listeners.
        let _ = self.news.send(Arc::new(event));
    }

    /// Number of events since the start, by kind.
    pub fn counts(&self) -> [(EventKind, u64); EventKind::ALL.len()] {
        let counts = self.written.lock().unwrap_or_else(PoisonError::into_inner).counts;
        EventKind::ALL.map(|kind| (kind, counts[kind as usize]))
    }

    /// What blocks paid to this node's miners since the start, satoshi.
    pub fn paid_sat(&self) -> u64 {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).paid_sat
    }

    /// Writes the data of the devices. A failure loses what changed since the last write.
    pub(super) fn write_devices(&self, bytes: Vec<u8>) {
        if let Err(error) = self.store.write_history(&[(DEVICES.to_vec(), bytes)], &[]) {
            error!(%error, "the averages of the devices could not be written");
        }
    }

    /// The devices' data from an earlier run; none if there is none, or if it cannot be read.
    #[must_use]
    pub fn devices(&self) -> Option<Vec<u8>> {
        self.store.history(DEVICES).ok().flatten()
    }

    /// Number of listeners.
    #[cfg(test)]
    pub(crate) fn listeners(&self) -> usize {
        self.news.receiver_count()
    }

    /// Subscribes to new events.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<Arc<Event>> {
        self.news.subscribe()
    }

    /// Keys of the event that is now too old to keep.
    fn gone(&self, newest: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let Some(number) = newest.checked_sub(EVENT_LOG_EVENTS_MAX) else { return Ok(Vec::new()) };
        let refused = self.event(number)?.and_then(|event| event.refused);
        let number = number.to_be_bytes();
        let mut gone = vec![keys::key(EVENT, &[&number]), keys::key(REORGANISED, &[&number])];
        if let Some(refused) = refused {
            let key = keys::key(REFUSED, &[&ShareId::from(refused.id).0]);
            // The same share may have been rejected again since.
            if self.store.history(&key)?.is_some_and(|known| known == number) {
                gone.push(key);
            }
        }
        Ok(gone)
    }

    pub(super) fn event(&self, number: u64) -> Result<Option<Event>, StoreError> {
        let bytes = self.store.history(&keys::key(EVENT, &[&number.to_be_bytes()]))?;
        Ok(bytes.and_then(|bytes| from_json(&bytes)))
    }
}

/// Events from a number up, oldest first, of at most `limit` rows, and the number after the last of these.
///
/// # Errors
/// The disk cannot be read.
pub(crate) fn events_up(store: &Store, from: u64, limit: usize) -> Result<(Vec<Event>, u64), StoreError> {
    let (mut events, mut next) = (Vec::new(), from);
    for row in store.history_up(&[EVENT], &keys::key(EVENT, &[&from.to_be_bytes()])).take(limit) {
        let (key, value) = row?;
        next = keys::last_u64(&key).map_or(next, |number| number.saturating_add(1));
        events.extend(from_json::<Event>(&value));
    }
    Ok((events, next))
}
