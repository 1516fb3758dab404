//! `/api/v1/blocks`: the Bitcoin blocks that the pool found, newest first. `/api/v1/blocks/{hash}`: one of them, with
//! everything that determines its payouts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{BlockHash, Network, Script};
use serde::Serialize;
use sharechain::chain::{Chain, Fate};
use sharechain::payout_proof::BlockWindow;
use sharechain::{ShareId, Weight};
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody, Older};
use super::params::{Paging, Segment};
use super::pruned;
use super::shares::stored_proof;
use super::views::{BlockDue, Output, Payee, WeightView, hex};
use super::windows::Standing as Window;
use crate::bitcoind::SubmitVerdict;
use crate::store::RecordKind;
use node_core::pool_block::PoolBlock;

/// A page of the Bitcoin blocks that the pool found, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Blocks {
    /// The blocks of this page.
    pub blocks: Vec<BlockSummary>,
    /// `from` of the next page; none on the last page.
    pub next_from: Option<u64>,
}

/// A Bitcoin block that the pool found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BlockSummary {
    /// Hash of the block; also its id as a share.
    pub hash: String,
    /// Height of the block.
    pub height: u32,
    /// Hash of the previous block.
    pub prev_hash: String,
    /// Time of its header, seconds since 1970.
    pub time_unix_s: u32,
    /// Payout script of the finder, hex.
    pub finder_script: String,
    /// Address of the finder; none if the script has no address.
    pub finder_address: Option<String>,
    /// Subsidy and fees, satoshi.
    pub value_sat: u64,
    /// Number of outputs that pay miners.
    pub outputs_count: u64,
    /// Confirmations: Bitcoin blocks from this one up to the tip, inclusive; 0 while it is not in the chain with the
    /// most work that this node knows. For a block below the oldest Bitcoin header that the node keeps, as the node
    /// recorded it earlier.
    pub confirmations: u32,
    /// Verdict of this node's bitcoind; none if this node did not submit the block, or submitted a thousand others
    /// since.
    pub bitcoind: Option<BitcoindSays>,
    /// Effort: work done since the pool's previous block divided by the work expected for a block. 1 is average, below is
    /// lucky.
    /// None for the first block that this node knows.
    pub effort: Option<f64>,
    /// Probability that a block takes at most this effort, 0 to 1: 0.63 for an effort of 1.
    pub luck_probability: Option<f64>,
    /// The block at the Bitcoin explorer of `api.explorer`; none if that is not set.
    pub explorer_url: Option<String>,
    /// Height of this block as a link, or of the link that lists it; none while there is no such link, or once it is
    /// too deep to be in memory.
    pub listed_height: Option<u32>,
}

/// bitcoind's verdict on a submitted block, with its reason.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct BitcoindSays {
    /// The verdict.
    pub verdict: Verdict,
    /// bitcoind's reason, if it rejected the block.
    pub reason: Option<String>,
}

/// bitcoind's verdict on a submitted block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// The block is valid and became bitcoind's tip.
    Accepted,
    /// bitcoind already has the block.
    Duplicate,
    /// bitcoind stored the block, but another block is its tip.
    Inconclusive,
    /// The block is invalid.
    Rejected,
}

/// A Bitcoin block of the pool, with everything that determines its payouts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BlockDetail {
    /// Summary of the block.
    #[serde(flatten)]
    pub summary: BlockSummary,
    /// Payout outputs of the coinbase, in order.
    pub outputs: Vec<Output>,
    /// Id of the snapshot: the link up to which work counted.
    pub snapshot: String,
    /// Hash of the Bitcoin block that seeds the lottery.
    pub seed: String,
    /// A page of the PPLNS window up to the snapshot, largest weight first, from the window that this node keeps for payout
    /// proofs if the block pays several. Empty if this node has no such window, and if the block pays its finder alone and is
    /// so old that only the window for payout proofs is left.
    pub weights: Vec<BlockDue>,
    /// Why `weights` is empty if this node has pruned that window: one sentence, which says from which height on it keeps
    /// links.
    pub weights_pruned: Option<String>,
    /// `from` of the next page of `weights`; none on the last page.
    pub next_from: Option<u64>,
    /// Shares listed from genesis up to the snapshot, links included. With too few, the block pays its finder alone.
    /// None while this node lacks a part of that history.
    pub snapshot_listed_total: Option<u64>,
    /// The coinbase as hashed for its txid, without the witness, hex.
    pub coinbase_hex: String,
    /// The block's header, serialized, hex.
    pub header_hex: String,
    /// Merkle branch from the coinbase to the root in the header: hashes in internal byte sequence, not reversed for
    /// display, hex.
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

/// Values of a block that its record does not hold.
#[derive(Clone, Copy, Debug)]
struct Standing {
    confirmations: u32,
    listed_height: Option<u32>,
    effort: Option<f64>,
}

impl BlockSummary {
    fn new(api: &Api, block: &PoolBlock, standing: Standing) -> Self {
        let finder = Payee::new(&block.finder, api.network());
        let explorer = &api.context.config.api.explorer;
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
            explorer_url: explorer.as_ref().map(|url| url.replace("{hash}", &block.hash.to_string())),
            listed_height: standing.listed_height,
            effort: standing.effort,
            luck_probability: standing.effort.map(|effort| -(-effort).exp_m1()),
            bitcoind: says(api.context.submissions.verdict(&block.hash), standing.confirmations),
        }
    }
}

/// bitcoind's verdict. A confirmed block counts as accepted, even if bitcoind first rejected it for its missing parent.
fn says(verdict: Option<SubmitVerdict>, confirmations: u32) -> Option<BitcoindSays> {
    let verdict = match verdict? {
        SubmitVerdict::Inconclusive | SubmitVerdict::Rejected { .. } if confirmations > 0 => SubmitVerdict::Duplicate,
        verdict => verdict,
    };
    Some(verdict.into())
}

/// Confirmations of a Bitcoin block; 0 while it is not in the chain with the most work. For deep blocks, `noted`
/// decides.
pub(super) fn confirmations(chain: &Chain, height: u32, hash: BlockHash, noted: Option<bool>) -> u32 {
    let headers = chain.bitcoin();
    let best = headers.best();
    if height < headers.root().height && noted == Some(true) {
        return best.height.saturating_sub(height).saturating_add(1);
    }
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
            let noted = effort.and_then(|(own, _)| own.in_chain);
            let confirmations = confirmations(&chain, block.height, block.hash, noted);
            let listed_height = listed_height(&chain, block.hash);
            let work = effort.and_then(|(own, below)| own.weight.checked_sub(below?.weight));
            let effort = work.map(|work| WeightView::from(Weight(work)).weight_blocks);
            Standing { confirmations, listed_height, effort }
        });
        Ok(standings.collect())
    }
}

/// A script with its weight and, if known, the number of its shares.
pub(super) type DueRow<'a> = (&'a Script, Weight, Option<u64>);

fn dues_of(window: &Window) -> Vec<DueRow<'_>> {
    window.earners.iter().map(|(script, sum)| (script.as_script(), sum.weight, Some(sum.shares))).collect()
}

/// The dues that payout proofs are made from, largest first. They have weights only, no shares.
pub(super) fn dues_kept(kept: &BlockWindow) -> Vec<DueRow<'_>> {
    let mut dues: Vec<DueRow<'_>> = kept.dues.iter().map(|due| (due.script.as_script(), due.weight, None)).collect();
    dues.sort_by(|(script_a, a, _), (script_b, b, _)| b.cmp(a).then_with(|| script_a.cmp(script_b)));
    dues
}

/// A page of dues, and the start of the next page.
pub(super) fn page(dues: &[DueRow<'_>], paging: &Paging, network: Network) -> (Vec<BlockDue>, Option<u64>) {
    let start = usize::try_from(paging.from.unwrap_or(0)).unwrap_or(usize::MAX);
    let end = start.saturating_add(paging.items());
    let row = |(script, weight, shares): &DueRow<'_>| BlockDue {
        payee: Payee::new(script, network),
        weight: (*weight).into(),
        shares: *shares,
    };
    let rows = dues.get(start..).unwrap_or_default().iter().take(paging.items()).map(row).collect();
    (rows, (end < dues.len()).then_some(end as u64))
}

/// Lists the Bitcoin blocks that the pool found, newest first.
#[utoipa::path(
    get, path = "/api/v1/blocks", params(Paging),
    responses(
        (status = 200, description = "Blocks, newest first", body = Blocks),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
    )
)]
pub(super) async fn blocks(State(api): State<Arc<Api>>, paging: Paging) -> Result<Response, ApiError> {
    let count = paging.items();
    // One more than asked for, to know whether there is another page.
    let mut entries = api
        .read(move |store| {
            store.blocks_down(paging.from.unwrap_or(u64::MAX)).take(count + 1).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let next_from = (entries.len() > count).then(|| entries.pop()).flatten().map(|next| next.sequence);
    let blocks: Result<Vec<_>, _> = entries.iter().map(|entry| PoolBlock::from_bytes(&entry.record.bytes)).collect();
    let blocks = Arc::new(blocks.map_err(ApiError::Stored)?);
    let standings = api.standings(&blocks).await?;
    let history = api.context.history.clone();
    let begins = api.read(move |_| history.begins()).await?;
    let lowest = blocks.iter().map(|block| block.height).min();
    // A page that is empty because of its number has no place in the archive's list.
    let below = lowest.map(|lowest| lowest.saturating_sub(1)).or(paging.from.is_none().then_some(u32::MAX));
    let blocks = blocks.iter().zip(standings).map(|(block, standing)| BlockSummary::new(&api, block, standing));
    let answer = Json(Blocks { blocks: blocks.collect(), next_from });
    Ok(pruned::paged(answer, next_from, begins.and(below).map(Older::Paid)))
}

/// Returns one Bitcoin block of the pool, with everything that determines its payouts. The paging applies to `weights`.
#[utoipa::path(
    get, path = "/api/v1/blocks/{hash}",
    params(
        ("hash" = String, Path, description = "The block's hash, or its height", pattern = "^([0-9a-fA-F]{64}|[0-9]{1,10})$"),
        Paging,
    ),
    responses(
        (status = 200, description = "The block", body = BlockDetail),
        (status = 400, description = "The hash or a parameter is invalid", body = ErrorBody),
        (status = 404, description = "This node does not know this block", body = ErrorBody),
    )
)]
pub(super) async fn block(
    State(api): State<Arc<Api>>,
    Segment(text): Segment,
    paging: Paging,
) -> Result<Json<BlockDetail>, ApiError> {
    let id = api.block_named(&text).await?;
    let stored = api.read(move |store| Ok((store.get(RecordKind::Block, &id.0)?, stored_proof(store, id)?))).await?;
    let (Some(bytes), proof) = stored else { return Err(ApiError::unknown("block of the pool", id)) };
    let blocks = Arc::new(vec![PoolBlock::from_bytes(&bytes).map_err(ApiError::Stored)?]);
    let standings = api.standings(&blocks).await?;
    let mut summaries = blocks.iter().zip(standings).map(|(block, standing)| BlockSummary::new(&api, block, standing));
    let (Some(block), Some(summary)) = (blocks.first(), summaries.next()) else { return Err(ApiError::Stopping) };
    let chain = api.chain();
    // The window for payout proofs is read in milliseconds; summing one again may pass over two million rows.
    let kept = api.block_window(id).await?;
    let standing = match &kept {
        Some(kept) if !kept.dues.is_empty() => None,
        _ => api.windows.up_to(Arc::clone(&chain), Some(ShareId::from(block.snapshot))).await?,
    };
    let proof = proof.or_else(|| kept.as_ref().map(|kept| kept.proof.clone()));
    let proof = proof.ok_or_else(|| ApiError::unknown("block of the pool", id))?;
    let oldest = pruned::oldest_kept(&chain).filter(|_| standing.is_none() && kept.is_none());
    let network: Network = api.network();
    let dues = match (&standing, &kept) {
        (Some(standing), _) => dues_of(standing),
        (None, Some(kept)) => dues_kept(kept),
        (None, None) => Vec::new(),
    };
    let (weights, next_from) = page(&dues, &paging, network);
    Ok(Json(BlockDetail {
        summary,
        outputs: Output::all(&block.payouts, block.exact, network),
        snapshot: block.snapshot.to_string(),
        seed: block.seed.to_string(),
        weights,
        weights_pruned: oldest.map(|oldest| pruned::sentence("the window that this block pays by", oldest)),
        next_from,
        snapshot_listed_total: standing.map(|s| s.listed_total).or(kept.map(|kept| kept.listed_total)),
        coinbase_hex: hex(block.coinbase.as_bytes()),
        header_hex: serialize_hex(&proof.header),
        merkle_branch: proof.branch.iter().map(|hash| hex(hash)).collect(),
    }))
}
