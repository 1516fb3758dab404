//! `/api/v1/window`: the PPLNS window that ends at the tip, and the payouts of a block found now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sharechain::ShareId;
use sharechain::window::Sum;
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::next_block::NextBlock;
use super::params::Paging;
use super::views::{Earned, Output, Payee, WeightView};
use super::windows::Standing;

/// The PPLNS window that ends at the tip.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WindowAnswer {
    /// Id of the tip.
    pub newest: String,
    /// Height of the tip.
    pub newest_height: u32,
    /// Height of the oldest link in the window.
    pub oldest_height: u32,
    /// Total weight of all scripts.
    pub total: WeightView,
    /// Number of scripts with weight in the window.
    pub scripts_total: u64,
    /// Shares listed from genesis up to the tip, links included.
    pub listed_total: u64,
    /// A page of the scripts with weight, largest first.
    pub earned: Vec<Earned>,
    /// `from` of the next page; none on the last page.
    pub next_from: Option<u64>,
    /// The payouts of a block found now; none while a part of the history is missing.
    pub next_block: Option<NextBlockView>,
}

/// A block found now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NextBlockView {
    /// Height of the block.
    pub height: u32,
    /// Hash of the previous block.
    pub prev_hash: String,
    /// Id of the snapshot: the link up to which work counts.
    pub snapshot: String,
    /// Hash of the Bitcoin block that seeds its lottery.
    pub seed: String,
    /// Subsidy and, if there is a template, fees, satoshi.
    pub value_sat: u64,
    /// True while too few shares are listed for shared payouts, so the finder is paid alone.
    pub finder_alone: bool,
    /// Payout outputs, in order; empty while the finder is paid alone.
    pub outputs: Vec<Output>,
}

impl NextBlockView {
    fn new(block: &NextBlock, network: bitcoin::Network) -> Self {
        let outputs = block.outputs.as_deref().unwrap_or_default();
        Self {
            height: block.height,
            prev_hash: block.previous.to_string(),
            snapshot: block.snapshot.to_string(),
            seed: ShareId(block.seed).to_string(),
            value_sat: block.value_sat,
            finder_alone: block.outputs.is_none(),
            outputs: Output::all(outputs, Some(block.exact), network),
        }
    }
}

impl WindowAnswer {
    /// A page of a window.
    pub(super) fn new(
        standing: &Standing,
        paging: &Paging,
        next_block: Option<NextBlockView>,
        network: bitcoin::Network,
    ) -> Self {
        let start = usize::try_from(paging.from.unwrap_or(0)).unwrap_or(usize::MAX);
        let end = start.saturating_add(paging.items());
        let rest = standing.earners.get(start..).unwrap_or_default();
        Self {
            newest: standing.newest.to_string(),
            newest_height: standing.newest_height,
            oldest_height: standing.oldest_height,
            total: standing.total.into(),
            scripts_total: standing.earners.len() as u64,
            listed_total: standing.listed_total,
            earned: rest.iter().take(paging.items()).map(|(script, sum)| row(script, *sum, network)).collect(),
            next_from: (end < standing.earners.len()).then_some(end as u64),
            next_block,
        }
    }
}

fn row(script: &bitcoin::Script, sum: Sum, network: bitcoin::Network) -> Earned {
    Earned { payee: Payee::new(script, network), weight: sum.weight.into(), shares: sum.shares }
}

/// Returns the PPLNS window that ends at the tip, and the payouts of a block found now.
#[utoipa::path(
    get, path = "/api/v1/window", params(Paging),
    responses(
        (status = 200, description = "The window", body = WindowAnswer),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
    )
)]
pub(super) async fn window(State(api): State<Arc<Api>>, paging: Paging) -> Result<Json<WindowAnswer>, ApiError> {
    let chain = api.chain();
    let standing = api.windows.up_to(Arc::clone(&chain), None).await?;
    let standing = standing.ok_or_else(|| ApiError::unknown("window", "of its tip"))?;
    let bitcoin = api.context.node.borrow().bitcoin.clone();
    let next_block = NextBlock::of(&chain, &bitcoin);
    let next_block = next_block.map(|block| NextBlockView::new(&block, api.network()));
    Ok(Json(WindowAnswer::new(&standing, &paging, next_block, api.network())))
}
