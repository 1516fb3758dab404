//! `/api/v1/job`: the block that this node's miners work on now, and its payouts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use stratum::ConnectionSnapshot;
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::isolation::WorkName;
use super::next_block::NextBlock;
use super::views::Payee;

/// The block that this node's miners work on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CurrentJob {
    /// What miners work on: the pool's block, each its own (solo), or nothing.
    pub work: WorkName,
    /// Height of the block.
    pub height: u32,
    /// Hash of the block before it.
    pub prev_hash: String,
    /// Id of the link whose PPLNS window it pays by.
    pub snapshot: String,
    /// Subsidy and fees, satoshi; the subsidy alone while there is no template.
    pub value_sat: u64,
    /// Fees, satoshi; none while there is no template.
    pub fees_sat: Option<u64>,
    /// Transactions in bitcoind's template, without the coinbase; none while there is no template.
    pub transactions: Option<u64>,
    /// Coinbases that this node's devices work on, by size, smallest first.
    pub coinbases: Vec<CoinbaseSize>,
    /// True while too little work counts: then the block pays its finder alone, and `outputs` is empty.
    pub finder_alone: bool,
    /// Its payouts, in coinbase order, if it is the pool's block.
    pub outputs: Vec<JobOutput>,
}

/// Devices whose coinbases have one size.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct CoinbaseSize {
    /// Size of the coinbase without its witness, bytes.
    pub bytes: u64,
    /// Connections that work on it.
    pub connections: u64,
}

/// An output of the coinbase.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobOutput {
    /// Script and address.
    #[serde(flatten)]
    pub payee: Payee,
    /// Amount, satoshi.
    pub value_sat: u64,
    /// The rule that pays it.
    pub class: OutputClass,
}

/// The rule that pays an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutputClass {
    /// In proportion to the address's work.
    Proportional,
    /// By lottery among the addresses with too little work for an output of their own.
    Lottery,
}

/// Returns the block that this node's miners work on now: its value and its payouts.
#[utoipa::path(
    get, path = "/api/v1/job",
    responses(
        (status = 200, description = "The block that miners work on", body = CurrentJob),
        (status = 503, description = "A part of the history is missing", body = ErrorBody),
    )
)]
pub(super) async fn job(State(api): State<Arc<Api>>) -> Result<Json<CurrentJob>, ApiError> {
    let (chain, node) = (api.chain(), api.context.node.borrow().clone());
    let block = NextBlock::of(&chain, &node.bitcoin).ok_or(ApiError::Starting)?;
    let subsidy_sat = chain.params().bitcoin.subsidy_sat(block.height);
    let has_template = node.bitcoin.tip == Some(block.previous) && node.bitcoin.template_value_sat.is_some();
    let class = |index| if index < block.exact { OutputClass::Proportional } else { OutputClass::Lottery };
    let outputs = block.outputs.iter().flatten().enumerate().map(|(index, output)| JobOutput {
        payee: Payee::new(&output.script_pubkey, api.network()),
        value_sat: output.value.to_sat(),
        class: class(index),
    });
    Ok(Json(CurrentJob {
        work: WorkName::of(&node),
        height: block.height,
        prev_hash: block.previous.to_string(),
        snapshot: block.snapshot.to_string(),
        value_sat: block.value_sat,
        fees_sat: has_template.then(|| block.value_sat.saturating_sub(subsidy_sat)),
        transactions: node.bitcoin.template_transactions.filter(|_| has_template),
        coinbases: coinbases(&api.context.stratum.snapshot().connections),
        finder_alone: block.outputs.is_none(),
        outputs: outputs.collect(),
    }))
}

fn coinbases(connections: &[ConnectionSnapshot]) -> Vec<CoinbaseSize> {
    let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
    for bytes in connections.iter().filter_map(|connection| connection.coinbase_bytes) {
        *sizes.entry(u64::try_from(bytes).unwrap_or(u64::MAX)).or_default() += 1;
    }
    sizes.into_iter().map(|(bytes, connections)| CoinbaseSize { bytes, connections }).collect()
}
