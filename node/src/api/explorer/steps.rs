//! `/api/v1/pool/history` and `/api/v1/miners/{address}/history`: sums by time. Those of the pool are kept, since each is the
//! sum of up to a quarter of a million shares.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archive::ArchiveError;
use archive::read::{Archive, Step as Sums};
use axum::Json;
use axum::extract::State;

use super::state::View;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::limits::STEPS_KEPT_MAX;
use crate::api::params::{Segment, Steps as Asked};
use crate::api::pool_history::Points;
use crate::clock::now;
use crate::history::{Page, PointRow, STEPS_S, Step};

/// Time that one statement sums, seconds.
const SPAN_S: u32 = 86_400;

/// Age from which on hardly a share of a step is still missing, seconds.
const LATE_S: u32 = 1_800;

/// Time that one page of an address's history covers at most, seconds: it is one range of an index.
const OF_ADDRESS_S: u32 = 31 * 86_400;

/// Steps of one length.
#[derive(Debug, Default)]
struct Kept {
    /// By their starts. Steps without shares are missing.
    steps: BTreeMap<u32, Sums>,
    /// From here on up all are known.
    since: u32,
    /// Up to here they change no more.
    done: u32,
    /// When the newest were read.
    looked: u32,
    /// True once nothing is older.
    is_whole: bool,
}

/// What the pool found, by length of steps.
#[derive(Debug, Default)]
pub(super) struct Steps {
    kept: Mutex<BTreeMap<u32, Kept>>,
}

impl Steps {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is new, and one part more of what is old.
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

    /// Reads the newest steps: the shorter they are, the more often.
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

    /// A page of steps from a time down, if they are kept.
    fn page(&self, step_s: u32, from: u32, limit: usize) -> Option<Page<PointRow>> {
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

fn row(sums: &Sums) -> PointRow {
    let Sums { start, shares, links, miners, hashes } = *sums;
    PointRow { start, step: Step { shares, links, miners, hashes } }
}

/// Steps of a statement that covers `from..until`, as a page.
fn of_statement(steps: &[Sums], limit: usize, from: u32, first: u32) -> Page<PointRow> {
    let items: Vec<PointRow> = steps.iter().take(limit).map(row).collect();
    let next = match steps.get(limit) {
        Some(more) => Some(more.start),
        None if from > first => from.checked_sub(1),
        None => None,
    };
    Page { items, next_from: next.map(u64::from) }
}

impl View {
    /// The start of the newest step that is wanted.
    fn newest(asked: &Asked) -> u32 {
        let latest = now().0.saturating_add(2 * 3_600);
        asked.from.map_or(latest, |from| u32::try_from(from).unwrap_or(u32::MAX).min(latest))
    }

    /// The times that a statement covers, in whole steps.
    fn span(asked: &Asked, span_s: u32) -> (u32, u32) {
        let (step_s, newest) = (asked.step_s(), Self::newest(asked));
        let until = (newest - newest % step_s).saturating_add(step_s);
        let wanted = u32::try_from(asked.items()).unwrap_or(u32::MAX).saturating_mul(step_s);
        (until.saturating_sub(wanted.min(span_s.max(step_s) / step_s * step_s)), until)
    }
}

/// Returns what the pool found, by time.
#[utoipa::path(
    get, path = "/api/v1/pool/history", params(Asked),
    responses(
        (status = 200, description = "Sums, newest first", body = Points),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
        (status = 503, description = "The archive cannot be read now", body = ErrorBody),
    )
)]
pub(super) async fn history(State(view): State<Arc<View>>, asked: Asked) -> Result<Json<Points>, ApiError> {
    view.now()?;
    let step_s = asked.step_s();
    if let Some(page) = view.steps.page(step_s, View::newest(&asked), asked.items()) {
        return Ok(Json(Points::new(step_s, page, None)));
    }
    let (from, until) = View::span(&asked, SPAN_S);
    let first = view.archive.lowest_time().await?.unwrap_or(0);
    let steps = view.archive.steps(step_s.cast_signed(), from, until).await?;
    Ok(Json(Points::new(step_s, of_statement(&steps, asked.items(), from, first), None)))
}

/// Returns what an address found, by time.
#[utoipa::path(
    get, path = "/api/v1/miners/{address}/history",
    params(("address" = String, Path, description = "A payout address"), Asked),
    responses(
        (status = 200, description = "Sums, newest first", body = Points),
        (status = 400, description = "The address or a parameter is invalid", body = ErrorBody),
        (status = 503, description = "The archive cannot be read now", body = ErrorBody),
    )
)]
pub(super) async fn miner_history(
    State(view): State<Arc<View>>,
    Segment(text): Segment,
    asked: Asked,
) -> Result<Json<Points>, ApiError> {
    let script = view.script(&text)?;
    let step_s = asked.step_s();
    let (from, until) = View::span(&asked, OF_ADDRESS_S);
    let first = view.archive.lowest_time().await?.unwrap_or(0);
    let steps = view.archive.steps_of(&script, step_s.cast_signed(), from, until).await?;
    Ok(Json(Points::new(step_s, of_statement(&steps, asked.items(), from, first), None)))
}
