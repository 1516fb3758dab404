//! Bitcoin's best chain in the archive, by height. It is kept in memory, so that confirmations need no query.

use archive::ArchiveError;
use archive::limits::HEADERS_PAGE;
use archive::read::{Archive, Header};
use bitcoin::CompactTarget;
use sharechain::{ChainParams, ShareId, target};

use crate::api::limits::HEADERS_KEPT_MAX;
use crate::api::pool::interval_s;

/// Headers of the best chain without gaps.
#[derive(Clone, Debug, Default)]
pub(super) struct Bitcoin {
    lowest: u32,
    /// Hash, nBits, and time of each header, lowest first.
    known: Vec<(ShareId, CompactTarget, u32)>,
}

impl Bitcoin {
    /// Height of the newest header; 0 without any.
    pub(super) fn height(&self) -> u32 {
        let above = u32::try_from(self.known.len()).unwrap_or(u32::MAX).saturating_sub(1);
        self.lowest.saturating_add(above)
    }

    fn at(&self, height: u32) -> Option<&(ShareId, CompactTarget, u32)> {
        self.known.get(usize::try_from(height.checked_sub(self.lowest)?).ok()?)
    }

    /// Confirmations of a block; 0 while it is not in the best chain.
    pub(super) fn confirmations(&self, height: u32, hash: &ShareId) -> u32 {
        match self.at(height) {
            Some((known, ..)) if known == hash => self.height().saturating_sub(height).saturating_add(1),
            _ => 0,
        }
    }

    /// Expected number of hashes to find the block at a height; to find the newest block if that height is unknown.
    pub(super) fn work(&self, height: u32, params: &ChainParams) -> f64 {
        let known = self.at(height).or_else(|| self.at(height.checked_sub(1)?)).or(self.known.last());
        let bits = known.map_or_else(|| params.bitcoin.genesis().bits, |(_, bits, _)| *bits);
        target::work_of_bits(bits).to_hashes_saturating_u128().max(1) as f64
    }

    /// Average time between recent blocks, seconds. The pool finds one every `pool_block_s` seconds.
    pub(super) fn interval_s(&self, pool_block_s: Option<f64>) -> f64 {
        interval_s(self.known.iter().rev().map(|(_, _, time)| *time), pool_block_s)
    }

    /// Reads the headers that are new in the archive.
    pub(super) async fn refresh(&mut self, archive: &Archive) -> Result<(), ArchiveError> {
        let Some(best) = archive.best_header().await? else { return Ok(()) };
        if self.at(best.height).is_some_and(|(hash, ..)| *hash == best.hash) && self.height() == best.height {
            return Ok(());
        }
        let mut new: Vec<Header> = Vec::new();
        let mut from = best.hash;
        loop {
            let page = archive.headers_down(&from, if new.is_empty() { 20 } else { HEADERS_PAGE }).await?;
            let last = page.last().copied();
            new.extend(page);
            new.dedup_by_key(|header| header.hash);
            let Some(last) = last.filter(|last| last.hash != from) else { break };
            let joins = self.at(last.height).is_some_and(|(hash, ..)| *hash == last.hash);
            if joins || new.len() >= HEADERS_KEPT_MAX {
                break;
            }
            from = last.hash;
        }
        let Some(lowest) = new.last().map(|header| header.height) else { return Ok(()) };
        if self.at(lowest).is_none() {
            *self = Self { lowest, known: Vec::new() };
        }
        self.known.truncate(usize::try_from(lowest.saturating_sub(self.lowest)).unwrap_or(0));
        let rows = new.iter().rev().map(|row| (row.hash, row.header.bits, row.header.time));
        self.known.extend(rows);
        Ok(())
    }
}
