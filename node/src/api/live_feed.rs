//! The newest live events, and the channel to the readers that listen to them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::sse::Event;
use p2p_proto::prefix::Prefix;
use serde::Serialize;
use tokio::sync::broadcast;

use super::limits::LIVE_EVENTS;
use super::slots::Slots;
use crate::clock::now_ns;

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

/// The newest events, and the readers that listen. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// Oldest first.
    kept: Arc<Mutex<VecDeque<Ready>>>,
    /// Ids of this run start after this one. It derives from the clock, so ids of earlier runs are lower, and those of another
    /// process behind the same proxy are others, even if both started in the same second.
    before: u64,
    pub(super) news: broadcast::Sender<Ready>,
    /// Open streams.
    pub(super) streams: Slots,
}

impl Live {
    /// No events yet. Clients of these proxies count one by one.
    pub(super) fn new(proxies: &[Prefix]) -> Self {
        // A run would need a billion events per second to reach the ids of the next run.
        let (before, news) = (now_ns(), broadcast::Sender::new(LIVE_EVENTS));
        Self { kept: Arc::default(), before, news, streams: Slots::new(proxies) }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As when one proxy leads to two explorers: ids of one must not be among those of the other.
    #[test]
    fn a_reader_of_another_process_is_told_to_reload() {
        let processes = [(); 2].map(|()| {
            // Some time passes between the starts of two processes, by far less than a second.
            std::thread::sleep(std::time::Duration::from_millis(1));
            let live = Live::new(&[]);
            (0..5).for_each(|number| live.tell("share", &number));
            live
        });
        for (own, other) in [(0, 1), (1, 0)] {
            let (missed, _) = processes[own].listen(None);
            let last = missed[0].id;
            assert!(processes[own].listen(last).0.is_empty());
            assert_eq!(processes[other].listen(last).0[0].name, "reset");
        }
    }
}
