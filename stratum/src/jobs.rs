//! The jobs that a session has issued and still accepts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use crate::difficulty::Difficulty;
use crate::limits;
use crate::pool::Work;

/// How far the time of a new work unit's job may be ahead of the clock so that it is later than the jobs before, seconds.
/// A network with a link a second has more jobs than seconds: after half a day, bitcoind would reject its blocks.
const LEAD_S: u32 = 60;

/// Jobs of all work units that most sessions keep: one each, some keepalives, and some changes of difficulty. Reserved at once, since the
/// lists of ten thousand sessions that grow together leave holes in the heap.
const JOBS_USUAL: usize = limits::WORKS_MAX + 16;

/// One `mining.notify`: its job id, and the difficulty in effect when the session sent it.
#[derive(Clone, Copy, Debug)]
struct Issued {
    id: u32,
    /// Number of the work unit, counted from the session's first one.
    work: u32,
    difficulty: Difficulty,
}

/// One work unit. All its jobs can produce the same headers, so the seen hashes belong to the work unit, not to a job.
#[derive(Debug)]
struct Entry {
    work: Arc<Work>,
    /// Accepted hashes. Most work units have none.
    seen: Seen,
    /// When Bitcoin's tip changed to another block. `None` while this work unit builds on the tip.
    retired: Option<Moment>,
}

/// Time since a session's first job, in tenths of a second: 13 years fit. An [`Instant`] takes 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Moment(u32);

impl Moment {
    fn new(opened: Instant, now: Instant) -> Self {
        // Rounded up, so that the grace period for late work is never shortened.
        let tenths = now.saturating_duration_since(opened).as_millis().div_ceil(100);
        Self(u32::try_from(tenths).unwrap_or(u32::MAX))
    }

    fn instant(self, opened: Instant) -> Instant {
        opened + Duration::from_millis(u64::from(self.0) * 100)
    }
}

/// The accepted hashes of a work unit, in order: of each, the 8 bytes that proof of work leaves to chance. Two different ones
/// have the same with a probability below 1 in 10^15, even if the set is full.
#[derive(Debug, Default)]
#[expect(clippy::box_collection, reason = "a work unit without any takes 8 bytes for it, not 24")]
struct Seen(Option<Box<Vec<u64>>>);

impl Seen {
    /// Adds a hash. Returns `false` if it is in the set.
    fn add(&mut self, hash: BlockHash) -> bool {
        let [random, ..] = hash.as_byte_array().as_chunks::<8>().0 else { return true };
        let random = u64::from_le_bytes(*random);
        let seen = self.0.get_or_insert_default();
        let Err(place) = seen.binary_search(&random) else { return false };
        if seen.len() >= limits::SEEN_PER_WORK_MAX {
            seen.clear();
            seen.push(random);
        } else {
            seen.insert(place, random);
        }
        true
    }
}

/// A session's work units and jobs. A connection holds 64 of the former for most of its life, so both are small: 1.5 KiB
/// and 1.3 KiB.
#[derive(Debug)]
pub(crate) struct Jobs {
    /// Oldest first, at most [`limits::WORKS_MAX`].
    works: VecDeque<Entry>,
    /// Number of the oldest work unit.
    oldest: u32,
    /// When the session received its first work unit, and when the newest one.
    times: Option<(Instant, Instant)>,
    /// Jobs of these work units, oldest first, at most [`limits::JOBS_MAX`].
    issued: VecDeque<Issued>,
    next_id: u32,
    /// Header time of the newest job with this extranonce, in seconds since 1970.
    last_time: u32,
}

/// A new `mining.notify`.
pub(crate) struct NewJob {
    pub(crate) id: u32,
    /// Header time to start from, in seconds since 1970.
    pub(crate) time: u32,
}

/// A job that the session still accepts, with its work unit.
pub(crate) struct KnownJob {
    pub(crate) work: Arc<Work>,
    /// Difficulty in effect when the session sent it.
    pub(crate) difficulty: Difficulty,
    /// When Bitcoin's tip changed away from the work unit's. `None` if it has not.
    pub(crate) retired: Option<Instant>,
}

impl Jobs {
    /// Creates an empty list. The first job gets the id `first_id`.
    pub(crate) fn new(first_id: u32) -> Self {
        Self {
            works: VecDeque::new(),
            oldest: 0,
            times: None,
            issued: VecDeque::new(),
            next_id: first_id,
            last_time: 0,
        }
    }

    /// Returns the header time of the newest job, in seconds since 1970; 0 before the first.
    pub(crate) fn last_time(&self) -> u32 {
        self.last_time
    }

    /// Continues after jobs of an earlier connection with the same extranonce.
    pub(crate) fn resume_after(&mut self, last_time: u32) {
        self.last_time = last_time;
    }

    /// Returns the newest work unit.
    pub(crate) fn current(&self) -> Option<&Arc<Work>> {
        self.works.back().map(|entry| &entry.work)
    }

    /// Adds a work unit and returns whether miners must drop older ones: Bitcoin's tip changed, or solo work began or
    /// ended. If the tip changed, all older work units retire. The first work unit counts as a change.
    pub(crate) fn push(&mut self, work: Arc<Work>, now: Instant) -> bool {
        let changed = self.current().is_none_or(|current| current.prev_block != work.prev_block);
        if self.times.is_none() {
            self.works.reserve_exact(limits::WORKS_MAX);
            self.issued.reserve_exact(JOBS_USUAL);
        }
        let opened = self.times.map_or(now, |(opened, _)| opened);
        self.times = Some((opened, now));
        if changed {
            // Those before the newest retired one retired with it, or before.
            for entry in self.works.iter_mut().rev().take_while(|entry| entry.retired.is_none()) {
                entry.retired = Some(Moment::new(opened, now));
            }
        }
        let clean = changed || self.current().is_some_and(|current| current.solo != work.solo);
        if self.works.len() >= limits::WORKS_MAX {
            self.works.pop_front();
            let dropped = self.oldest;
            self.oldest = dropped.wrapping_add(1);
            while self.issued.front().is_some_and(|issued| issued.work == dropped) {
                self.issued.pop_front();
            }
        }
        self.works.push_back(Entry { work, seen: Seen::default(), retired: None });
        clean
    }

    /// Returns the number of the newest work unit. `None` without one.
    fn newest(&self) -> Option<u32> {
        let last = u32::try_from(self.works.len()).ok()?.checked_sub(1)?;
        Some(self.oldest.wrapping_add(last))
    }

    /// Returns the header time of the next job: the time that it is by now, and later than that of every earlier job with
    /// this extranonce, unless it would be more than [`LEAD_S`] ahead. Some firmware restarts its extranonce2 at each
    /// job, and would repeat its work under an equal time. `None` without a work unit, or if the newest one, sent before,
    /// has no later time.
    pub(crate) fn next_time(&self, now: Instant) -> Option<u32> {
        let (work, (_, since)) = (self.current()?, self.times?);
        let (start, last) = (work.time, work.last_time());
        let waited = u32::try_from(now.saturating_duration_since(since).as_secs()).unwrap_or(u32::MAX);
        let clock = start.saturating_add(waited).min(last);
        let time = clock.max(self.last_time.saturating_add(1));
        let was_sent = self.issued.back().map(|issued| issued.work) == self.newest();
        match was_sent {
            true => (time <= last).then_some(time),
            false if time <= last.min(clock.saturating_add(LEAD_S)) => Some(time),
            // Another work unit has other content.
            false => Some(clock),
        }
    }

    /// Issues a job of the newest work unit, with an id that is new on this connection and the time from
    /// [`Self::next_time`]. `None` without a work unit.
    pub(crate) fn issue(&mut self, difficulty: Difficulty, time: u32) -> Option<NewJob> {
        let work = self.newest()?;
        self.last_time = time;
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        if self.issued.len() >= limits::JOBS_MAX {
            self.issued.pop_front();
        }
        self.issued.push_back(Issued { id, work, difficulty });
        Some(NewJob { id, time })
    }

    /// Finds a job by its id. Returns `None` if the session never issued it or has dropped it.
    pub(crate) fn find(&self, id: u32) -> Option<KnownJob> {
        let issued = self.issued.iter().rev().find(|issued| issued.id == id)?;
        let at = usize::try_from(issued.work.wrapping_sub(self.oldest)).ok()?;
        let Entry { work, retired, .. } = self.works.get(at)?;
        let (opened, _) = self.times?;
        let retired = retired.map(|moment| moment.instant(opened));
        Some(KnownJob { work: Arc::clone(work), difficulty: issued.difficulty, retired })
    }

    /// Records a hash of the work unit `key`. Returns `false` if it is already recorded.
    pub(crate) fn remember(&mut self, key: u64, hash: BlockHash) -> bool {
        let Some(entry) = self.works.iter_mut().rev().find(|entry| entry.work.key == key) else {
            return true;
        };
        entry.seen.add(hash)
    }
}
