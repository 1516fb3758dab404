//! The effort of each block of the pool: work done over work expected. Known efforts are cached.

use std::collections::HashMap;

use archive::ArchiveError;
use archive::read::Archive;
use sharechain::{ChainParams, ShareId};

use super::bitcoin::Bitcoin;
use crate::api::limits::EFFORTS_KEPT_MAX;

/// Time of shares that are summed in one statement, seconds: half a million at main's pace.
const SPAN_S: u32 = 2 * 86_400;

/// Age of a share above which it is almost certainly in the archive, seconds.
const LATE_S: u32 = 1_800;

/// Blocks whose efforts are computed in one step.
const AT_A_TIME: usize = 5;

/// Known efforts by block.
#[derive(Debug, Default)]
pub(super) struct Efforts {
    /// None for the pool's first block.
    of: HashMap<ShareId, Option<f64>>,
}

impl Efforts {
    /// The effort of a block; none if it is unknown.
    pub(super) fn get(&self, block: &ShareId) -> Option<f64> {
        self.of.get(block).copied().flatten()
    }

    pub(super) fn is_known(&self, block: &ShareId) -> bool {
        self.of.contains_key(block)
    }

    pub(super) fn put(&mut self, block: ShareId, effort: Option<f64>) {
        if self.of.len() >= EFFORTS_KEPT_MAX {
            self.of.clear();
        }
        self.of.insert(block, effort);
    }
}

/// The pool's work between two times, in expected blocks.
async fn between(
    archive: &Archive,
    bitcoin: &Bitcoin,
    params: &ChainParams,
    after: u32,
    until: u32,
) -> Result<f64, ArchiveError> {
    let (mut from, mut sum) = (after, 0.0);
    while from < until {
        let to = from.saturating_add(SPAN_S).min(until);
        for (height, hashes) in archive.hashes_between(from, to).await? {
            sum += hashes as f64 / bitcoin.work(height, params);
        }
        from = to;
    }
    Ok(sum)
}

/// When the work on a block was handed out, as its share says. The time in a block's own header may be minutes away from that, and
/// on a test network far ahead.
async fn work_time(archive: &Archive, (block, header_time): (ShareId, u32)) -> Result<u32, ArchiveError> {
    Ok(archive.share(&block, 0).await?.map_or(header_time, |share| share.time))
}

/// Computes the efforts of the newest [`AT_A_TIME`] blocks for which `known` is false.
pub(super) async fn find_unknown(
    archive: &Archive,
    bitcoin: &Bitcoin,
    params: &ChainParams,
    known: impl Fn(&ShareId) -> bool,
) -> Result<Vec<(ShareId, Option<f64>)>, ArchiveError> {
    let mut found = Vec::new();
    let blocks = archive.block_times(EFFORTS_KEPT_MAX).await?;
    for (hash, height, time) in blocks.into_iter().filter(|(hash, ..)| !known(hash)).take(AT_A_TIME) {
        let effort = match archive.block_before(height).await? {
            Some(before) => {
                let (after, until) = (work_time(archive, before).await?, work_time(archive, (hash, time)).await?);
                Some(between(archive, bitcoin, params, after, until).await?)
            }
            None => None,
        };
        found.push((hash, effort));
    }
    Ok(found)
}

/// The work since the pool's last block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    /// Hash and time of that block.
    pub since: Option<(ShareId, u32)>,
    /// Effort up to `until`, which no longer changes.
    done: f64,
    until: u32,
}

impl Round {
    /// Adds new shares. Returns the effort so far.
    pub(super) async fn refresh(
        &mut self,
        archive: &Archive,
        bitcoin: &Bitcoin,
        params: &ChainParams,
        now: u32,
    ) -> Result<f64, ArchiveError> {
        let since = archive.block_before(u32::MAX).await?;
        if self.until == 0 || since != self.since {
            let begins = match since {
                Some(block) => work_time(archive, block).await?,
                None => archive.lowest_time().await?.unwrap_or(now).saturating_sub(1),
            };
            *self = Self { since, done: 0.0, until: begins };
        }
        // One span per call. Old shares are summed once.
        let settled = now.saturating_sub(LATE_S).min(self.until.saturating_add(SPAN_S));
        if settled > self.until.saturating_add(LATE_S) {
            self.done += between(archive, bitcoin, params, self.until, settled).await?;
            self.until = settled;
        }
        let end = now.saturating_add(2 * 3_600).min(self.until.saturating_add(SPAN_S));
        Ok(self.done + between(archive, bitcoin, params, self.until, end).await?)
    }
}
