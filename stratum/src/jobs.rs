//! The jobs a session has handed out and still takes.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bitcoin::{BlockHash, Target};

use crate::difficulty::Difficulty;
use crate::limits;
use crate::pool::Work;

/// One notify: what the miner calls it, and what was asked of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issued {
    id: u32,
    pub(crate) difficulty: Difficulty,
    pub(crate) target: Target,
}

/// One work with its jobs. Repeated notifies of a work make the same headers, so what was seen is
/// remembered for the work, not for the job.
#[derive(Debug)]
struct Entry {
    work: Arc<Work>,
    issued: VecDeque<Issued>,
    seen: HashSet<BlockHash>,
    /// When Bitcoin's tip moved on from this work's.
    retired: Option<Instant>,
}

/// The works of a session, oldest first, bounded.
#[derive(Debug)]
pub(crate) struct Jobs {
    entries: VecDeque<Entry>,
    next_id: u32,
}

/// A job that was found.
pub(crate) struct Found {
    pub(crate) work: Arc<Work>,
    pub(crate) issued: Issued,
    pub(crate) retired: Option<Instant>,
}

impl Jobs {
    /// Starts with the job id `first_id`.
    pub(crate) fn new(first_id: u32) -> Self {
        Self { entries: VecDeque::new(), next_id: first_id }
    }

    /// Returns the newest work.
    pub(crate) fn current(&self) -> Option<&Arc<Work>> {
        self.entries.back().map(|entry| &entry.work)
    }

    /// Takes a new work, retires those of another Bitcoin tip, and tells whether the tip changed.
    /// The first work counts as a change.
    pub(crate) fn push(&mut self, work: Arc<Work>, now: Instant) -> bool {
        let changed = self.current().is_none_or(|current| current.prev_block != work.prev_block);
        if changed {
            for entry in &mut self.entries {
                entry.retired.get_or_insert(now);
            }
        }
        if self.entries.len() >= limits::WORKS_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { work, issued: VecDeque::new(), seen: HashSet::new(), retired: None });
        changed
    }

    /// Makes a job of the newest work; its id was never used on this connection.
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

    /// Finds a job by its id.
    pub(crate) fn find(&self, id: u32) -> Option<Found> {
        self.entries.iter().rev().find_map(|entry| {
            let issued = *entry.issued.iter().rev().find(|issued| issued.id == id)?;
            Some(Found { work: Arc::clone(&entry.work), issued, retired: entry.retired })
        })
    }

    /// Remembers a hash of the work with `key`; `false` says that it was there already.
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
