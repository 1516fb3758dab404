//! The jobs that a session has issued and still accepts.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bitcoin::{BlockHash, Target};

use crate::difficulty::Difficulty;
use crate::limits;
use crate::pool::Work;

/// One `mining.notify`: its job id, and the difficulty in effect when the session sent it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issued {
    id: u32,
    pub(crate) difficulty: Difficulty,
    /// The exact target of `difficulty`.
    pub(crate) target: Target,
}

/// One work unit with its jobs. All jobs of a work unit produce the same headers, so the seen hashes
/// belong to the work unit, not to a job.
#[derive(Debug)]
struct Entry {
    work: Arc<Work>,
    issued: VecDeque<Issued>,
    seen: HashSet<BlockHash>,
    /// When Bitcoin's tip changed to another block. `None` while this work unit builds on the tip.
    retired: Option<Instant>,
}

/// A session's work units, oldest first, at most [`limits::WORKS_MAX`].
#[derive(Debug)]
pub(crate) struct Jobs {
    entries: VecDeque<Entry>,
    next_id: u32,
}

/// A job that the session still accepts, with its work unit.
pub(crate) struct KnownJob {
    pub(crate) work: Arc<Work>,
    pub(crate) issued: Issued,
    /// When Bitcoin's tip changed away from the work unit's. `None` if it has not.
    pub(crate) retired: Option<Instant>,
}

impl Jobs {
    /// Creates an empty list. The first job gets the id `first_id`.
    pub(crate) fn new(first_id: u32) -> Self {
        Self { entries: VecDeque::new(), next_id: first_id }
    }

    /// Returns the newest work unit.
    pub(crate) fn current(&self) -> Option<&Arc<Work>> {
        self.entries.back().map(|entry| &entry.work)
    }

    /// Adds a work unit and returns whether miners must drop older ones: Bitcoin's tip changed, or solo work began or
    /// ended. If the tip changed, all older work units retire. The first work unit counts as a change.
    pub(crate) fn push(&mut self, work: Arc<Work>, now: Instant) -> bool {
        let changed = self.current().is_none_or(|current| current.prev_block != work.prev_block);
        if changed {
            for entry in &mut self.entries {
                entry.retired.get_or_insert(now);
            }
        }
        let clean = changed || self.current().is_some_and(|current| current.solo != work.solo);
        if self.entries.len() >= limits::WORKS_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { work, issued: VecDeque::new(), seen: HashSet::new(), retired: None });
        clean
    }

    /// Issues a job of the newest work unit and returns its id, which is new on this connection.
    /// Returns `None` without a work unit.
    pub(crate) fn issue(&mut self, difficulty: Difficulty) -> Option<u32> {
        let entry = self.entries.back_mut()?;
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        if entry.issued.len() >= limits::JOBS_PER_WORK_MAX {
            entry.issued.pop_front();
        }
        entry.issued.push_back(Issued { id, difficulty, target: difficulty.target() });
        Some(id)
    }

    /// Finds a job by its id. Returns `None` if the session never issued it or has dropped it.
    pub(crate) fn find(&self, id: u32) -> Option<KnownJob> {
        self.entries.iter().rev().find_map(|entry| {
            let issued = *entry.issued.iter().rev().find(|issued| issued.id == id)?;
            Some(KnownJob { work: Arc::clone(&entry.work), issued, retired: entry.retired })
        })
    }

    /// Records a hash of the work unit `key`. Returns `false` if it is already recorded.
    pub(crate) fn remember(&mut self, key: u64, hash: BlockHash) -> bool {
        let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.work.key == key) else {
            return true;
        };
        if entry.seen.len() >= limits::SEEN_PER_WORK_MAX && !entry.seen.contains(&hash) {
            entry.seen.clear();
        }
        entry.seen.insert(hash)
    }
}
