//! Reads the node's event log into the queue.

use archive::batch::EventRow;
use archive::gather::Gatherer;
use archive::limits::{EVENTS_AGAIN, EVENTS_READ};
use serde_json::{Map, Value};

use crate::event_kind::EventKind;
use crate::history::{Event, events_up};
use crate::store::{Store, StoreError};

/// Details that are archived. They name no device and no peer.
const DETAILS: [&str; 3] = ["reorganised", "state", "block"];

/// A reader of the event log.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Number of the next event.
    next: u64,
}

impl Events {
    /// Continues near the end of what was read, or begins with the first event if the log has none there: it is another one.
    pub(super) fn new(store: &Store, read: u64) -> Self {
        // A crash of the machine may have cost the log its newest events, and later events then reuse their numbers.
        let next = read.saturating_sub(EVENTS_AGAIN);
        let is_there = events_up(store, next, 1).is_ok_and(|(_, after)| after > next);
        Self { next: if is_there { next } else { 0 } }
    }

    /// Number of the next event.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Adds the next events.
    pub(super) fn gather(&mut self, store: &Store, gatherer: &mut Gatherer) -> Result<(), StoreError> {
        let (events, next) = events_up(store, self.next, EVENTS_READ)?;
        events.into_iter().filter(|event| event.kind.is_archived()).for_each(|event| gatherer.event(row(event)));
        self.next = next;
        Ok(())
    }
}

fn row(event: Event) -> EventRow {
    let mut details = Map::new();
    if let Ok(Value::Object(fields)) = serde_json::to_value(&event) {
        details.extend(fields.into_iter().filter(|(name, _)| DETAILS.contains(&name.as_str())));
    }
    let sentence = match event.kind {
        // The reason behind the colon may have the URL, the user or a file of bitcoind.
        EventKind::Start | EventKind::Work => event.sentence.split(": ").next().unwrap_or_default().to_owned(),
        _ => event.sentence,
    };
    EventRow {
        number: event.id,
        time: event.time,
        kind: event.kind.name().to_owned(),
        sentence,
        page: event.link_to,
        details: Value::Object(details).to_string(),
    }
}
