//! `/api/v1/blocks`: the Bitcoin blocks that the pool found, newest first; `/api/v1/blocks/{hash}`: one of them with
//! everything that its payouts follow from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{BlockHash, Network};
use serde::Serialize;
use sharechain::chain::{Chain, Fate};
use sharechain::{ShareId, Weight};
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorBody};
use super::params::{Hash, Paging};
use super::shares::stored_proof;
use super::views::{Earned, Output, Payee, WeightView, hex};
use super::window::page;
use crate::bitcoind::SubmitVerdict;
use crate::store::RecordKind;
use node_core::pool_block::PoolBlock;

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
    /// Work of the pool since its block below, in expected Bitcoin blocks: 1 is what a block takes on average. None for the
    /// first that this node knows.
    pub effort: Option<f64>,
    /// Probability that a block takes at most that much work, 0 to 1: below a half means luck.
    pub luck_probability: Option<f64>,
    /// Height of the share-chain's link that this block is, or that lists it; none while there is none, or when this node
    /// does not keep it in memory any more.
    pub listed_height: Option<u32>,
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
    /// Who had earned what up to the snapshot, most first: a page of it. Empty while this node lacks a part of it.
    pub weights: Vec<Earned>,
    /// Where the next page of the weights starts; none on the last one.
    pub next_from: Option<u64>,
    /// Shares listed from genesis up to the snapshot, links included: with too few the finder is paid alone. None while
    /// this node lacks a part of it.
    pub snapshot_listed_total: Option<u64>,
    /// The coinbase as it is hashed, without witness, hex.
    pub coinbase_hex: String,
    /// The block's header as it is hashed, hex.
    pub header_hex: String,
    /// The branch of the Merkle tree from the coinbase to the root in the header: hashes as they are hashed, not turned
    /// around for people, hex.
    pub merkle_branch: Vec<String>,
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

/// What is not in a block's record.
#[derive(Clone, Copy, Debug)]
struct Standing {
    confirmations: u32,
    listed_height: Option<u32>,
    effort: Option<f64>,
}

impl BlockSummary {
    fn new(api: &Api, block: &PoolBlock, standing: Standing) -> Self {
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
            confirmations: standing.confirmations,
            listed_height: standing.listed_height,
            effort: standing.effort,
            luck_probability: standing.effort.map(|effort| -(-effort).exp_m1()),
            bitcoind: api.context.submissions.verdict(&block.hash).map(BitcoindSays::from),
        }
    }
}

/// Bitcoin blocks from one up to the tip, itself included; 0 while it is not in the chain with the most work.
pub(super) fn confirmations(chain: &Chain, height: u32, hash: BlockHash) -> u32 {
    let headers = chain.bitcoin();
    let best = headers.best();
    if headers.ancestor(&best.header.block_hash(), height) != Some(hash) {
        return 0;
    }
    best.height.saturating_sub(height).saturating_add(1)
}

fn listed_height(chain: &Chain, hash: BlockHash) -> Option<u32> {
    match chain.fate(&ShareId::from(hash)) {
        Fate::MainLink(height) | Fate::Listed { height, .. } => Some(height.0),
        _ => None,
    }
}

impl Api {
    async fn standings(&self, blocks: &Arc<Vec<PoolBlock>>) -> Result<Vec<Standing>, ApiError> {
        let (asked, history) = (Arc::clone(blocks), self.context.history.clone());
        let efforts = self
            .read(move |_| {
                asked
                    .iter()
                    .map(|block| history.effort(block.height, &block.hash.into()))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let chain = self.chain();
        let standings = blocks.iter().zip(efforts).map(|(block, effort)| {
            let (confirmations, listed_height) =
                (confirmations(&chain, block.height, block.hash), listed_height(&chain, block.hash));
            let work = effort.and_then(|(own, below)| own.weight.checked_sub(below?.weight));
            let effort = work.map(|work| WeightView::from(Weight(work)).weight_blocks);
            Standing { confirmations, listed_height, effort }
        });
        Ok(standings.collect())
    }
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
    let standings = api.standings(&blocks).await?;
    let blocks = blocks.iter().zip(standings).map(|(block, standing)| BlockSummary::new(&api, block, standing));
    Ok(Json(Blocks { blocks: blocks.collect(), next_from }))
}

/// One Bitcoin block of the pool, with everything that its payouts follow from. The paging is that of `weights`.
#[utoipa::path(
    get, path = "/api/v1/blocks/{hash}",
    params(("hash" = String, Path, description = "The block's hash", pattern = "^[0-9a-fA-F]{64}$"), Paging),
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
    let stored = api.read(move |store| Ok((store.get(RecordKind::Block, &id.0)?, stored_proof(store, id)?))).await?;
    let (Some(bytes), Some(proof)) = stored else { return Err(ApiError::unknown("block of the pool", id)) };
    let blocks = Arc::new(vec![PoolBlock::from_bytes(&bytes).map_err(ApiError::Stored)?]);
    let standings = api.standings(&blocks).await?;
    let mut summaries = blocks.iter().zip(standings).map(|(block, standing)| BlockSummary::new(&api, block, standing));
    let (Some(block), Some(summary)) = (blocks.first(), summaries.next()) else { return Err(ApiError::Stopping) };
    let standing = api.windows.up_to(api.chain(), Some(ShareId::from(block.snapshot))).await?;
    let network: Network = api.network();
    let (weights, next_from) = standing.as_ref().map(|standing| page(standing, &paging, network)).unwrap_or_default();
    Ok(Json(BlockDetail {
        summary,
        outputs: Output::all(&block.payouts, block.exact, network),
        snapshot: block.snapshot.to_string(),
        seed: block.seed.to_string(),
        weights,
        next_from,
        snapshot_listed_total: standing.map(|standing| standing.listed_total),
        coinbase_hex: hex(block.coinbase.as_bytes()),
        header_hex: serialize_hex(&proof.header),
        merkle_branch: proof.branch.iter().map(|hash| hex(hash)).collect(),
    }))
}
