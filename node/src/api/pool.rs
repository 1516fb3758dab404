//! `/api/v1/pool`: a summary of the pool.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sharechain::chain::Chain;
use sharechain::{Height, ShareId, Weight, target};

use super::bitcoin_pools;
use super::context::Api;
use super::decentralisation::{Decentralisation, links_by_script};
use super::error::{ApiError, ErrorBody};
use super::limits::HASHRATE_LINKS;
use super::next_block::NextBlock;
use super::pool_view::{Bitcoin, ChainSummary, Pool, Round, WindowSummary};
use super::status::pool_hashrate_hs;
use super::views::{WeightView, hashes};
use crate::clock::now;

/// Target interval between Bitcoin blocks, seconds.
const BLOCK_S: f64 = 600.0;

/// Bitcoin blocks of a day at the target interval.
const BLOCKS_A_DAY: usize = 144;

/// Minimum number of blocks; with fewer, their interval is mostly chance.
const BLOCKS_MIN: usize = 12;

/// Maximum age of headers that count toward the current interval, seconds.
const LATELY_S: u32 = 2 * 86_400;

/// Period of the rates in the answer, seconds.
const MINUTE_S: u32 = 60;

/// The part of the answer that comes from the share-chain.
struct ChainPart {
    hashrate_hs: Option<f64>,
    bitcoin: Bitcoin,
    block_s: Option<f64>,
    window_target: Weight,
    oldest_unix_s: Option<u32>,
    newest_unix_s: Option<u32>,
    links_by_script: BTreeMap<u32, u32>,
    chain: ChainSummary,
}

impl ChainPart {
    fn of(chain: &Chain, node: &crate::state::BitcoinView, oldest: u32) -> Self {
        let best = chain.bitcoin().best();
        let height = best.height;
        let (work, pool_hs) = (block_work(chain), pool_hashrate_hs(chain));
        let headers = std::iter::successors(Some(best), |above| chain.bitcoin().get(&above.header.prev_blockhash));
        let value_sat = NextBlock::of(chain, node).map(|block| block.value_sat);
        let time_at = |height: Height| {
            let link = chain.link(&chain.main_at(height)?)?;
            (height > Height(0)).then_some(link.time.0)
        };
        Self {
            hashrate_hs: pool_hs,
            bitcoin: Bitcoin {
                height,
                difficulty: work / 2_f64.powi(32),
                hashrate_hs: bitcoin_hashrate_hs(work, pool_hs),
                interval_s: interval_s(headers.map(|header| header.header.time), block_s(chain)),
                next_value_sat: value_sat.unwrap_or_else(|| chain.params().bitcoin.subsidy_sat(height + 1)),
            },
            block_s: block_s(chain),
            window_target: chain.params().window_weight,
            oldest_unix_s: time_at(Height(oldest)),
            newest_unix_s: time_at(chain.height()),
            links_by_script: links_by_script(chain),
            chain: ChainSummary {
                height: chain.height().0,
                settled_height: chain.settled().height.0,
                share_work_hashes: chain
                    .link(&chain.tip())
                    .map_or_else(String::new, |tip| hashes(tip.position.share_target)),
            },
        }
    }
}

/// Expected hashes to find the next Bitcoin block.
fn block_work(chain: &Chain) -> f64 {
    let best = chain.bitcoin().best();
    let bits = chain.bitcoin().next_bits(&best.header.block_hash()).unwrap_or(best.header.bits);
    target::work_of_bits(bits).to_hashes_saturating_u128() as f64
}

/// Average time between Bitcoin blocks, seconds, over the last day, since a test network may be far from its target.
/// While there are too few blocks, the target's interval, or the pool's own: Bitcoin's blocks come at least as often. `times` are
/// those of the headers, newest first.
pub(super) fn interval_s(times: impl Iterator<Item = u32>, pool_block_s: Option<f64>) -> f64 {
    let mut times = times.take(BLOCKS_A_DAY + 1);
    let newest = times.next().unwrap_or(0);
    // A network's first header may be years older than the next.
    let ages: Vec<u32> = times.map(|time| newest.saturating_sub(time)).take_while(|age| *age <= LATELY_S).collect();
    match ages.last() {
        Some(oldest) if ages.len() >= BLOCKS_MIN => f64::from((*oldest).max(1)) / ages.len() as f64,
        _ => pool_block_s.map_or(BLOCK_S, |pool| pool.min(BLOCK_S)),
    }
}

/// Number of links that the pool's hashrate is estimated from: genesis and the oldest one only begin the time.
pub(super) fn hashrate_links(height: u32) -> u32 {
    HASHRATE_LINKS.min(height.saturating_sub(1))
}

/// Bitcoin's hashrate by the work of a block, and at least the pool's: a test network may leave its difficulty behind.
pub(super) fn bitcoin_hashrate_hs(block_work: f64, pool_hs: Option<f64>) -> f64 {
    (block_work / BLOCK_S).max(pool_hs.unwrap_or(0.0))
}

/// Average time for the pool to find a Bitcoin block, seconds; none while its hashrate is unknown.
pub(super) fn block_s(chain: &Chain) -> Option<f64> {
    pool_hashrate_hs(chain).filter(|pool| *pool > 0.0).map(|pool| block_work(chain) / pool)
}

/// Summary of the pool.
#[utoipa::path(
    get, path = "/api/v1/pool",
    responses(
        (status = 200, description = "The pool", body = Pool),
        (status = 503, description = "The node is stopping, or too busy", body = ErrorBody),
    )
)]
pub(super) async fn pool(State(api): State<Arc<Api>>) -> Result<Json<Pool>, ApiError> {
    let tip = api.chain().tip();
    let mut kept = api.pool.lock().await;
    if let Some((of, pool)) = &*kept
        && *of == tip
        && pool.time_unix_s == now().0
    {
        return Ok(Json(pool.clone()));
    }
    let pool = api.make_pool().await?;
    *kept = Some((tip, pool.clone()));
    Ok(Json(pool))
}

impl Api {
    async fn make_pool(&self) -> Result<Pool, ApiError> {
        let chain = self.chain();
        let standing = self.windows.up_to(Arc::clone(&chain), None).await?;
        let oldest = standing.as_ref().map_or(0, |standing| standing.oldest_height);
        let node = self.context.node.borrow().bitcoin.clone();
        let part = ChainPart::of(&chain, &node, oldest);
        let history = self.context.history.clone();
        let minute = now().0.saturating_sub(MINUTE_S);
        let (round, last_minute) = self
            .read(move |_| Ok((history.round()?, history.pool_steps(MINUTE_S, Some(u64::from(minute)), 1)?)))
            .await?;
        let last_minute = last_minute.items.first().filter(|point| point.start == minute - minute % MINUTE_S);
        let peers = u32::try_from(self.context.peers.borrow().len()).unwrap_or(u32::MAX);
        let hashrate = part.hashrate_hs;
        Ok(Pool {
            time_unix_s: now().0,
            hashrate_hs: hashrate,
            hashrate_links: hashrate_links(part.chain.height),
            share_of_bitcoin: hashrate.map(|pool| pool / part.bitcoin.hashrate_hs),
            expected_block_s: part.block_s,
            bitcoin: part.bitcoin,
            round: round_of(round),
            window: WindowSummary {
                total: standing.as_ref().map(|standing| standing.total).unwrap_or_default().into(),
                target_blocks: WeightView::from(part.window_target).weight_blocks,
                scripts_total: standing.as_ref().map_or(0, |standing| standing.earners.len() as u64),
                links: standing.as_ref().map_or(0, |standing| standing.newest_height - standing.oldest_height),
                oldest_unix_s: part.oldest_unix_s,
                newest_unix_s: part.newest_unix_s,
            },
            decentralisation: Decentralisation::new(standing.as_deref(), &part.links_by_script, peers, self.network()),
            bitcoin_pools: bitcoin_pools::known(),
            links_minute: last_minute.map_or(0, |point| point.step.links),
            shares_minute: last_minute.map_or(0, |point| point.step.shares),
            chain: part.chain,
        })
    }
}

fn round_of((weight, last): (u128, Option<(ShareId, crate::history::Effort)>)) -> Round {
    let before = last.as_ref().map_or(0, |(_, effort)| effort.weight);
    let effort = WeightView::from(Weight(weight.saturating_sub(before))).weight_blocks;
    Round {
        since_unix_s: last.as_ref().map(|(_, effort)| effort.time),
        since_block: last.map(|(id, _)| id.to_string()),
        effort,
        probability: -(-effort).exp_m1(),
    }
}

#[cfg(test)]
mod tests;
