//! `/api/v1/miners/{address}`: an address's weight, its expected payout, and its connected workers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use bitcoin::{ScriptBuf, TxOut};
use serde::Serialize;
use sharechain::Weight;
use sharechain::chain::Chain;
use sharechain::window::Sum;
use stratum::ConnectionSnapshot;
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::limits::PENDING_COUNTED_MAX;
use super::next_block::NextBlock;
use super::params::{Most, Segment};
use super::pay::Pay;
use super::pool::block_s;
use super::views::{Payee, WeightView, part};
use crate::clock::now;
use crate::config::parse_address;
use crate::devices::{Device, DeviceState};
use crate::miners::percent_of;
use crate::state::BitcoinView;

/// Spans of the average hashrates, and the steps that they consist of, seconds.
pub(super) const HOUR: (u32, u32) = (3_600, 60);
pub(super) const DAY: (u32, u32) = (86_400, 600);

/// What this node knows about an address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Miner {
    /// Script and address.
    #[serde(flatten)]
    pub payee: Payee,
    /// Its weight in the PPLNS window that ends at the tip.
    pub window: MinerWindow,
    /// Its payout in a block found now; none while a part of the history is missing.
    pub next_block: Option<MinerNextBlock>,
    /// Number of its pending shares: valid, and not yet listed by a link of the main chain.
    pub pending_shares: u64,
    /// Weight that the pending shares earn if they are listed in time.
    pub pending_weight: WeightView,
    /// Its workers connected to this node; none without the node's token.
    pub workers: Option<Vec<Worker>>,
    /// Number of these workers, also of those beyond `limit`.
    pub workers_total: Option<u64>,
    /// Its devices at this node, those that need attention first, also those that disconnected in the last 24 hours; none
    /// without the node's token.
    pub devices: Option<Vec<Device>>,
    /// Number of these devices by state, also of those beyond `limit`.
    pub device_states: Option<BTreeMap<DeviceState, u64>>,
    /// Estimated hashrate of its workers connected to this node, hashes per second: of workers that pay other addresses as
    /// well, its part.
    pub hashrate_hs: f64,
    /// Time of the last accepted submit of its workers at this node, since the node started, seconds since 1970; none if
    /// there was none, or if its workers are connected to other nodes.
    pub last_submit_unix_s: Option<u32>,
    /// Average hashrate of all its shares in the last hour, at any node, hashes per second. For an address that began
    /// later, since its first share; none before a minute has passed.
    pub hashrate_hour_hs: Option<f64>,
    /// The same over the last 24 hours.
    pub hashrate_day_hs: Option<f64>,
    /// Average pay; none while the pool's hashrate is unknown, or a part of the history is missing.
    pub pay: Option<Pay>,
}

/// An address's part of a PPLNS window.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MinerWindow {
    /// Weight that it earned.
    #[serde(flatten)]
    pub weight: WeightView,
    /// Number of shares that earned it.
    pub shares: u64,
    /// Its part of the window's total weight, 0 to 1.
    pub part: f64,
}

/// An address's payout in a block found now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MinerNextBlock {
    /// Subsidy and, if there is a template, fees, satoshi.
    pub value_sat: u64,
    /// Expected payout for its work up to the block's snapshot, satoshi: the average over many lotteries. None while
    /// the finder is paid alone.
    pub expected_sat: Option<u64>,
    /// Payout with this block's lottery, satoshi; 0 if it does not win. None while the finder is paid alone.
    pub drawn_sat: Option<u64>,
    /// True if its payout is proportional, so the lottery does not matter. None while the finder is paid alone.
    pub exact: Option<bool>,
    /// Average number of lottery outputs that it wins per block; well below 1, this is close to the probability of a
    /// payout. None if its payout is proportional.
    pub draws_expected: Option<f64>,
}

/// A connected worker. A proxy may have several on one connection.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Worker {
    /// The user names that it gave, in order.
    pub names: Vec<String>,
    /// Percentage of its work that pays this address: 100 unless its user name splits it.
    pub percent: u8,
    /// Its program, as it reports it.
    pub agent: String,
    /// Its protocol: `v1`, `v2_standard` or `v2_extended`.
    pub protocol: String,
    /// Size of the coinbase of its newest job, bytes; none if it has no job.
    pub coinbase_bytes: Option<usize>,
    /// Longest coinbase that its program can hold, bytes; none if no limit is known. The node rejects it if the
    /// coinbase is longer.
    pub coinbase_bytes_max: Option<usize>,
    /// Difficulty of its jobs; none if it has no job.
    pub difficulty: Option<f64>,
    /// Estimated hashrate, hashes per second.
    pub hashrate_hs: f64,
    /// Accepted submits.
    pub accepted_total: u64,
    /// Rejected submits.
    pub rejected_total: u64,
    /// Submits that met the share target.
    pub shares_total: u64,
    /// Seconds since it connected.
    pub connected_s: u64,
    /// Seconds since its last accepted submit; none before the first.
    pub last_share_age_s: Option<u64>,
}

impl Worker {
    fn new(connection: ConnectionSnapshot, percent: u8) -> Self {
        Self {
            names: connection.workers,
            percent,
            agent: connection.agent,
            protocol: connection.protocol.name().to_owned(),
            coinbase_bytes: connection.coinbase_bytes,
            coinbase_bytes_max: connection.coinbase_bytes_max,
            difficulty: connection.difficulty,
            hashrate_hs: connection.hashrate_hs,
            accepted_total: connection.submits.accepted,
            rejected_total: connection.submits.rejected.sum(),
            shares_total: connection.submits.shares,
            connected_s: connection.connected_s,
            last_share_age_s: connection.last_share_age_s,
        }
    }
}

/// Returns an address's weight, its expected payout, and its connected workers. An address that has never mined is not
/// an error: its weight is zero.
#[utoipa::path(
    get, path = "/api/v1/miners/{address}", params(("address" = String, Path, description = "A payout address"), Most),
    security((), ("token" = [])),
    responses(
        (status = 200, description = "The miner", body = Miner),
        (status = 400, description = "Not an address that this network can pay", body = ErrorBody),
    )
)]
pub(super) async fn miner(
    State(api): State<Arc<Api>>,
    Segment(text): Segment,
    most: Most,
    headers: HeaderMap,
) -> Result<Json<Miner>, ApiError> {
    let config = &api.context.config;
    let script = parse_address(&text, config.network)?.script_pubkey();
    let chain = api.chain();
    let standing = api.windows.up_to(Arc::clone(&chain), None).await?;
    let (sum, total) = standing.map(|standing| (standing.of(&script), standing.total)).unwrap_or_default();
    let bitcoin = api.context.node.borrow().bitcoin.clone();
    let (pending_shares, pending_weight) = pending(&chain, &script);
    let window = MinerWindow::new(sum, total);
    let (next_block, due) = next_block(&chain, &bitcoin, &script, window.part).unzip();
    let pay = block_s(&chain).zip(due).map(|(block_s, due)| Pay::new(block_s, due.sat, due.probability));
    let miners = api.look_at_miners();
    let last_submit_unix_s = api.mining().last_submit(script.as_bytes());
    let (hashrate_hour_hs, hashrate_day_hs) = api.mean_hashrates(&script).await?;
    let mut workers = workers(&miners.connections, &script);
    // Not `sum`, which is -0.0 for no workers.
    let hashrate_hs =
        workers.iter().fold(0.0, |sum, worker| sum + worker.hashrate_hs * f64::from(worker.percent) / 100.0);
    let is_owner = api.shows_workers(&headers);
    let mut devices = is_owner.then(|| api.context.devices.lock().of(script.as_bytes(), now().0));
    let (workers_total, device_states) = (workers.len() as u64, devices.as_deref().map(states));
    let limit = most.limit.unwrap_or(usize::MAX);
    workers.truncate(limit);
    devices.iter_mut().for_each(|devices| devices.truncate(limit));
    Ok(Json(Miner {
        payee: Payee::new(&script, api.network()),
        window,
        next_block,
        pending_shares,
        pending_weight: pending_weight.into(),
        hashrate_hs,
        devices,
        device_states,
        workers: is_owner.then_some(workers),
        workers_total: is_owner.then_some(workers_total),
        last_submit_unix_s,
        hashrate_hour_hs,
        hashrate_day_hs,
        pay,
    }))
}

impl MinerWindow {
    pub(super) fn new(sum: Sum, total: Weight) -> Self {
        Self { weight: sum.weight.into(), shares: sum.shares, part: part(sum.weight, total) }
    }
}

fn pending(chain: &Chain, script: &ScriptBuf) -> (u64, Weight) {
    let Some(index) = chain.scripts().index(script) else { return (0, Weight::ZERO) };
    chain
        .pending(PENDING_COUNTED_MAX)
        .iter()
        .filter_map(|id| chain.credit(id).filter(|credit| credit.script == index))
        .fold((0, Weight::ZERO), |(shares, weight), credit| (shares + 1, weight.plus(credit.weight)))
}

/// The average payout of a block to an address, satoshi, and the probability of any payout.
struct Due {
    sat: f64,
    probability: f64,
}

/// `part` is the address's part of the window's weight.
fn next_block(chain: &Chain, bitcoin: &BitcoinView, script: &ScriptBuf, part: f64) -> Option<(MinerNextBlock, Due)> {
    let block = NextBlock::of(chain, bitcoin)?;
    let value_sat = block.value_sat;
    let Some(outputs) = &block.outputs else {
        let (expected_sat, drawn_sat, exact, draws_expected) = (None, None, None, None);
        // The finder gets the whole block.
        let due = Due { sat: value_sat as f64 * part, probability: part };
        return Some((MinerNextBlock { value_sat, expected_sat, drawn_sat, exact, draws_expected }, due));
    };
    let window = chain.window_of(&block.snapshot)?;
    let weight = chain.scripts().index(script).map(|index| window.sum(index).weight).unwrap_or_default();
    let own = |output: &&TxOut| output.script_pubkey == *script;
    let exact = outputs.iter().take(block.exact).any(|output| own(&output));
    let due_sat = block.due_sat(weight, window.total());
    // All lottery outputs have the same amount.
    let of_tail = outputs.get(block.exact).map(|output| output.value.to_sat()).filter(|_| !exact);
    let draws_expected = of_tail.map(|of_tail| due_sat / of_tail.max(1) as f64);
    let next = MinerNextBlock {
        value_sat,
        // For display, 53 bits are enough; the exact amounts are in the outputs.
        expected_sat: Some(due_sat.round() as u64),
        drawn_sat: Some(outputs.iter().filter(own).map(|output| output.value.to_sat()).sum()),
        exact: Some(exact),
        draws_expected,
    };
    // The lottery draws at even steps, so that an address with less than a step is drawn at most once.
    let probability = if exact { 1.0 } else { draws_expected.unwrap_or(0.0) };
    Some((next, Due { sat: due_sat, probability }))
}

impl Api {
    /// Average hashrates of an address over an hour and over a day.
    async fn mean_hashrates(&self, script: &ScriptBuf) -> Result<(Option<f64>, Option<f64>), ApiError> {
        let (history, script, now) = (self.context.history.clone(), script.clone(), now().0);
        self.read(move |_| Ok((history.mean_hashrate(&script, HOUR, now)?, history.mean_hashrate(&script, DAY, now)?)))
            .await
    }
}

/// Number of devices in each state.
fn states(devices: &[Device]) -> BTreeMap<DeviceState, u64> {
    let mut states = BTreeMap::new();
    for device in devices {
        *states.entry(device.state).or_default() += 1;
    }
    states
}

/// The connected workers that pay `script`.
fn workers(connections: &[ConnectionSnapshot], script: &ScriptBuf) -> Vec<Worker> {
    let percent = |connection: &ConnectionSnapshot| {
        connection.account.as_ref().map_or(0, |account| percent_of(account, script.as_bytes()))
    };
    let pays =
        |connection: &ConnectionSnapshot| Some((connection.clone(), percent(connection))).filter(|(_, part)| *part > 0);
    connections.iter().filter_map(pays).map(|(connection, percent)| Worker::new(connection, percent)).collect()
}
