//! `/api/v1/window`: who earned what in the window that ends in the tip, and what a block found now would pay.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sharechain::ShareId;
use sharechain::window::Sum;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorBody};
use super::next_block::NextBlock;
use super::params::Paging;
use super::views::{Earned, Output, Payee, WeightView};
use super::windows::Standing;

/// The window that ends in the tip.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WindowAnswer {
    /// The tip.
    pub newest: String,
    /// Its height.
    pub newest_height: u32,
    /// Height of the oldest link that counts.
    pub oldest_height: u32,
    /// What all scripts together earned.
    pub total: WeightView,
    /// How many scripts earned.
    pub scripts_total: u64,
    /// Shares listed from genesis up to the tip, links included.
    pub listed_total: u64,
    /// Who earned, most first: a page of them.
    pub earned: Vec<Earned>,
    /// Where the next page starts; none on the last one.
    pub next_from: Option<u64>,
    /// What a block found now would pay; none while something of the history is missing.
    pub next_block: Option<NextBlockView>,
}

/// A block that would be found now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NextBlockView {
    /// Its height.
    pub height: u32,
    /// The block before it.
    pub prev_hash: String,
    /// The link up to which work counts for it.
    pub snapshot: String,
    /// The Bitcoin block whose hash its draw is drawn with.
    pub seed: String,
    /// Subsidy and, as far as a template tells, fees, satoshi.
    pub value_sat: u64,
    /// True while too few shares were listed for shared payouts: whoever finds it gets all of it.
    pub finder_alone: bool,
    /// Whom it pays, in the order of the outputs; empty while the finder is paid alone.
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

/// A page of a window's earners, and where the next one starts.
pub(super) fn page(standing: &Standing, paging: &Paging, network: bitcoin::Network) -> (Vec<Earned>, Option<u64>) {
    let start = usize::try_from(paging.from.unwrap_or(0)).unwrap_or(usize::MAX);
    let end = start.saturating_add(paging.items());
    let rest = standing.earners.get(start..).unwrap_or_default();
    let earned = rest.iter().take(paging.items()).map(|(script, sum)| row(script, *sum, network)).collect();
    (earned, (end < standing.earners.len()).then_some(end as u64))
}

fn row(script: &bitcoin::Script, sum: Sum, network: bitcoin::Network) -> Earned {
    Earned { payee: Payee::new(script, network), weight: sum.weight.into(), shares: sum.shares }
}

/// Who earned what in the window that ends in the tip, and what a block found now would pay.
#[utoipa::path(
    get, path = "/api/v1/window", params(Paging),
    responses(
        (status = 200, description = "The window", body = WindowAnswer),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
    )
)]
pub(super) async fn window(State(api): State<Arc<Api>>, paging: Paging) -> Result<Json<WindowAnswer>, ApiError> {
    let chain = api.chain();
    let standing = api.windows.up_to(Arc::clone(&chain), None).await?;
    let standing = standing.ok_or_else(|| ApiError::unknown("window", "of its tip"))?;
    let bitcoin = api.context.node.borrow().bitcoin.clone();
    let next_block = NextBlock::of(&chain, &bitcoin);
    let network = api.network();
    let (earned, next_from) = page(&standing, &paging, network);
    Ok(Json(WindowAnswer {
        newest: standing.newest.to_string(),
        newest_height: standing.newest_height,
        oldest_height: standing.oldest_height,
        total: standing.total.into(),
        scripts_total: standing.earners.len() as u64,
        listed_total: standing.listed_total,
        earned,
        next_from,
        next_block: next_block.map(|block| NextBlockView::new(&block, network)),
    }))
}
