//! `/api/v1/pool`: the pool at a glance.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sharechain::chain::Chain;
use sharechain::{Height, ShareId, Weight, target};
use utoipa::ToSchema;

use super::Api;
use super::bitcoin_pools::{self, BitcoinPools};
use super::decentralisation::{Decentralisation, makers};
use super::error::{ApiError, ErrorBody};
use super::limits::HASHRATE_LINKS;
use super::next_block::NextBlock;
use super::status::pool_hashrate_hs;
use super::views::WeightView;
use crate::clock::now;

/// Seconds between Bitcoin blocks that its difficulty aims at.
const BLOCK_S: f64 = 600.0;

/// Seconds that rates are given for.
const MINUTE_S: u32 = 60;

/// The pool at a glance.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Pool {
    /// The node's clock.
    pub time_unix_s: u32,
    /// Hashes a second of the whole pool, estimated; none while there are fewer than two links.
    pub hashrate_hs: Option<f64>,
    /// Links that it is estimated from, at most.
    pub hashrate_links: u32,
    /// Bitcoin, as this node knows it.
    pub bitcoin: Bitcoin,
    /// The pool's part of Bitcoin's hashrate, 0 to 1.
    pub share_of_bitcoin: Option<f64>,
    /// Seconds until the pool finds a block, on average.
    pub expected_block_s: Option<f64>,
    /// What was done since the pool's last Bitcoin block.
    pub round: Round,
    /// What a block is paid by.
    pub window: WindowSummary,
    /// In how many hands the pool is.
    pub decentralisation: Decentralisation,
    /// In how many hands Bitcoin's mining is, for comparison.
    pub bitcoin_pools: BitcoinPools,
    /// Links of the last whole minute.
    pub links_minute: u32,
    /// Shares of the last whole minute, links included.
    pub shares_minute: u32,
    /// The share-chain.
    pub chain: ChainSummary,
}

/// Bitcoin, as this node knows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Bitcoin {
    /// Height of the header with the most work.
    pub height: u32,
    /// Its difficulty: expected hashes for a block over 2^32.
    pub difficulty: f64,
    /// Hashes a second that the difficulty is made for.
    pub hashrate_hs: f64,
    /// Subsidy and, as far as a template tells, fees of the next block, satoshi.
    pub next_value_sat: u64,
}

/// What was done since the pool's last Bitcoin block.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Round {
    /// When that was found; none before the first, or when this node does not know it.
    pub since_unix_s: Option<u32>,
    /// Its hash.
    pub since_block: Option<String>,
    /// Work since then in expected Bitcoin blocks: 1 is what a block takes on average.
    pub effort: f64,
    /// Probability to have found a block with that much work, 0 to 1.
    pub probability: f64,
}

/// What a block is paid by.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct WindowSummary {
    /// What all scripts together earned in it.
    pub total: WeightView,
    /// Expected Bitcoin blocks that it looks back, once there is so much.
    pub target_blocks: f64,
    /// How many scripts earned.
    pub scripts_total: u64,
    /// How many links it spans.
    pub links: u32,
    /// Time of its oldest link; none while that is genesis.
    pub oldest_unix_s: Option<u32>,
    /// Time of its newest link; none while that is genesis.
    pub newest_unix_s: Option<u32>,
}

/// The share-chain.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct ChainSummary {
    /// Height of its tip.
    pub height: u32,
    /// Height of the newest link that this node would not undo.
    pub final_height: u32,
}

/// What only the chain's owner can say.
struct ChainPart {
    hashrate_hs: Option<f64>,
    bitcoin: Bitcoin,
    window_target: Weight,
    oldest_unix_s: Option<u32>,
    newest_unix_s: Option<u32>,
    makers: BTreeMap<u32, u32>,
    chain: ChainSummary,
}

impl ChainPart {
    fn of(chain: &Chain, node: &crate::state::BitcoinView, oldest: u32) -> Self {
        let best = chain.bitcoin().best();
        let (hash, height) = (best.header.block_hash(), best.height);
        let bits = chain.bitcoin().next_bits(&hash).unwrap_or(best.header.bits);
        let work = target::work_of_bits(bits).to_hashes_saturating_u128() as f64;
        let value_sat = NextBlock::of(chain, node).map(|block| block.value_sat);
        let time_at = |height: Height| {
            let link = chain.link(&chain.main_at(height)?)?;
            (height > Height(0)).then_some(link.time.0)
        };
        Self {
            hashrate_hs: pool_hashrate_hs(chain),
            bitcoin: Bitcoin {
                height,
                difficulty: work / 2_f64.powi(32),
                hashrate_hs: work / BLOCK_S,
                next_value_sat: value_sat.unwrap_or_else(|| chain.params().bitcoin.subsidy_sat(height + 1)),
            },
            window_target: chain.params().window_weight,
            oldest_unix_s: time_at(Height(oldest)),
            newest_unix_s: time_at(chain.height()),
            makers: makers(chain),
            chain: ChainSummary { height: chain.height().0, final_height: chain.finality().height.0 },
        }
    }
}

/// The pool at a glance.
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

/// The last answer and the tip that it was made for: many readers cost no more than one.
pub(super) type KeptPool = tokio::sync::Mutex<Option<(ShareId, Pool)>>;

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
            hashrate_links: HASHRATE_LINKS,
            share_of_bitcoin: hashrate.map(|pool| pool / part.bitcoin.hashrate_hs),
            expected_block_s: hashrate.filter(|pool| *pool > 0.0).map(|pool| part.bitcoin.hashrate_hs * BLOCK_S / pool),
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
            decentralisation: Decentralisation::new(standing.as_deref(), &part.makers, peers, self.network()),
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
