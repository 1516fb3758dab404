//! How long shares take from node to node, by the nodes' own live events.
//!
//! Each node reports immediately when it accepts a share (`/api/v1/events`), and whether its own miner found it. The
//! time from the finder's node to another one is the share's propagation time, including all delays of the nodes and
//! their lines.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::task::JoinHandle;

use crate::limits::{WATCH_EVENT_BYTES_MAX, WATCH_SAMPLES_MAX, WATCHED_SHARES_MAX};

/// Pause before a stream that ended is opened again.
const PAUSE: Duration = Duration::from_millis(100);

/// A share that came from one node to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// Index of the finder's node.
    pub from: usize,
    /// Index of the node that accepted it later.
    pub to: usize,
    /// When it did.
    pub at: Instant,
    /// How long after the finder's node.
    pub took: Duration,
}

/// Watches the nodes until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Watcher {
    /// Starts to watch the nodes with these API addresses.
    pub fn start(apis: impl IntoIterator<Item = SocketAddr>) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let follow = |(node, api): (usize, SocketAddr)| tokio::spawn(follow(node, api, Arc::clone(&seen)));
        Self { tasks: apis.into_iter().enumerate().map(follow).collect(), seen }
    }

    /// Returns the passages so far, oldest first: the newest [`WATCH_SAMPLES_MAX`].
    pub fn passages(&self) -> Vec<Passage> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).passages.iter().copied().collect()
    }
}

/// A share, as reported by the nodes.
#[derive(Debug, Default)]
struct Told {
    origin: Option<(usize, Instant)>,
    /// Nodes that accepted it before the finder's node reported it.
    before: Vec<(usize, Instant)>,
}

#[derive(Debug, Default)]
struct Seen {
    shares: HashMap<String, Told>,
    /// Ids in the order of their first mention: the oldest is forgotten first.
    order: VecDeque<String>,
    passages: VecDeque<Passage>,
}

impl Seen {
    /// A node accepted a share.
    fn accepted(&mut self, node: usize, id: String, own: bool, at: Instant) {
        if !self.shares.contains_key(&id) {
            self.order.push_back(id.clone());
            if self.order.len() > WATCHED_SHARES_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.shares.remove(&oldest);
            }
        }
        let told = self.shares.entry(id).or_default();
        let passed = match (own, told.origin) {
            // A restarted node reports its own shares again.
            (true, Some(_)) => Vec::new(),
            (true, None) => {
                told.origin = Some((node, at));
                std::mem::take(&mut told.before).into_iter().map(|(to, later)| (node, at, to, later)).collect()
            }
            (false, Some((from, found))) if from != node => vec![(from, found, node, at)],
            (false, Some(_)) => Vec::new(),
            (false, None) => {
                told.before.push((node, at));
                Vec::new()
            }
        };
        for (from, found, to, at) in passed {
            self.passages.push_back(Passage { from, to, at, took: at.saturating_duration_since(found) });
            if self.passages.len() > WATCH_SAMPLES_MAX {
                self.passages.pop_front();
            }
        }
    }
}

/// `share` and `link` events, in part.
#[derive(Debug, Deserialize)]
struct LiveShare {
    id: String,
    own: bool,
}

/// Follows a node's live events. A stream ends after about a minute; the next one resumes where it ended.
async fn follow(node: usize, api: SocketAddr, seen: Arc<Mutex<Seen>>) {
    let http = reqwest::Client::new();
    let mut last = None;
    loop {
        let mut request = http.get(format!("http://{api}/api/v1/events"));
        if let Some(last) = &last {
            request = request.header("last-event-id", last);
        }
        if let Ok(mut response) = request.send().await {
            let mut lines = Lines::default();
            while let Ok(Some(piece)) = response.chunk().await {
                let at = Instant::now();
                for event in lines.take(&piece) {
                    last = event.id.or(last);
                    let is_share = matches!(event.name.as_str(), "share" | "link");
                    if let Some(share) = is_share.then(|| serde_json::from_str::<LiveShare>(&event.data).ok()).flatten()
                    {
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                        seen.accepted(node, share.id, share.own, at);
                    }
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A server-sent event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
}

/// Buffer that splits a stream into events.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    event: Event,
}

impl Lines {
    /// Adds a piece and returns the events that it completes. A line that is too long is dropped.
    fn take(&mut self, piece: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        self.rest.extend_from_slice(piece);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                Some(("id", value)) => self.event.id = Some(value.to_owned()),
                Some(("event", value)) => self.event.name = value.to_owned(),
                Some(("data", value)) => self.event.data = value.to_owned(),
                _ if line.is_empty() => events.push(std::mem::take(&mut self.event)),
                _ => {}
            }
        }
        if self.rest.len() > WATCH_EVENT_BYTES_MAX {
            self.rest.clear();
        }
        events
    }
}

/// Returns the `percent`th percentile of the samples, by nearest rank; `None` if there are none.
pub fn percentile(samples: &mut [Duration], percent: usize) -> Option<Duration> {
    samples.sort_unstable();
    let rank = (samples.len() * percent).div_ceil(100).max(1);
    samples.get(rank - 1).copied()
}

#[cfg(test)]
mod tests;
