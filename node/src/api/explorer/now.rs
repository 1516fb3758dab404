//! The part of answers that depends on the newest links, computed once per tip.

use std::sync::Arc;

use archive::ArchiveError;
use archive::read::{Archive, Link, PendingShare, Step};
use sharechain::limits::{SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS};
use sharechain::{ChainParams, ShareId, U256, Weight, Work};

use super::bitcoin::Bitcoin;
use super::effort::Round;
use super::window::Window;
use crate::api::block_counts::Count;
use crate::api::limits::{HASHRATE_LINKS, TEMPLATE_LINKS};
use crate::api::windows::Standing;

const MINUTE_S: u32 = 60;
const DAY_S: u32 = 86_400;

/// The newest links, and values that follow from them.
#[derive(Debug)]
pub(super) struct Now {
    pub tip: Link,
    /// Lowest height of the main chain that the archive has.
    pub lowest: u32,
    pub settled_height: u32,
    /// The newest links of the main chain, highest first: as many as the pool's hashrate is estimated from.
    pub links: Vec<Link>,
    pub standing: Arc<Standing>,
    /// A height, and the number of proofs that links up to it credit.
    pub counted: (u32, u64),
    pub bitcoin: Bitcoin,
    pub pending: Vec<PendingShare>,
    /// Number of the last [`TEMPLATE_LINKS`] links that each script found.
    pub finders: Vec<u32>,
    /// Hash and time of the pool's last block.
    pub since: Option<(ShareId, u32)>,
    /// Effort since that block.
    pub effort: f64,
    /// What was found in the last full minute.
    pub minute: Option<Step>,
    /// Time of the window's oldest link; none if that is genesis.
    pub oldest_time: Option<u32>,
    /// Blocks found in the last day, in the last week, and ever.
    pub counts: [Count; 3],
}

impl Now {
    /// Estimated hashrate of the pool, by a node's formula, hashes per second.
    pub(super) fn hashrate_hs(&self, now: u32) -> Option<f64> {
        let oldest = self.tip.height.saturating_sub(HASHRATE_LINKS).max(1);
        let first = self.links.iter().find(|link| link.height == oldest)?;
        let newer = self.links.iter().filter(|link| link.height > oldest);
        let work = newer.fold(Work(U256::ZERO), |sum, link| sum.plus(Work(link.link_hashes)));
        let seconds = self.tip.time.max(now).saturating_sub(first.time).max(1);
        (self.tip.height > oldest).then(|| work.to_hashes_saturating_u128() as f64 / f64::from(seconds))
    }

    /// Average time for the pool to find a Bitcoin block, seconds.
    pub(super) fn block_s(&self, params: &ChainParams, now: u32) -> Option<f64> {
        let rate = self.hashrate_hs(now).filter(|rate| *rate > 0.0)?;
        Some(self.bitcoin.work(self.bitcoin.height().saturating_add(1), params) / rate)
    }
}

/// State kept between two reads of the newest links.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub bitcoin: Bitcoin,
    window: Window,
    round: Round,
}

impl Kept {
    /// Reads the newest links, and updates everything that follows from them. None if the archive has no links.
    pub(super) async fn read(
        &mut self,
        archive: &Archive,
        params: &ChainParams,
        now: u32,
    ) -> Result<Option<Now>, ArchiveError> {
        self.bitcoin.refresh(archive).await?;
        let Some(tip) = archive.tip().await? else { return Ok(None) };
        let lowest = archive.lowest().await?.unwrap_or(tip.height);
        let standing = self.window.up_to(archive, params, &tip, lowest).await?;
        let effort = self.round.refresh(archive, &self.bitcoin, params, now).await?;
        let minute = now.saturating_sub(MINUTE_S);
        let minute = minute - minute % MINUTE_S;
        let steps = archive.steps(MINUTE_S.cast_signed(), minute, minute + MINUTE_S).await?;
        let oldest = match standing.oldest_height {
            0 => None,
            height => archive.link_at(height).await?,
        };
        let counts = archive.counts([now.saturating_sub(DAY_S), now.saturating_sub(7 * DAY_S)]).await?;
        Ok(Some(Now {
            lowest,
            settled_height: self.settled(archive, &tip).await?,
            links: archive.links_down(tip.height, HASHRATE_LINKS as usize + 1).await?,
            counted: self.window.counted(),
            bitcoin: self.bitcoin.clone(),
            pending: archive.pending(tip.height).await?,
            finders: archive.finders(tip.height.saturating_sub(TEMPLATE_LINKS).max(1)).await?,
            since: self.round.since,
            effort,
            minute: steps.into_iter().next(),
            oldest_time: oldest.map(|link| link.time),
            counts: counts.map(|(blocks, value_sat)| Count { blocks, value_sat }),
            standing,
            tip,
        }))
    }

    /// Like [`Kept::read`], but only the fields that answers about deep links need; all others are empty.
    pub(super) async fn read_little(&mut self, archive: &Archive) -> Result<Option<Now>, ArchiveError> {
        self.bitcoin.refresh(archive).await?;
        let Some(tip) = archive.tip().await? else { return Ok(None) };
        Ok(Some(Now {
            lowest: archive.lowest().await?.unwrap_or(tip.height),
            settled_height: self.settled(archive, &tip).await?,
            links: Vec::new(),
            standing: Arc::new(Standing {
                newest: tip.id,
                newest_height: tip.height,
                oldest_height: tip.height,
                total: Weight::ZERO,
                listed_total: 0,
                earners: Vec::new(),
            }),
            counted: (0, 0),
            bitcoin: self.bitcoin.clone(),
            pending: Vec::new(),
            finders: Vec::new(),
            since: None,
            effort: 0.0,
            minute: None,
            oldest_time: None,
            counts: [Count::default(); 3],
            tip,
        }))
    }

    /// Approximate height of the newest link that nodes have settled, from the links and Bitcoin blocks above it.
    async fn settled(&self, archive: &Archive, tip: &Link) -> Result<u32, ArchiveError> {
        let buried = self.bitcoin.height().saturating_sub(SETTLED_BITCOIN_BLOCKS);
        let from = tip.height.saturating_sub(SETTLED_LINKS);
        if from == 0 {
            return Ok(0);
        }
        let links = archive.links_down(from, SETTLED_LINKS as usize).await?;
        let settled = links.iter().find(|link| link.bitcoin_height <= buried.saturating_add(1));
        Ok(settled.map_or(0, |link| link.height))
    }
}
