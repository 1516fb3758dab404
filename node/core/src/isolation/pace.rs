//! Rates of the main chain, and the clock that other miners' links show.

use std::collections::VecDeque;

use bitcoin::BlockHash;
use p2p_proto::Millis;
use sharechain::{Chain, Height, Timestamp, U256, Work};

use super::Rates;
use crate::limits::{DAY_LINKS, DAY_LINKS_MIN, RATE_LINKS, SHARE_RATE_LINKS};

/// Rates of the chain at `now`.
pub(super) fn rates(chain: &Chain, now: Timestamp) -> Rates {
    Rates { hashrate: hashrates(chain, now), shares: share_rate(chain) }
}

/// Hashes per second over the last [`RATE_LINKS`], up to now, and over a day before; none while the chain is too short.
#[must_use]
pub fn hashrates(chain: &Chain, now: Timestamp) -> Option<[u64; 2]> {
    let tip = chain.height();
    let middle = tip.below(RATE_LINKS);
    // Genesis has no time.
    let first = Height(middle.below(DAY_LINKS).0.max(1));
    if middle.above(first) < DAY_LINKS_MIN {
        return None;
    }
    let at = |height: Height| {
        let height = height.0.max(chain.bottom().0.saturating_add(1));
        chain.link(&chain.main_at(Height(height))?).map(|link| (link.time, link.chain_work))
    };
    let (first, middle, last) = (at(first)?, at(middle)?, at(tip)?);
    let rate = |(from, below): (Timestamp, Work), (to, above): (Timestamp, Work)| {
        let seconds = u128::try_from(to.seconds_since(from)).unwrap_or(0).max(1);
        let hashes = Work(above.0.saturating_sub(below.0)).to_hashes_saturating_u128();
        u64::try_from(hashes / seconds).unwrap_or(u64::MAX)
    };
    Some([rate(middle, (last.0.max(now), last.1)), rate(first, middle)])
}

/// Proofs that the last [`SHARE_RATE_LINKS`] credited, themselves included, and the number that their work implies.
fn share_rate(chain: &Chain) -> Option<[u64; 2]> {
    /// Unit of the count, as a part of a proof, so that rounding does not matter.
    const PARTS: u64 = 1 << 10;
    let tip = chain.height();
    let first = tip.below(SHARE_RATE_LINKS);
    if first.0 == 0 || first <= chain.bottom() {
        return None;
    }
    let link_at = |height: u32| chain.link(&chain.main_at(Height(height))?);
    let credited = |height: Height| link_at(height.0)?.complete().map(|complete| complete.listed_total);
    let seen = credited(tip)?.saturating_sub(credited(first)?);
    let mut parts = 0_u64;
    for height in first.0..tip.0 {
        // The link above was found among shares with the target of this one's children.
        let (parent, link) = (link_at(height)?, link_at(height.saturating_add(1))?);
        let share = Work::of_target(parent.position.share_target).0;
        let stands_for = Work::of_target(link.target).0.saturating_mul(U256::from(PARTS)).checked_div(share)?;
        parts = parts.saturating_add(u64::try_from(stands_for).unwrap_or(u64::MAX));
    }
    Some([seen, parts / PARTS])
}

/// Ages of other miners' links at their arrival. A miner's influence is its part of the work, so free identities do not
/// change the median.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkClock {
    /// Ages, seconds, and when the links arrived.
    ages_s: VecDeque<(i64, Millis)>,
}

impl LinkClock {
    /// Number of links in the median.
    const LINKS: usize = 31;
    /// Minimum number of links for a median.
    const LINKS_MIN: usize = 11;
    /// How long ago they may have arrived, milliseconds: 60 links on mainnet. A clock may have changed since.
    const RECENT_MS: u64 = 600_000;

    /// Records a link that arrived as the newest one while the node was in sync.
    pub(super) fn note(&mut self, link: Timestamp, clock: Timestamp, now: Millis) {
        self.ages_s.push_back((clock.seconds_since(link), now));
        if self.ages_s.len() > Self::LINKS {
            self.ages_s.pop_front();
        }
    }

    /// Median age of recent links, seconds: usually under 20, and never below 0 if the clocks agree.
    pub(super) fn median_s(&self, now: Millis) -> Option<i64> {
        let recent = self.ages_s.iter().filter(|(_, at)| now.since(*at) <= Self::RECENT_MS);
        let mut ages: Vec<i64> = recent.map(|(age_s, _)| *age_s).collect();
        ages.sort_unstable();
        ages.get(ages.len() / 2).copied().filter(|_| ages.len() >= Self::LINKS_MIN)
    }
}

/// Times of the last Bitcoin blocks that arrived one by one. A few miners may date their blocks two hours ahead, but not all.
#[derive(Clone, Debug, Default)]
pub struct BlockClock {
    tip: Option<BlockHash>,
    /// Times of the blocks, and when they arrived.
    times: VecDeque<(Timestamp, Millis)>,
}

impl BlockClock {
    /// Number of blocks: an hour of Bitcoin. Miners with 30% of Bitcoin's hashrate find six in a row once in two weeks.
    const BLOCKS: usize = 6;

    /// Records bitcoind's tip, whose header has this time. The first one is not new.
    pub fn note(&mut self, tip: BlockHash, time: Timestamp, now: Millis) {
        let old = self.tip.replace(tip);
        if old.is_some() && old != Some(tip) {
            self.times.push_back((time, now));
            if self.times.len() > Self::BLOCKS {
                self.times.pop_front();
            }
        }
    }

    /// Upper bound of this clock minus the true time, seconds: from the block that is dated earliest, and from `least`, the
    /// earliest time that Bitcoin allows for the next block.
    #[must_use]
    pub fn offset_s(&self, least: Timestamp, clock: Timestamp, now: Millis) -> i64 {
        let offset_s = |(time, at): &(Timestamp, Millis)| {
            let passed_s = i64::try_from(now.since(*at) / 1_000).unwrap_or(i64::MAX);
            clock.seconds_since(*time).saturating_sub(passed_s)
        };
        let by_blocks = self.times.iter().map(offset_s).max().filter(|_| self.times.len() == Self::BLOCKS);
        let by_median = clock.seconds_since(least);
        by_blocks.map_or(by_median, |by_blocks| by_blocks.min(by_median))
    }
}
