//! Statistics of a server and its connections. Reading them never waits for a miner.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::difficulty::Difficulty;
use crate::limits;
use crate::pool::Account;
use crate::report::{Protocol, Report};
use crate::totals::Totals;

#[cfg(test)]
mod tests;

/// State of one connection, or of one channel of Stratum v2, at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionSnapshot {
    /// Serial number of the connection, starting at 1. Unique for the life of the server.
    pub id: u64,
    /// Remote address.
    pub peer: SocketAddr,
    /// Authorized user names in order of authorization, without blanks around the parts.
    pub workers: Vec<String>,
    /// The account that [`Pool::authorize`](crate::Pool::authorize) returned for these user names.
    /// `None` before the first accepted login. Not serialized.
    #[serde(skip)]
    pub account: Option<Account>,
    /// User agent from `mining.subscribe`, or vendor, hardware and firmware from `SetupConnection`, without control characters and cut to
    /// [`AGENT_CHARS_MAX`](crate::limits::AGENT_CHARS_MAX). Empty if the miner sent none.
    pub agent: String,
    /// How it speaks with the server.
    pub protocol: Protocol,
    /// Size of the newest job's serialized coinbase without witness, in bytes. `None` before the first job, and for a standard
    /// channel, whose device sees none.
    pub coinbase_bytes: Option<usize>,
    /// Longest coinbase that the device can hold, in bytes. `None` if no limit is known.
    pub coinbase_bytes_max: Option<usize>,
    /// Difficulty of the newest job. `None` before the first job.
    pub difficulty: Option<f64>,
    /// Submissions of this connection.
    pub submits: Totals,
    /// Estimated hashrate, in hashes per second.
    pub hashrate_hs: f64,
    /// Age of the connection, in seconds.
    pub connected_s: u64,
    /// Seconds since the last accepted submission. `None` before the first.
    pub last_share_age_s: Option<u64>,
}

/// All open connections, with each channel of Stratum v2 as one, at one moment, and counters since the server started.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// Open connections, oldest first.
    pub connections: Vec<ConnectionSnapshot>,
    /// Submissions of all connections, including closed ones.
    pub totals: Totals,
    /// Sum of the open connections' estimated hashrates, in hashes per second.
    pub hashrate_hs: f64,
    /// Number of connections accepted since the server started.
    pub connections_taken: u64,
    /// Number of connections rejected because of a limit since the server started.
    pub connections_refused: u64,
    /// Number of other connections that ended since the server started, by reason. `node/ops/README.md` explains each.
    pub connections_closed: BTreeMap<&'static str, u64>,
}

/// Reasons for the end of a connection, all of which the statistics show.
const CLOSED: [&str; 16] = [
    "coinbase",
    "encryption",
    "flood",
    "idle",
    "malformed",
    "miner",
    "mismatch",
    "no_login",
    "no_work",
    "partial",
    "proxy",
    "setup",
    "socket",
    "stopping",
    "strikes",
    "write_timeout",
];

/// Shared statistics of a server. Each connection publishes its own part; any thread may read.
#[derive(Debug, Default)]
pub struct Stats {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: BTreeMap<u64, Arc<Slot>>,
    closed: Totals,
    accepted: u64,
    rejected: u64,
    /// How many connections ended, by reason.
    ended: BTreeMap<&'static str, u64>,
    /// Connections with submissions that ended, oldest first: at most [`limits::LEFT_MAX`].
    left: VecDeque<(u64, Arc<Slot>)>,
}

#[derive(Debug)]
struct Slot {
    peer: SocketAddr,
    report: Mutex<Report>,
}

impl Stats {
    /// Returns the current state of all connections.
    pub fn snapshot(&self) -> Snapshot {
        self.shot(|_| ()).0
    }

    /// Returns the current state of all connections, and the last state of each one with submissions that ended since the last
    /// call: of the newest [`limits::LEFT_MAX`]. Each connection is in one of the two.
    pub fn take(&self) -> (Snapshot, Vec<ConnectionSnapshot>) {
        let (snapshot, left) = self.shot(|inner| std::mem::take(&mut inner.left));
        let now = Instant::now();
        (snapshot, left.iter().map(|(id, slot)| connection(*id, slot.peer, &lock(&slot.report), now)).collect())
    }

    /// Returns the current state of all connections, with what `beside` takes at the same time.
    fn shot<T>(&self, beside: impl FnOnce(&mut Inner) -> T) -> (Snapshot, T) {
        let now = Instant::now();
        let (slots, mut totals, accepted, rejected, connections_closed, taken) = {
            let mut inner = lock(&self.inner);
            let taken = beside(&mut inner);
            let slots: Vec<_> = inner.open.iter().map(|(id, slot)| (*id, Arc::clone(slot))).collect();
            let closed = CLOSED.map(|reason| (reason, inner.ended.get(reason).copied().unwrap_or_default()));
            (slots, inner.closed, inner.accepted, inner.rejected, BTreeMap::from(closed), taken)
        };
        let connections: Vec<_> =
            slots.iter().map(|(id, slot)| connection(*id, slot.peer, &lock(&slot.report), now)).collect();
        for connection in &connections {
            totals.add(&connection.submits);
        }
        let snapshot = Snapshot {
            // Not `sum`, which returns -0.0 without connections.
            hashrate_hs: connections.iter().fold(0.0, |sum, connection| sum + connection.hashrate_hs),
            connections,
            totals,
            connections_taken: accepted,
            connections_refused: rejected,
            connections_closed,
        };
        (snapshot, taken)
    }

    /// Returns the number of open connections, with each channel of Stratum v2 as one.
    pub fn open_connections(&self) -> usize {
        lock(&self.inner).open.len()
    }

    /// Adds a connection. Dropping the returned slot removes it and keeps its counters in the totals.
    pub(crate) fn open(self: &Arc<Self>, peer: SocketAddr, report: Report) -> OpenSlot {
        let slot = Arc::new(Slot { peer, report: Mutex::new(report) });
        let mut inner = lock(&self.inner);
        inner.accepted += 1;
        let id = inner.accepted;
        inner.open.insert(id, Arc::clone(&slot));
        OpenSlot { id, slot, stats: Arc::clone(self) }
    }

    /// Counts a connection that ended for the reason of this name.
    pub(crate) fn count_closed(&self, reason: &'static str) {
        debug_assert!(CLOSED.contains(&reason), "{reason} is shown");
        *lock(&self.inner).ended.entry(reason).or_default() += 1;
    }

    /// Counts a connection that the server rejected because of a limit.
    pub(crate) fn count_rejected(&self) {
        lock(&self.inner).rejected += 1;
    }
}

/// An open connection's entry in the statistics. Dropping it moves its counters to the closed ones.
#[derive(Debug)]
pub(crate) struct OpenSlot {
    pub(crate) id: u64,
    slot: Arc<Slot>,
    stats: Arc<Stats>,
}

impl OpenSlot {
    /// Returns whether another device of this program at the same address has shown that it can hold a coinbase of so many
    /// bytes.
    pub(crate) fn is_held_beside(&self, agent: &str, bytes: usize) -> bool {
        let slots: Vec<_> = lock(&self.stats.inner).open.values().map(Arc::clone).collect();
        let beside =
            slots.iter().filter(|slot| slot.peer.ip() == self.slot.peer.ip() && !Arc::ptr_eq(slot, &self.slot));
        beside
            .map(|slot| lock(&slot.report))
            .any(|report| *report.agent == *agent && report.totals.accepted > 0 && report.coinbase_bytes >= Some(bytes))
    }

    /// Updates the connection's state. Most jobs change nothing, and what sessions share would be counted in vain.
    pub(crate) fn publish(&self, report: &Report) {
        let mut known = lock(&self.slot.report);
        if *known != *report {
            known.clone_from(report);
        }
    }
}

impl Drop for OpenSlot {
    fn drop(&mut self) {
        let mut inner = lock(&self.stats.inner);
        if inner.open.remove(&self.id).is_some() {
            let totals = lock(&self.slot.report).totals;
            inner.closed.add(&totals);
            if totals.accepted + totals.rejected.sum() > 0 {
                if inner.left.len() >= limits::LEFT_MAX {
                    inner.left.pop_front();
                }
                inner.left.push_back((self.id, Arc::clone(&self.slot)));
            }
        }
    }
}

fn connection(id: u64, peer: SocketAddr, report: &Report, now: Instant) -> ConnectionSnapshot {
    let seconds_since = |then: Instant| now.saturating_duration_since(then).as_secs();
    ConnectionSnapshot {
        id,
        peer,
        workers: report.workers.iter().map(|worker| worker.to_string()).collect(),
        account: report.account.clone(),
        agent: report.agent.to_string(),
        protocol: report.protocol,
        coinbase_bytes: report.coinbase_bytes,
        coinbase_bytes_max: report.coinbase_bytes_max,
        difficulty: report.difficulty.map(Difficulty::to_f64),
        submits: report.totals,
        hashrate_hs: report.meter.hashes_per_second(now),
        connected_s: seconds_since(report.opened),
        last_share_age_s: report.last_share.map(seconds_since),
    }
}

/// Locks despite poisoning: no panic leaves the data half-updated.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
