//! Detects miners that went silent, and miners that are back. It has no clock: the caller passes the time.

use std::collections::BTreeMap;

use stratum::ConnectionSnapshot;

use crate::limits::{WORKER_FORGOTTEN_S, WORKER_SILENT_S, WORKERS_WATCHED_MAX};

/// The miners of this node, by the first user name of their connections.
#[derive(Debug, Default)]
pub(super) struct Silence {
    workers: BTreeMap<String, Worker>,
}

#[derive(Clone, Copy, Debug)]
struct Worker {
    last_sign_s: u64,
    silent: bool,
}

/// A change of a miner's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// No accepted submit for this many seconds.
    Silent { worker: String, seconds: u64 },
    /// The miner submits again.
    Back { worker: String },
}

impl Silence {
    /// Checks all connections and returns the changes. `now_s` is in seconds of a monotonic clock.
    pub(super) fn look(&mut self, connections: &[ConnectionSnapshot], now_s: u64) -> Vec<News> {
        let mut news = Vec::new();
        for connection in connections {
            let Some(name) = connection.workers.first() else { continue };
            // A connection without a submit yet counts from its start.
            let age_s = connection.last_share_age_s.unwrap_or(connection.connected_s);
            let sign_s = now_s.saturating_sub(age_s);
            if !self.workers.contains_key(name) && self.workers.len() >= WORKERS_WATCHED_MAX {
                continue;
            }
            let worker = self.workers.entry(name.clone()).or_insert(Worker { last_sign_s: sign_s, silent: false });
            worker.last_sign_s = worker.last_sign_s.max(sign_s);
        }
        self.workers.retain(|_, worker| now_s.saturating_sub(worker.last_sign_s) < WORKER_FORGOTTEN_S);
        for (name, worker) in &mut self.workers {
            let seconds = now_s.saturating_sub(worker.last_sign_s);
            let silent = seconds >= WORKER_SILENT_S;
            match (worker.silent, silent) {
                (false, true) => news.push(News::Silent { worker: name.clone(), seconds }),
                (true, false) => news.push(News::Back { worker: name.clone() }),
                _ => {}
            }
            worker.silent = silent;
        }
        news
    }
}

#[cfg(test)]
mod tests;
