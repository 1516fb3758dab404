//! The pool's sums by time, cached, since each takes a pass over up to a quarter of a million shares.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use archive::ArchiveError;
use archive::read::{Archive, Step as Sums};

use crate::api::limits::STEPS_KEPT_MAX;
use crate::history::{Page, PointRow, STEPS_S, Step};

/// Time that one query sums, seconds.
pub(super) const SPAN_S: u32 = 86_400;

/// Age of a step above which almost certainly all of its shares are in the archive, seconds.
const LATE_S: u32 = 1_800;

/// Steps of one length.
#[derive(Debug, Default)]
struct Kept {
    /// By start. Steps without shares are left out.
    steps: BTreeMap<u32, Sums>,
    /// All steps from this time on are known.
    since: u32,
    /// Steps before this time no longer change.
    done: u32,
    /// When the newest steps were last read.
    looked: u32,
    /// True once `since` is before the archive's first share.
    is_whole: bool,
}

/// The pool's sums, by length of steps, seconds.
#[derive(Debug, Default)]
pub(super) struct Steps {
    kept: Mutex<BTreeMap<u32, Kept>>,
}

impl Steps {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the newest steps, and one more span of older ones.
    pub(super) async fn fill(&self, archive: &Archive, now: u32) -> Result<(), ArchiveError> {
        let first = archive.lowest_time().await?.unwrap_or(now);
        for step_s in STEPS_S {
            self.renew(archive, step_s, now).await?;
            let (since, len, is_whole) =
                self.lock().get(&step_s).map_or((now, 0, true), |kept| (kept.since, kept.steps.len(), kept.is_whole));
            if is_whole || len >= STEPS_KEPT_MAX {
                continue;
            }
            let span = SPAN_S.min(step_s.saturating_mul(500)).max(step_s);
            let from = since.saturating_sub(span);
            let steps = archive.steps(step_s.cast_signed(), from, since).await?;
            let mut all = self.lock();
            let kept = all.entry(step_s).or_default();
            kept.steps.extend(steps.into_iter().map(|step| (step.start, step)));
            kept.since = from;
            kept.is_whole = from <= first;
        }
        Ok(())
    }

    /// Reads the newest steps, shorter ones more often.
    async fn renew(&self, archive: &Archive, step_s: u32, now: u32) -> Result<(), ArchiveError> {
        let (looked, done) = self.lock().get(&step_s).map_or((0, 0), |kept| (kept.looked, kept.done));
        if now.saturating_sub(looked) < step_s / 60 {
            return Ok(());
        }
        let aligned = |time: u32| time - time % step_s;
        let from = if done == 0 { aligned(now) } else { done };
        let steps = archive.steps(step_s.cast_signed(), from, now.saturating_add(2 * 3_600)).await?;
        let mut all = self.lock();
        let kept = all.entry(step_s).or_default();
        drop(kept.steps.split_off(&from));
        kept.steps.extend(steps.into_iter().map(|step| (step.start, step)));
        if done == 0 {
            kept.since = from;
        }
        kept.done = aligned(now.saturating_sub(LATE_S)).max(from);
        kept.looked = now;
        while kept.steps.len() > STEPS_KEPT_MAX
            && let Some((start, _)) = kept.steps.pop_first()
        {
            kept.since = start.saturating_add(step_s);
            kept.is_whole = false;
        }
        Ok(())
    }

    /// A page of steps from a time down, if the cache has them.
    pub(super) fn page(&self, step_s: u32, from: u32, limit: usize) -> Option<Page<PointRow>> {
        let all = self.lock();
        let kept = all.get(&step_s)?;
        let mut found: Vec<PointRow> =
            kept.steps.range(..=from).rev().take(limit + 1).map(|(_, sums)| row(sums)).collect();
        let next = if found.len() > limit {
            found.pop().map(|row| row.start)
        } else if kept.is_whole {
            None
        } else {
            kept.since.checked_sub(1)
        };
        (from >= kept.since || kept.is_whole).then(|| Page { items: found, next_from: next.map(u64::from) })
    }
}

pub(super) fn row(sums: &Sums) -> PointRow {
    let Sums { start, shares, links, miners, hashes } = *sums;
    PointRow { start, step: Step { shares, links, miners, hashes } }
}
