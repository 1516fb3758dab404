//! The newest live events, and the channel to the readers that listen to them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::response::sse::Event;
use serde::Serialize;
use tokio::sync::broadcast;

use super::limits::LIVE_EVENTS;
use crate::clock::now;

/// An event, ready to send. Events that only matter until the next one have no id.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub id: Option<u64>,
    pub name: &'static str,
    pub data: String,
}

impl From<Ready> for Event {
    fn from(ready: Ready) -> Self {
        let event = Self::default().event(ready.name).data(ready.data);
        match ready.id {
            Some(id) => event.id(id.to_string()),
            None => event,
        }
    }
}

/// The newest events, and the readers that listen.
#[derive(Debug)]
pub(super) struct Live {
    /// Oldest first.
    kept: Mutex<VecDeque<Ready>>,
    /// Ids of this run start after this one. It derives from the clock, so ids of earlier runs are lower.
    before: u64,
    pub(super) news: broadcast::Sender<Ready>,
}

impl Live {
    pub(super) fn new() -> Self {
        // A run would need 16 million events per second to reach the ids of the next run.
        let before = u64::from(now().0) << 24;
        Self { kept: Mutex::default(), before, news: broadcast::Sender::new(LIVE_EVENTS) }
    }

    /// Queues an event with the next id, and sends it to all listeners.
    pub(super) fn tell(&self, name: &'static str, data: &impl Serialize) {
        let data = text(data);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let id = kept.back().and_then(|last| last.id).unwrap_or(self.before) + 1;
        let ready = Ready { id: Some(id), name, data };
        if kept.len() >= LIVE_EVENTS {
            kept.pop_front();
        }
        kept.push_back(ready.clone());
        // Under the lock, so that a new listener misses nothing and gets nothing twice.
        let _ = self.news.send(ready);
    }

    /// Asks all listeners to reload, instead of sending each event.
    pub(super) fn reset(&self) {
        self.tell("reset", &serde_json::Map::new());
    }

    /// Starts to listen. Returns the events missed since the event `last`, and the receiver of later ones.
    pub(super) fn listen(&self, last: Option<u64>) -> (Vec<Ready>, broadcast::Receiver<Ready>) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.news.subscribe();
        let newest = kept.back().and_then(|ready| ready.id).unwrap_or(self.before);
        let oldest = kept.front().and_then(|ready| ready.id).unwrap_or(self.before + 1);
        let hello = Ready { id: Some(newest), name: "hello", data: text(&Hello { id: newest }) };
        let missed = match last {
            None => vec![hello],
            Some(last) if last <= newest && last + 1 >= oldest => {
                kept.iter().filter(|ready| ready.id > Some(last)).cloned().collect()
            }
            Some(_) => vec![Ready { id: Some(newest), name: "reset", data: "{}".to_owned() }],
        };
        (missed, news)
    }
}

/// Data of an event as JSON.
pub(super) fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("events are made of strings and numbers")
}

/// The first event that a new reader gets.
#[derive(Debug, Serialize)]
struct Hello {
    id: u64,
}
