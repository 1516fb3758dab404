//! What the server can say about its connections. Reading it never waits for a miner.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::message::RejectReason;
use crate::session::Report;

/// Refused submits by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Job unknown, too old, or of an old Bitcoin tip.
    pub stale: u64,
    /// Sent before.
    pub duplicate: u64,
    /// Above the job's target.
    pub low_difficulty: u64,
    /// Time outside of the job's window.
    pub time: u64,
    /// Version bits outside of the mask.
    pub version: u64,
    /// Not subscribed, not authorized, or an unknown user name.
    pub unauthorized: u64,
    /// Parameters that could not be read.
    pub malformed: u64,
}

impl Rejected {
    /// Counts one.
    pub(crate) fn count(&mut self, reason: RejectReason) {
        let counter = match reason {
            RejectReason::Stale => &mut self.stale,
            RejectReason::Duplicate => &mut self.duplicate,
            RejectReason::LowDifficulty => &mut self.low_difficulty,
            RejectReason::Time => &mut self.time,
            RejectReason::Version => &mut self.version,
            RejectReason::Unauthorized => &mut self.unauthorized,
            RejectReason::Malformed => &mut self.malformed,
        };
        *counter += 1;
    }

    /// Returns the sum over all reasons.
    pub fn sum(&self) -> u64 {
        let Self { stale, duplicate, low_difficulty, time, version, unauthorized, malformed } = self;
        stale + duplicate + low_difficulty + time + version + unauthorized + malformed
    }

    fn add(&mut self, other: &Self) {
        self.stale += other.stale;
        self.duplicate += other.duplicate;
        self.low_difficulty += other.low_difficulty;
        self.time += other.time;
        self.version += other.version;
        self.unauthorized += other.unauthorized;
        self.malformed += other.malformed;
    }
}

/// Counters of submits, of one connection or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Submits accepted.
    pub accepted: u64,
    /// Sum of the difficulties of the jobs they were for.
    pub accepted_difficulty: f64,
    /// Submits that met the share target, and so went to the pool.
    pub shares: u64,
    /// Submits that met Bitcoin's target.
    pub blocks: u64,
    /// Submits refused, by reason.
    pub rejected: Rejected,
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.accepted_difficulty += other.accepted_difficulty;
        self.shares += other.shares;
        self.blocks += other.blocks;
        self.rejected.add(&other.rejected);
    }
}

/// One connection at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionSnapshot {
    /// The connection's number, from 1, over the process's life.
    pub id: u64,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// The user names it authorized, first one first.
    pub workers: Vec<String>,
    /// The user agent it gave, cut to printable characters.
    pub agent: String,
    /// Difficulty it works at, if it has a job.
    pub difficulty: Option<f64>,
    /// Its submits.
    pub submits: Totals,
    /// Estimated hashes a second.
    pub hashrate_hs: f64,
    /// Seconds since it connected.
    pub connected_s: u64,
    /// Seconds since its last accepted share.
    pub last_share_age_s: Option<u64>,
}

/// All connections at one moment, and counters since the server started.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// The connections, oldest first.
    pub connections: Vec<ConnectionSnapshot>,
    /// Submits of all connections, closed ones included.
    pub totals: Totals,
    /// Sum of the open connections' estimated hashes a second.
    pub hashrate_hs: f64,
    /// Connections taken since the start.
    pub connections_taken: u64,
    /// Connections turned away because of a limit.
    pub connections_refused: u64,
}

/// Shared statistics of a server: connections write their own part, anyone reads.
#[derive(Debug, Default)]
pub struct Stats {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: BTreeMap<u64, Arc<Slot>>,
    closed: Totals,
    taken: u64,
    refused: u64,
}

#[derive(Debug)]
struct Slot {
    peer: SocketAddr,
    report: Mutex<Report>,
}

impl Stats {
    /// Returns the state of all connections now.
    pub fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let (slots, mut totals, taken, refused) = {
            let inner = lock(&self.inner);
            let slots: Vec<_> = inner.open.iter().map(|(id, slot)| (*id, Arc::clone(slot))).collect();
            (slots, inner.closed, inner.taken, inner.refused)
        };
        let connections: Vec<_> =
            slots.iter().map(|(id, slot)| connection(*id, slot.peer, &lock(&slot.report), now)).collect();
        for connection in &connections {
            totals.add(&connection.submits);
        }
        Snapshot {
            // Not `sum`, which is -0.0 for no connection.
            hashrate_hs: connections.iter().fold(0.0, |sum, connection| sum + connection.hashrate_hs),
            connections,
            totals,
            connections_taken: taken,
            connections_refused: refused,
        }
    }

    pub(crate) fn open(self: &Arc<Self>, peer: SocketAddr, report: Report) -> OpenSlot {
        let slot = Arc::new(Slot { peer, report: Mutex::new(report) });
        let mut inner = lock(&self.inner);
        inner.taken += 1;
        let id = inner.taken;
        inner.open.insert(id, Arc::clone(&slot));
        OpenSlot { id, slot, stats: Arc::clone(self) }
    }

    pub(crate) fn count_refused(&self) {
        lock(&self.inner).refused += 1;
    }
}

/// A connection's place in the statistics; dropping it closes the connection's account.
#[derive(Debug)]
pub(crate) struct OpenSlot {
    pub(crate) id: u64,
    slot: Arc<Slot>,
    stats: Arc<Stats>,
}

impl OpenSlot {
    pub(crate) fn publish(&self, report: Report) {
        *lock(&self.slot.report) = report;
    }
}

impl Drop for OpenSlot {
    fn drop(&mut self) {
        let mut inner = lock(&self.stats.inner);
        if inner.open.remove(&self.id).is_some() {
            let totals = lock(&self.slot.report).totals;
            inner.closed.add(&totals);
        }
    }
}

fn connection(id: u64, peer: SocketAddr, report: &Report, now: Instant) -> ConnectionSnapshot {
    let seconds_since = |then: Instant| now.saturating_duration_since(then).as_secs();
    ConnectionSnapshot {
        id,
        peer,
        workers: report.workers.iter().map(|worker| worker.to_string()).collect(),
        agent: report.agent.to_string(),
        difficulty: report.difficulty.map(crate::Difficulty::to_f64),
        submits: report.totals,
        hashrate_hs: report.meter.hashes_per_second(now),
        connected_s: seconds_since(report.opened),
        last_share_age_s: report.last_share.map(seconds_since),
    }
}

/// Counters stay usable after a panic of another thread: every change to them is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
