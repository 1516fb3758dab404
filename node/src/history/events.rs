//! The node's event_log: what an operator or a miner may want to know later.

use std::sync::{Arc, Mutex, PoisonError};

use bitcoin::BlockHash;
use serde::{Deserialize, Serialize};
use sharechain::ShareId;
use tokio::sync::broadcast;
use tracing::error;

use super::keys::{self, EVENT, REFUSED, REORGANISED};
use super::rows::{from_json, to_json};
use crate::clock::now;
use crate::limits::{EVENT_LOG_EVENTS_MAX, EVENT_QUEUE};
use crate::store::{Row, Store, StoreError};

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The node started.
    Start,
    /// The pool found a Bitcoin block.
    Block,
    /// A block pays an address of this node's miners.
    Payment,
    /// A miner of this node fell silent, or is back.
    Worker,
    /// Links left the main chain.
    Reorganisation,
    /// A share broke a rule.
    Refused,
    /// Miners got work again, or get none.
    Work,
    /// The own bitcoind.
    Bitcoin,
    /// The first peer came, or the last one went.
    Peers,
    /// A heavier branch would undo final links.
    Conflict,
    /// Miners locked in an upgrade.
    Upgrade,
}

/// Why a share was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Which share.
    pub id: BlockHash,
    /// The rule's number.
    pub rule: String,
    /// The peer that brought it; none for a miner of this node.
    pub peer: Option<String>,
}

/// A payment to an address of this node's miners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// Who is paid.
    pub address: String,
    /// How much, satoshi.
    pub value_sat: u64,
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
}

/// A reorganisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reorganised {
    /// The tip before.
    pub old: BlockHash,
    /// The tip since.
    pub new: BlockHash,
    /// Height of the last link that both have in common.
    pub fork_height: u32,
    /// Links that left the main chain.
    pub depth: u32,
    /// Links that entered it.
    pub connected: u32,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts events, from 1.
    pub id: u64,
    /// When it was noted, seconds since 1970.
    pub time: u32,
    /// What it is about.
    pub kind: EventKind,
    /// The whole of it in one sentence.
    pub sentence: String,
    /// The page that tells more, as a path of the web application.
    pub link_to: Option<String>,
    /// What a refusal says beside that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// What a reorganisation says beside that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorganised: Option<Reorganised>,
    /// What a payment says beside that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Paid>,
}

impl EventKind {
    /// All of them, in the order of the enum.
    pub const ALL: [Self; 11] = [
        Self::Start,
        Self::Block,
        Self::Payment,
        Self::Worker,
        Self::Reorganisation,
        Self::Refused,
        Self::Work,
        Self::Bitcoin,
        Self::Peers,
        Self::Conflict,
        Self::Upgrade,
    ];

    /// Its name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Block => "block",
            Self::Payment => "payment",
            Self::Worker => "worker",
            Self::Reorganisation => "reorganisation",
            Self::Refused => "refused",
            Self::Work => "work",
            Self::Bitcoin => "bitcoin",
            Self::Peers => "peers",
            Self::Conflict => "conflict",
            Self::Upgrade => "upgrade",
        }
    }

    /// Whether only the node's owner may see it: it names workers.
    #[must_use]
    pub fn is_private(self) -> bool {
        matches!(self, Self::Payment | Self::Worker)
    }
}

impl Event {
    /// An event that is noted now.
    #[must_use]
    pub fn new(kind: EventKind, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        let (link_to, refused, reorganised, paid) = (None, None, None, None);
        Self { id: 0, time: now().0, kind, sentence, link_to, refused, reorganised, paid }
    }

    /// The same with the page that tells more.
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

/// Writes events, keeps the newest [`EVENT_LOG_EVENTS_MAX`], and tells them to whoever listens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventLog {
    store: Arc<Store>,
    written: Arc<Mutex<Written>>,
    news: broadcast::Sender<Arc<Event>>,
}

/// What the next event follows.
#[derive(Debug)]
struct Written {
    /// Its number.
    next: u64,
    /// Events of each kind since the start, in the order of [`EventKind::ALL`].
    counts: [u64; EventKind::ALL.len()],
}

impl EventLog {
    pub(super) fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let newest = store.history_down(&[EVENT], &[EVENT + 1]).next().transpose()?;
        let next = newest.and_then(|(key, _)| keys::last_u64(&key)).unwrap_or_default() + 1;
        let written = Written { next, counts: [0; EventKind::ALL.len()] };
        Ok(Self { store, written: Arc::new(Mutex::new(written)), news: broadcast::Sender::new(EVENT_QUEUE) })
    }

    /// Notes an event. Takes microseconds: the disk is not waited for.
    pub fn note(&self, event: Event) {
        // A panic in between leaves a number unused.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event { id: written.next, ..event };
        written.counts[event.kind as usize] += 1;
        match self.gone(event.id).and_then(|gone| self.store.write_history(&event.rows(), &gone)) {
            Ok(()) => written.next += 1,
            Err(error) => error!(%error, sentence = event.sentence, "an event could not be noted"),
        }
        drop(written);
        // Nobody may be listening.
        let _ = self.news.send(Arc::new(event));
    }

    /// Events since the start, by kind.
    pub fn counts(&self) -> [(EventKind, u64); EventKind::ALL.len()] {
        let counts = self.written.lock().unwrap_or_else(PoisonError::into_inner).counts;
        EventKind::ALL.map(|kind| (kind, counts[kind as usize]))
    }

    /// How many listen.
    #[cfg(test)]
    pub(crate) fn listeners(&self) -> usize {
        self.news.receiver_count()
    }

    /// Events from now on.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<Arc<Event>> {
        self.news.subscribe()
    }

    /// Keys of the event that is one too old.
    fn gone(&self, newest: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let Some(number) = newest.checked_sub(EVENT_LOG_EVENTS_MAX) else { return Ok(Vec::new()) };
        let refused = self.event(number)?.and_then(|event| event.refused);
        let number = number.to_be_bytes();
        let mut gone = vec![keys::key(EVENT, &[&number]), keys::key(REORGANISED, &[&number])];
        if let Some(refused) = refused {
            let key = keys::key(REFUSED, &[&ShareId::from(refused.id).0]);
            // The same share may have been refused again since.
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
