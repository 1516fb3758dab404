//! Reads the node's event log into the queue.

use archive::batch::EventRow;
use archive::gather::Gatherer;
use archive::limits::EVENTS_READ;
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
    /// Number and time of the newest event that was read.
    newest: Option<(u64, u32)>,
}

impl Events {
    /// Continues after the newest event that was read, or begins with the first one if the log has another event there, or none:
    /// it is another log, or a crash of the machine cost it its newest events. The archive knows an event by its number and its
    /// time, so it has each event once.
    pub(super) fn new(store: &Store, newest: Option<(u64, u32)>) -> Self {
        let is_there = |(number, time): &(u64, u32)| {
            let found = events_up(store, *number, 1).ok().and_then(|(events, _)| events.into_iter().next());
            found.is_some_and(|event| (event.id, event.time) == (*number, *time))
        };
        let newest = newest.filter(is_there);
        Self { next: newest.map_or(0, |(number, _)| number.saturating_add(1)), newest }
    }

    /// Number and time of the newest event that was read.
    pub(super) fn newest(&self) -> Option<(u64, u32)> {
        self.newest
    }

    /// Adds the next events.
    pub(super) fn gather(&mut self, store: &Store, gatherer: &mut Gatherer) -> Result<(), StoreError> {
        let (events, next) = events_up(store, self.next, EVENTS_READ)?;
        self.newest = events.last().map(|event| (event.id, event.time)).or(self.newest);
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
