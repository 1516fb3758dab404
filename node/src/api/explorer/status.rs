//! `/api/v1/status`, `/pool`, `/window`, `/counts`, `/badge.svg`: the state of the archive and of the pool.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use bitcoin::hex::DisplayHex;
use sharechain::{ShareId, Weight};

use super::now::Now;
use super::state::View;
use crate::api::badge::svg;
use crate::api::bitcoin_pools;
use crate::api::counts::Counts;
use crate::api::decentralisation::Decentralisation;
use crate::api::error::ApiError;
use crate::api::isolation::WorkName;
use crate::api::mining::BestShare;
use crate::api::params::Paging;
use crate::api::pool::{bitcoin_hashrate_hs, hashrate_links};
use crate::api::pool_view::{Bitcoin, ChainSummary, Pool, Round, WindowSummary};
use crate::api::reach::Reachable;
use crate::api::status::{BitcoinStatus, Hashrate, ShareCounts, Source, Status, SyncStateName, SyncStatus};
use crate::api::views::WeightView;
use crate::api::window::WindowAnswer;
use crate::api::windows::Standing;
use crate::clock::now;
use crate::status::words::hashrate;

// The node's modules describe these routes.
pub(super) use crate::api::badge::__path_badge;
pub(super) use crate::api::counts::__path_counts;
pub(super) use crate::api::pool::__path_pool;
pub(super) use crate::api::status::__path_status;
pub(super) use crate::api::window::__path_window;

/// Returns the state of the archive.
pub(super) async fn status(State(view): State<Arc<View>>) -> Result<Json<Status>, ApiError> {
    Ok(Json(of(&view, &*view.now()?)))
}

/// The status of an explorer. Fields that only a node knows are empty.
pub(super) fn of(view: &View, newest: &Now) -> Status {
    let time = now().0;
    let no_work = "this is an explorer, which serves an archive and no miners";
    Status {
        source: Source::Archive,
        public: true,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        network: view.config.network.name().to_owned(),
        pool: view.config.pool.as_str().to_owned(),
        outputs_max: view.params.outputs_max as u64,
        consensus_id: view.params.consensus_id().to_lower_hex_string(),
        time_unix_s: time,
        uptime_s: view.started.elapsed().as_secs(),
        rss_bytes: None,
        tip: newest.tip.id.to_string(),
        height: newest.tip.height,
        link_interval_s: view.params.link_interval_s,
        tip_age_s: Some(u64::from(time.saturating_sub(newest.tip.time))),
        settled_height: newest.settled_height,
        settled_link: None,
        trust: None,
        conflict: None,
        upgrades: Vec::new(),
        sync: SyncStatus {
            state: SyncStateName::Synced,
            peers_height: None,
            progress: None,
            received_bytes: 0,
            rate_bytes_s: None,
            left_s: None,
        },
        handing_out_work: false,
        work: WorkName::None,
        solo_because: None,
        states: Vec::new(),
        mining: Vec::new(),
        no_work_because: Some(no_work.to_owned()),
        bitcoin: BitcoinStatus { height: None, tip: None, header_height: newest.bitcoin.height(), trouble: None },
        archive_trouble: None,
        peers: 0,
        reachable: Reachable::default(),
        miners_connected: 0,
        stratum_v2_key: None,
        resting: None,
        fee: None,
        hashrate: Hashrate { local_hs: 0.0, pool_hs: newest.hashrate_hs(time) },
        best_share: BestShare { today_difficulty: None, ever_difficulty: None },
        shares: ShareCounts { found_total: 0, pending: newest.pending.len() as u64, held: 0, refused_total: 0 },
    }
}

/// Summary of the pool.
pub(super) async fn pool(State(view): State<Arc<View>>) -> Result<Json<Pool>, ApiError> {
    let newest = view.now()?;
    let time = now().0;
    let rate = newest.hashrate_hs(time);
    let height = newest.bitcoin.height();
    let work = newest.bitcoin.work(height.saturating_add(1), &view.params);
    let bitcoin_hs = bitcoin_hashrate_hs(work, rate);
    let standing: &Standing = &newest.standing;
    Ok(Json(Pool {
        time_unix_s: time,
        hashrate_hs: rate,
        hashrate_links: hashrate_links(newest.tip.height),
        bitcoin: Bitcoin {
            height,
            difficulty: work / 2_f64.powi(32),
            hashrate_hs: bitcoin_hs,
            interval_s: newest.bitcoin.interval_s(newest.block_s(&view.params, time)),
            next_value_sat: view.params.bitcoin.subsidy_sat(height.saturating_add(1)),
        },
        share_of_bitcoin: rate.map(|rate| rate / bitcoin_hs),
        expected_block_s: newest.block_s(&view.params, time),
        round: Round {
            since_unix_s: newest.since.map(|(_, since)| since),
            since_block: newest.since.map(|(block, _)| block.to_string()),
            effort: newest.effort,
            probability: -(-newest.effort).exp_m1(),
        },
        window: WindowSummary {
            total: standing.total.into(),
            target_blocks: WeightView::from(view.params.window_weight).weight_blocks,
            scripts_total: standing.earners.len() as u64,
            links: standing.newest_height.saturating_sub(standing.oldest_height),
            oldest_unix_s: newest.oldest_time,
            newest_unix_s: Some(newest.tip.time),
        },
        decentralisation: Decentralisation {
            template_makers: u32::try_from(newest.finders.len()).unwrap_or(u32::MAX),
            largest_template_maker_part: largest(&newest.finders),
            nodes_seen: 0,
            ..Decentralisation::new(Some(standing), &BTreeMap::new(), 0, view.network())
        },
        bitcoin_pools: bitcoin_pools::known(),
        links_minute: newest.minute.map_or(0, |step| step.links),
        shares_minute: newest.minute.map_or(0, |step| step.shares),
        chain: ChainSummary {
            height: newest.tip.height,
            settled_height: newest.settled_height,
            share_work_hashes: newest.tip.share_hashes.to_string(),
        },
    }))
}

fn largest(finders: &[u32]) -> f64 {
    let (all, most) = (finders.iter().sum::<u32>(), finders.iter().max().copied().unwrap_or(0));
    f64::from(most) / f64::from(all.max(1))
}

/// Returns the PPLNS window that ends at the tip. Only a node knows what a block found now would pay.
pub(super) async fn window(State(view): State<Arc<View>>, paging: Paging) -> Result<Json<WindowAnswer>, ApiError> {
    let newest = view.now()?;
    Ok(Json(WindowAnswer::new(&newest.standing, &paging, None, view.network())))
}

/// Returns how many Bitcoin blocks the pool found in a day, in a week, and ever.
pub(super) async fn counts(State(view): State<Arc<View>>) -> Result<Json<Counts>, ApiError> {
    let [day, week, all] = view.now()?.counts;
    Ok(Json(Counts { day, week, all }))
}

/// Returns the pool's hashrate as an SVG image.
pub(super) async fn badge(State(view): State<Arc<View>>) -> Result<impl IntoResponse, ApiError> {
    let value = view.now()?.hashrate_hs(now().0).map_or_else(|| "unknown yet".to_owned(), hashrate);
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg("Shoal", &value)))
}

/// Number of a script's pending shares, and the weight that they earn.
pub(super) fn pending_of(newest: &Now, script: &bitcoin::Script) -> (u64, Weight) {
    let own = newest.pending.iter().filter(|share| share.script.as_script() == script);
    own.fold((0, Weight::ZERO), |(shares, sum), share| (shares + 1, sum.plus(Weight(share.weight))))
}

/// True if a share waits to be listed.
pub(super) fn is_pending(newest: &Now, id: &ShareId) -> bool {
    newest.pending.iter().any(|share| share.id == *id)
}
