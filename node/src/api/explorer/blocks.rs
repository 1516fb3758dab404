//! `/api/v1/blocks`: the pool's Bitcoin blocks, one of them, its payout proofs, and the feed of the newest.

use std::collections::HashMap;
use std::sync::Arc;

use archive::read::Block;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bitcoin::consensus::encode::serialize_hex;
use node_core::pool_block::PoolBlock;
use sharechain::{Proof, ShareId};

use super::now::Now;
use super::state::{Place, View, page};
use crate::api::blocks::{BlockDetail, BlockSummary, Blocks, dues_kept, page as dues_page};
use crate::api::error::ApiError;
use crate::api::feed::answer;
use crate::api::guard::Deep;
use crate::api::limits::{FEED_BLOCKS, MATURITY_BLOCKS};
use crate::api::params::{Paging, PaidAddress, Segment};
use crate::api::views::{Output, Payee, hex};
use crate::payout_proof::json::ProofJson;

// The node's modules describe these routes.
pub(super) use crate::api::blocks::{__path_block, __path_blocks};
pub(super) use crate::api::feed::__path_feed;
pub(super) use crate::api::payout_proof::__path_payout_proof;

impl View {
    /// Summaries of blocks.
    async fn summaries(&self, blocks: &[Block], newest: &Now) -> Result<Vec<BlockSummary>, ApiError> {
        let hashes: Vec<ShareId> = blocks.iter().map(|block| block.hash).collect();
        let shares = self.archive.shares(&hashes, self.params.listing_depth).await?;
        let listed = shares.into_iter().filter_map(|share| Some((share.id, share.listed_in?.1)));
        let listed: HashMap<ShareId, u32> = listed.collect();
        Ok(blocks.iter().map(|block| self.summary(block, listed.get(&block.hash).copied(), newest)).collect())
    }

    fn summary(&self, block: &Block, listed_height: Option<u32>, newest: &Now) -> BlockSummary {
        let finder = Payee::new(&block.finder, self.network());
        let effort = self.efforts().get(&block.hash);
        let explorer = self.config.api.explorer.as_ref();
        let hash = block.hash.to_string();
        BlockSummary {
            height: block.height,
            prev_hash: block.previous.to_string(),
            time_unix_s: block.time,
            finder_script: finder.script,
            finder_address: finder.address,
            value_sat: block.value_sat,
            outputs_count: block.outputs,
            confirmations: newest.bitcoin.confirmations(block.height, &block.hash),
            bitcoind: None,
            effort,
            luck_probability: effort.map(|effort| -(-effort).exp_m1()),
            explorer_url: explorer.map(|url| url.replace("{hash}", &hash)),
            listed_height,
            hash,
        }
    }

    /// The block with a hash or a height. Of several at one height, the one in Bitcoin's best chain.
    async fn block_named(&self, text: &str, newest: &Now) -> Result<Block, ApiError> {
        let wanted = "the hash of a block, with 64 hexadecimal digits, or its height";
        let (id, height) = (text.parse::<ShareId>(), text.parse::<u32>());
        let (hash, unknown) = match (id, height) {
            (Ok(id), _) => (Some(id), ApiError::unknown("block of the pool", id)),
            (_, Ok(height)) => {
                let hashes = self.archive.blocks_at(height).await?;
                let is_in_chain = |hash: &&ShareId| newest.bitcoin.confirmations(height, hash) > 0;
                let chosen = hashes.iter().find(is_in_chain).or(hashes.first()).copied();
                (chosen, ApiError::unknown("block of the pool at height", height))
            }
            _ => return Err(ApiError::parameter("the block in the path", wanted, text)),
        };
        let Some(hash) = hash else { return Err(unknown) };
        self.archive.block(&hash).await?.ok_or(unknown)
    }
}

/// Lists the Bitcoin blocks that the pool found, newest first.
pub(super) async fn blocks(State(view): State<Arc<View>>, paging: Paging) -> Result<Json<Blocks>, ApiError> {
    let (newest, at) = (view.now()?, Place::of(paging.from));
    let rows = view.archive.blocks_down(at.height, at.skip, paging.items() + 1).await?;
    let (rows, next_from) = page(rows, paging.items(), at, |row| row.height);
    Ok(Json(Blocks { blocks: view.summaries(&rows, &newest).await?, next_from }))
}

/// Returns one Bitcoin block of the pool, with everything that determines its payouts. The paging applies to `weights`.
pub(super) async fn block(
    State(view): State<Arc<View>>,
    Segment(text): Segment,
    paging: Paging,
) -> Result<Response, ApiError> {
    let newest = view.now()?;
    let block = view.block_named(&text, &newest).await?;
    let listed = view.archive.share(&block.hash, view.params.listing_depth).await?.and_then(|share| share.listed_in);
    let summary = view.summary(&block, listed.map(|(_, height)| height), &newest);
    let (payouts, kept) = (view.archive.payouts(&block.hash).await?, view.archive.window(&block.hash).await?);
    let proof = Proof::decode(&block.proof).map_err(|_| ApiError::unknown("proof of block", block.hash))?;
    let dues = kept.as_ref().map(dues_kept).unwrap_or_default();
    let (weights, next_from) = dues_page(&dues, &paging, view.network());
    let missing = "the archive has no window of this block; load a recording that has its link".to_owned();
    let exact = block.exact.and_then(|exact| usize::try_from(exact).ok());
    let is_deep = summary.confirmations > MATURITY_BLOCKS && summary.effort.is_some() && text.len() > 10;
    let detail = Json(BlockDetail {
        summary,
        outputs: Output::all(&payouts, exact, view.network()),
        snapshot: block.snapshot.to_string(),
        seed: block.seed.to_string(),
        weights,
        weights_pruned: kept.is_none().then_some(missing),
        next_from,
        snapshot_listed_total: kept.map(|kept| kept.listed_total),
        coinbase_hex: hex(&block.coinbase),
        header_hex: serialize_hex(&proof.header),
        merkle_branch: proof.branch.iter().map(|hash| hex(hash)).collect(),
    });
    Ok((is_deep.then_some(Extension(Deep)), detail).into_response())
}

/// Proves what a Bitcoin block of the pool pays an address, or that it pays it nothing. The proof needs no trust in the
/// archive.
pub(super) async fn payout_proof(
    State(view): State<Arc<View>>,
    Segment(text): Segment,
    PaidAddress { address }: PaidAddress,
) -> Result<Json<ProofJson>, ApiError> {
    let script = view.script(&address)?;
    let newest = view.now()?;
    let block = view.block_named(&text, &newest).await?;
    let none = || ApiError::NoProof { block: block.hash.to_string() };
    let window = view.archive.window(&block.hash).await?.ok_or_else(none)?;
    let params = view.params.clone();
    // It sorts and hashes the whole window, so it runs off the threads that serve sockets.
    let proving = tokio::task::spawn_blocking(move || window.prove(&script, &params));
    let proof = proving.await.map_err(|_| ApiError::Stopping)?.ok_or_else(none)?;
    Ok(Json(ProofJson::from(&proof)))
}

/// Returns the pool's newest Bitcoin blocks as an Atom feed. Its links begin with `notify.pages_url`, or else with the host
/// of the request.
pub(super) async fn feed(State(view): State<Arc<View>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let rows = view.archive.blocks_down(u32::MAX, 0, FEED_BLOCKS).await?;
    let mut blocks = Vec::with_capacity(rows.len());
    for row in rows {
        blocks.push(PoolBlock {
            hash: row.hash.block_hash(),
            height: row.height,
            prev_hash: row.previous.block_hash(),
            time: row.time,
            value_sat: row.value_sat,
            payouts: view.archive.payouts(&row.hash).await?,
            exact: row.exact.and_then(|exact| usize::try_from(exact).ok()),
            snapshot: row.snapshot.block_hash(),
            seed: row.seed.block_hash(),
            coinbase: row.coinbase.into(),
            finder: row.finder,
        });
    }
    Ok(answer(&view.config, &headers, &blocks))
}
