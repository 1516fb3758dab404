//! `/api/v1/blocks/{hash}/proof`: what a Bitcoin block of the pool pays an address, as a proof that needs no node.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use node_core::pool_window;
use sharechain::ShareId;
use sharechain::payout_proof::BlockWindow;

use super::blocks::confirmations;
use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::params::{PaidAddress, Segment};
use crate::config::parse_address;
use crate::history::History;
use crate::payout_proof::json::ProofJson;
use crate::store::{RecordKind, StoreError};

/// Proves what a Bitcoin block of the pool pays an address, or that it pays it nothing. `shoal proof verify`, `specs/proof.py`
/// and the page of the block check such a proof without any node.
#[utoipa::path(
    get, path = "/api/v1/blocks/{hash}/proof",
    params(
        ("hash" = String, Path, description = "The block's hash, or its height", pattern = "^([0-9a-fA-F]{64}|[0-9]{1,10})$"),
        PaidAddress,
    ),
    responses(
        (status = 200, description = "The proof", body = ProofJson),
        (status = 400, description = "The block or the address is invalid", body = ErrorBody),
        (status = 404, description = "This node does not know this block, or keeps no proofs of it", body = ErrorBody),
    )
)]
pub(super) async fn payout_proof(
    State(api): State<Arc<Api>>,
    Segment(block): Segment,
    PaidAddress { address }: PaidAddress,
) -> Result<Json<ProofJson>, ApiError> {
    let network = api.context.config.network;
    let script = parse_address(&address, network)?.script_pubkey();
    let id = api.block_named(&block).await?;
    let window = api.block_window(id).await?.ok_or_else(|| ApiError::NoProof { block: id.to_string() })?;
    // It sorts and hashes the whole window: milliseconds, off the threads that serve sockets.
    let chain = api.chain();
    let proving = tokio::task::spawn_blocking(move || window.prove(&script, chain.params()));
    let proof = proving.await.map_err(|_| ApiError::Stopping)?;
    let proof = proof.ok_or_else(|| ApiError::NoProof { block: id.to_string() })?;
    Ok(Json(ProofJson::from(&proof)))
}

impl Api {
    /// The window of a block, if this node keeps it.
    pub(super) async fn block_window(&self, id: ShareId) -> Result<Option<BlockWindow>, ApiError> {
        self.read(move |store| pool_window::read(store, &id)).await
    }

    /// The block of the pool with a hash or a height. Of several at one height, the one in Bitcoin's best chain.
    pub(super) async fn block_named(&self, text: &str) -> Result<ShareId, ApiError> {
        let (id, height) = (text.parse::<ShareId>(), text.parse::<u32>());
        if let Ok(id) = id {
            let known = self.read(move |store| store.contains(RecordKind::Block, &id.0)).await?;
            return if known { Ok(id) } else { Err(ApiError::unknown("block of the pool", id)) };
        }
        let wanted = "the hash of a block, with 64 hexadecimal digits, or its height";
        let height = height.map_err(|_| ApiError::parameter("the block in the path", wanted, text))?;
        let history = self.context.history.clone();
        let noted = move |history: &History, id: ShareId| Ok((id, history.in_chain(height, &id)?));
        let blocks = self
            .read(move |_| {
                let ids = history.blocks_at(height)?.into_iter();
                ids.map(|id| noted(&history, id)).collect::<Result<Vec<_>, StoreError>>()
            })
            .await?;
        let chain = self.chain();
        let is_in_chain =
            |(id, noted): &&(ShareId, Option<bool>)| confirmations(&chain, height, id.block_hash(), *noted) > 0;
        let chosen = blocks.iter().find(is_in_chain).or(blocks.first()).map(|(id, _)| *id);
        chosen.ok_or_else(|| ApiError::unknown("block of the pool at height", height))
    }
}
