//! `/api/v1/blocks`: the Bitcoin blocks that the pool found, newest first; `/api/v1/blocks/{hash}`: one of them with
//! everything that its payouts follow from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bitcoin::Network;
use serde::Serialize;
use sharechain::ShareId;
use sharechain::chain::Chain;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorBody};
use super::params::{Hash, Paging};
use super::views::{Earned, Output, Payee, hex};
use super::window::page;
use crate::bitcoind::SubmitVerdict;
use crate::pool_block::PoolBlock;
use crate::store::RecordKind;

/// Bitcoin blocks that the pool found, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Blocks {
    /// The blocks.
    pub blocks: Vec<BlockSummary>,
    /// Where the next page starts; none on the last one.
    pub next_from: Option<u64>,
}

/// A Bitcoin block that the pool found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BlockSummary {
    /// Its hash; also the id of the share that it is.
    pub hash: String,
    /// Its height.
    pub height: u32,
    /// The block before it.
    pub prev_hash: String,
    /// Time in its header.
    pub time_unix_s: u32,
    /// Payout script of who found it, hex.
    pub finder_script: String,
    /// The same as an address.
    pub finder_address: Option<String>,
    /// Subsidy and fees, satoshi.
    pub value_sat: u64,
    /// How many outputs pay miners.
    pub outputs_count: u64,
    /// Bitcoin blocks from it up to the tip, itself included; 0 while it is not in the chain with the most work that
    /// this node knows.
    pub confirmations: u32,
    /// What this node's bitcoind said to it; none when this node did not submit it, or forgot
    /// it after a thousand others.
    pub bitcoind: Option<BitcoindSays>,
}

/// What bitcoind said to a block.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct BitcoindSays {
    /// Its verdict.
    pub verdict: Verdict,
    /// Its reason, if it refused the block.
    pub reason: Option<String>,
}

/// A verdict of bitcoind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Valid, and its new tip.
    Accepted,
    /// Known already.
    Duplicate,
    /// Valid as far as it looked, but another block is its tip.
    Inconclusive,
    /// Invalid.
    Rejected,
}

/// A Bitcoin block with everything that its payouts follow from.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BlockDetail {
    /// The block.
    #[serde(flatten)]
    pub summary: BlockSummary,
    /// Whom it pays, in the order of the outputs.
    pub outputs: Vec<Output>,
    /// The link up to which work counted.
    pub snapshot: String,
    /// The Bitcoin block whose hash the tail was drawn with.
    pub seed: String,
    /// Who had earned what up to the snapshot, most first: a page of it. Empty when this node no longer keeps it.
    pub weights: Vec<Earned>,
    /// Where the next page of the weights starts; none on the last one.
    pub next_from: Option<u64>,
    /// Shares listed from genesis up to the snapshot, links included: with too few the finder is paid alone. None when
    /// this node no longer keeps it.
    pub snapshot_listed_total: Option<u64>,
    /// The coinbase as it is hashed, without witness, hex.
    pub coinbase_hex: String,
}

impl From<SubmitVerdict> for BitcoindSays {
    fn from(verdict: SubmitVerdict) -> Self {
        let (verdict, reason) = match verdict {
            SubmitVerdict::Accepted => (Verdict::Accepted, None),
            SubmitVerdict::Duplicate => (Verdict::Duplicate, None),
            SubmitVerdict::Inconclusive => (Verdict::Inconclusive, None),
            SubmitVerdict::Rejected { reason } => (Verdict::Rejected, Some(reason)),
        };
        Self { verdict, reason }
    }
}

impl BlockSummary {
    fn new(api: &Api, block: &PoolBlock, confirmations: u32) -> Self {
        let finder = Payee::new(&block.finder, api.network());
        Self {
            hash: block.hash.to_string(),
            height: block.height,
            prev_hash: block.prev_hash.to_string(),
            time_unix_s: block.time,
            finder_script: finder.script,
            finder_address: finder.address,
            value_sat: block.value_sat,
            outputs_count: block.payouts.len() as u64,
            confirmations,
            bitcoind: api.context.submissions.verdict(&block.hash).map(BitcoindSays::from),
        }
    }
}

fn confirmations(chain: &Chain, block: &PoolBlock) -> u32 {
    let headers = chain.bitcoin();
    let best = headers.best();
    if headers.ancestor(&best.header.block_hash(), block.height) != Some(block.hash) {
        return 0;
    }
    best.height.saturating_sub(block.height).saturating_add(1)
}

/// The Bitcoin blocks that the pool found, newest first.
#[utoipa::path(
    get, path = "/api/v1/blocks", params(Paging),
    responses(
        (status = 200, description = "Blocks, newest first", body = Blocks),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
    )
)]
pub(super) async fn blocks(State(api): State<Arc<Api>>, paging: Paging) -> Result<Json<Blocks>, ApiError> {
    let count = paging.items();
    // One more tells whether there is another page.
    let mut entries = api
        .read(move |store| {
            store.blocks_down(paging.from.unwrap_or(u64::MAX)).take(count + 1).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let next_from = (entries.len() > count).then(|| entries.pop()).flatten().map(|next| next.sequence);
    let blocks: Result<Vec<_>, _> = entries.iter().map(|entry| PoolBlock::from_bytes(&entry.record.bytes)).collect();
    let blocks = Arc::new(blocks.map_err(ApiError::Stored)?);
    let asked = Arc::clone(&blocks);
    let confirmed: Vec<u32> =
        api.chain(move |chain| asked.iter().map(|block| confirmations(chain, block)).collect()).await?;
    let blocks = blocks.iter().zip(confirmed).map(|(block, confirmed)| BlockSummary::new(&api, block, confirmed));
    Ok(Json(Blocks { blocks: blocks.collect(), next_from }))
}

/// One Bitcoin block of the pool, with everything that its payouts follow from. The paging is that of `weights`.
#[utoipa::path(
    get, path = "/api/v1/blocks/{hash}", params(("hash" = String, Path, description = "The block's hash"), Paging),
    responses(
        (status = 200, description = "The block", body = BlockDetail),
        (status = 400, description = "The hash or a parameter cannot be read", body = ErrorBody),
        (status = 404, description = "This node knows no such block of the pool", body = ErrorBody),
    )
)]
pub(super) async fn block(
    State(api): State<Arc<Api>>,
    Hash(id): Hash,
    paging: Paging,
) -> Result<Json<BlockDetail>, ApiError> {
    let bytes = api.read(move |store| store.get(RecordKind::Block, &id.0)).await?;
    let bytes = bytes.ok_or_else(|| ApiError::unknown("block of the pool", id))?;
    let block = Arc::new(PoolBlock::from_bytes(&bytes).map_err(ApiError::Stored)?);
    let asked = Arc::clone(&block);
    let confirmed = api.chain(move |chain| confirmations(chain, &asked)).await?;
    let standing = api.windows.up_to(&api.context.engine, Some(ShareId::from(block.snapshot))).await?;
    let network: Network = api.network();
    let (weights, next_from) = standing.as_ref().map(|standing| page(standing, &paging, network)).unwrap_or_default();
    Ok(Json(BlockDetail {
        summary: BlockSummary::new(&api, &block, confirmed),
        outputs: block.payouts.iter().map(|output| Output::new(output, network)).collect(),
        snapshot: block.snapshot.to_string(),
        seed: block.seed.to_string(),
        weights,
        next_from,
        snapshot_listed_total: standing.map(|standing| standing.listed_total),
        coinbase_hex: hex(block.coinbase.as_bytes()),
    }))
}
