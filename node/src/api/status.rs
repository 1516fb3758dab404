//! `/api/v1/status`: the state of the node, and its problems.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bitcoin::hex::DisplayHex;
use serde::{Deserialize, Serialize};
use sharechain::chain::Chain;
use sharechain::{Height, U256, Work};
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::isolation::{StateStatus, WorkName};
use super::limits::{HASHRATE_LINKS, PENDING_COUNTED_MAX};
use super::mining::{BestShare, NodeFee};
use super::power::Resting;
use super::reach::Reachable;
use super::upgrade::Upgrade;
use crate::clock::now;
use crate::state::{NodeState, SyncState, SyncView};

/// Source of the answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A node.
    #[default]
    Node,
    /// An archive alone, without miners and peers.
    Archive,
}

/// State of the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Source of the answers. An explorer has no miners, peers, or bitcoind, and leaves the fields about them empty.
    #[serde(default)]
    pub source: Source,
    /// True if everyone may read these pages: then the node shows no workers, even with the token.
    #[serde(default)]
    pub public: bool,
    /// Version of the program.
    pub version: String,
    /// The Bitcoin network: main, signet, local, testnet4, regtest or rehearsal.
    pub network: String,
    /// Name of the private pool; empty for the public pool.
    pub pool: String,
    /// Maximum number of payouts in a coinbase: 48, or 1,000 in a wide pool.
    pub outputs_max: u64,
    /// Consensus id of the share-chain's rules and constants, hex. Nodes with different ids belong to different pools.
    pub consensus_id: String,
    /// Time of the node's clock, seconds since 1970.
    pub time_unix_s: u32,
    /// Seconds since the process started.
    pub uptime_s: u64,
    /// Resident memory of the process, bytes; none if the system does not report it.
    pub rss_bytes: Option<u64>,
    /// Id of the main chain's tip.
    pub tip: String,
    /// Height of the tip.
    pub height: u32,
    /// Average time between links by the rules of this network, seconds.
    pub link_interval_s: u32,
    /// Seconds since the tip's job was handed out; none while the chain has only genesis.
    pub tip_age_s: Option<u64>,
    /// Height of the newest settled link, which this node undoes only for a branch that outgrows its own for about three
    /// hours.
    pub settled_height: u32,
    /// Id of that link. Another node can set it as `trust`. None while nothing is settled.
    pub settled_link: Option<String>,
    /// Id of the link that this node's share-chain must contain, from its configuration or its release.
    pub trust: Option<String>,
    /// Alarm: tip of a heavier branch that would undo settled links. The node keeps working on its own branch, and
    /// switches automatically once the other one has outgrown it for about three hours. If the branches split more than
    /// 2,160 links ago, it does not switch: its operator must choose.
    pub conflict: Option<String>,
    /// Upgrades of the rules that miners signal.
    pub upgrades: Vec<Upgrade>,
    /// Sync with peers.
    pub sync: SyncStatus,
    /// True while this node hands out jobs, of the pool or solo.
    pub handing_out_work: bool,
    /// What miners of this node work on.
    pub work: WorkName,
    /// Why they work solo, each for its own payout address, in one sentence; none while they do not.
    pub solo_because: Option<String>,
    /// States that hold in which this node may be cut off from the pool, the most urgent first.
    pub states: Vec<StateStatus>,
    /// States of this node's miners and of the pool's hashrate that need attention, by the rules of
    /// `node/ops/alerts.yml`: miners_gone, miners_silent, submits_rejected, miners_lost, hashrate_halved or
    /// pool_halved.
    pub mining: Vec<StateStatus>,
    /// Why this node hands out no jobs, in one sentence; none while it does.
    pub no_work_because: Option<String>,
    /// This node's bitcoind.
    pub bitcoin: BitcoinStatus,
    /// Why the database of this node's archive accepts nothing, in one sentence; none while it does, or without an archive.
    /// Mining does not need it.
    #[serde(default)]
    pub archive_trouble: Option<String>,
    /// Number of connected peers.
    pub peers: u64,
    /// How other nodes reach this one.
    pub reachable: Reachable,
    /// Number of miners connected to this node.
    pub miners_connected: u64,
    /// The node's public key for miners of Stratum v2, base58check; null if it serves none. `/mining` has the URLs.
    pub stratum_v2_key: Option<String>,
    /// Fee of this node's owner; none if there is none.
    pub fee: Option<NodeFee>,
    /// Devices of this node that rest; none if none rests.
    pub resting: Option<Resting>,
    /// Estimated hashrates.
    pub hashrate: Hashrate,
    /// The best shares of this node's miners.
    pub best_share: BestShare,
    /// Counts of shares, as seen by this node.
    pub shares: ShareCounts,
}

/// Sync with peers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncStatus {
    /// State of the sync.
    pub state: SyncStateName,
    /// Target height of the download; none unless the node is downloading.
    pub peers_height: Option<u32>,
    /// Progress of the download, 0 to 1: the height reached divided by `peers_height`; none unless the node is
    /// downloading.
    pub progress: Option<f64>,
    /// Bytes of headers, rows, and proofs received since the node started; 0 unless it is downloading. While it reads
    /// from disk, bytes read.
    pub received_bytes: u64,
    /// Bytes per second since this state began; none unless the node is reading or downloading.
    pub rate_bytes_s: Option<f64>,
    /// Estimated seconds until this state ends; none while unknown.
    pub left_s: Option<u64>,
}

/// State of the sync with peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncStateName {
    /// The node is waiting for its bitcoind, which it needs to read its share-chain.
    Waiting,
    /// The node is reading its share-chain from disk.
    Reading,
    /// No peer has been reached yet.
    Searching,
    /// The node is checking which share-chain has the most work.
    Headers,
    /// The node is downloading what deep links credited.
    Rows,
    /// The node is downloading lists and shares.
    Shares,
    /// In sync: this node has everything that its peers have announced.
    Synced,
}

/// This node's bitcoind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BitcoinStatus {
    /// Height of its tip; none if it does not answer.
    pub height: Option<u32>,
    /// Hash of its tip; none if it does not answer.
    pub tip: Option<String>,
    /// Height of the Bitcoin header with the most work in the share-chain.
    pub header_height: u32,
    /// Its problem, in one sentence; none if there is none.
    pub trouble: Option<String>,
}

/// Estimated hashrates, hashes per second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hashrate {
    /// Hashrate of the miners connected to this node, from their submits.
    pub local_hs: f64,
    /// Hashrate of the whole pool, from the last 60 links; none while there are fewer than two.
    pub pool_hs: Option<f64>,
}

/// Counts of shares, as seen by this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareCounts {
    /// Shares found by this node's miners since the node started.
    pub found_total: u64,
    /// Pending shares: valid, and not yet listed by a link of the main chain.
    pub pending: u64,
    /// Held shares, which cannot be judged yet.
    pub held: u64,
    /// Rejected shares since the node started, plus earlier ones that the database still has.
    pub refused_total: u64,
}

impl From<SyncState> for SyncStateName {
    fn from(state: SyncState) -> Self {
        match state {
            SyncState::Waiting => Self::Waiting,
            SyncState::Reading => Self::Reading,
            SyncState::Searching => Self::Searching,
            SyncState::Headers => Self::Headers,
            SyncState::Rows => Self::Rows,
            SyncState::Shares => Self::Shares,
            SyncState::Synced => Self::Synced,
        }
    }
}

/// Returns the state of the node, and its problems.
#[utoipa::path(
    get, path = "/api/v1/status",
    responses(
        (status = 200, description = "The status", body = Status),
        (status = 503, description = "The node is stopping", body = ErrorBody),
    )
)]
pub(super) async fn status(State(api): State<Arc<Api>>) -> Result<Json<Status>, ApiError> {
    api.status().await.map(Json)
}

/// The part of the status that comes from the share-chain.
#[derive(Debug)]
struct ChainPart {
    outputs_max: u64,
    consensus_id: [u8; 32],
    tip: String,
    height: u32,
    link_interval_s: u32,
    tip_time: Option<u32>,
    settled_height: u32,
    settled_link: Option<String>,
    conflict: Option<String>,
    upgrades: Vec<Upgrade>,
    header_height: u32,
    pool_hs: Option<f64>,
    pending: u64,
    held: u64,
}

impl ChainPart {
    fn of(chain: &Chain) -> Self {
        let tip = chain.tip();
        let height = chain.height();
        Self {
            outputs_max: chain.params().outputs_max as u64,
            consensus_id: *chain.consensus_id(),
            tip: tip.to_string(),
            height: height.0,
            link_interval_s: chain.params().link_interval_s,
            tip_time: chain.link(&tip).filter(|_| height > Height(0)).map(|link| link.time.0),
            settled_height: chain.settled().height.0,
            settled_link: (chain.settled().height > Height(0)).then(|| chain.settled().id.to_string()),
            conflict: chain.conflict().map(|id| id.to_string()),
            upgrades: chain.upgrades().map(Upgrade::of).collect(),
            header_height: chain.bitcoin().best().height,
            pool_hs: pool_hashrate_hs(chain),
            pending: chain.pending(PENDING_COUNTED_MAX).len() as u64,
            held: chain.held_len() as u64,
        }
    }
}

/// Work of the last links divided by the time they took. It falls while no new link arrives.
pub(super) fn pool_hashrate_hs(chain: &Chain) -> Option<f64> {
    let newest = chain.height();
    // Genesis has no time of its own.
    let oldest = Height(newest.below(HASHRATE_LINKS).0.max(1));
    let first = chain.link(&chain.main_at(oldest)?)?.time;
    let links = (oldest.child().0..=newest.0).filter_map(|height| chain.link(&chain.main_at(Height(height))?));
    let work = links.fold(Work(U256::ZERO), |sum, link| sum.plus(Work::of_target(link.target)));
    let end = chain.link(&chain.tip())?.time.max(now());
    let seconds = end.seconds_since(first).max(1);
    (newest > oldest).then(|| work.to_hashes_saturating_u128() as f64 / seconds as f64)
}

impl Api {
    pub(super) async fn status(&self) -> Result<Status, ApiError> {
        let chain = ChainPart::of(&self.chain());
        let refused_total = self.refused_by_rule().await?.values().sum();
        let (node, miners, time) = (self.context.node.borrow().clone(), self.context.stratum.snapshot(), now());
        let (resting, best) = {
            let devices = self.context.devices.lock();
            (devices.resting(time.0), devices.best(time.0))
        };
        Ok(Status {
            source: Source::Node,
            public: self.context.config.api.public,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network: self.context.config.network.name().to_owned(),
            pool: self.context.config.pool.as_str().to_owned(),
            outputs_max: chain.outputs_max,
            consensus_id: chain.consensus_id.to_lower_hex_string(),
            time_unix_s: time.0,
            uptime_s: self.context.started.elapsed().as_secs(),
            rss_bytes: self.memory.rss_bytes(),
            tip: chain.tip,
            height: chain.height,
            link_interval_s: chain.link_interval_s,
            tip_age_s: chain.tip_time.map(|tip| u64::from(time.0.saturating_sub(tip))),
            settled_height: chain.settled_height,
            settled_link: chain.settled_link,
            trust: self.context.config.trust.map(|trust| trust.link.to_string()),
            conflict: chain.conflict,
            upgrades: chain.upgrades,
            sync: sync(&node),
            handing_out_work: node.no_work_because.is_none(),
            work: WorkName::of(&node),
            solo_because: node.solo_because,
            states: node.states.iter().map(StateStatus::from).collect(),
            mining: self.mining().states(),
            no_work_because: node.no_work_because,
            bitcoin: BitcoinStatus {
                height: node.bitcoin.height,
                tip: node.bitcoin.tip.map(|tip| tip.to_string()),
                header_height: chain.header_height,
                trouble: node.bitcoin.trouble,
            },
            archive_trouble: self.context.archive.trouble().get(),
            peers: self.context.peers.borrow().len() as u64,
            reachable: Reachable::new(&self.context.reach.borrow(), false),
            miners_connected: miners.connections.len() as u64,
            stratum_v2_key: self.context.stratum_key.clone(),
            resting: Resting::of(resting),
            fee: self.context.config.stratum.fee.as_ref().map(NodeFee::from),
            hashrate: Hashrate { local_hs: miners.hashrate_hs, pool_hs: chain.pool_hs },
            best_share: BestShare::of(best),
            shares: ShareCounts {
                found_total: miners.totals.shares,
                pending: chain.pending,
                held: chain.held,
                refused_total,
            },
        })
    }

    /// Number of rejected shares, by rule.
    pub(super) async fn refused_by_rule(&self) -> Result<std::collections::BTreeMap<String, u64>, ApiError> {
        let refusals = Arc::clone(&self.refusals);
        self.read(move |store| refusals.by_rule(store)).await
    }
}

fn sync(node: &NodeState) -> SyncStatus {
    let SyncView { state, peers_height, done_height, received_bytes, read, began } = node.sync;
    let part = |(done, end): (u32, u32)| if end == 0 { 1.0 } else { (f64::from(done) / f64::from(end)).min(1.0) };
    let progress = read.or(done_height.zip(peers_height).map(part));
    let elapsed_s = began.map(|(since, _)| since.elapsed().as_secs_f64()).filter(|elapsed_s| *elapsed_s >= 1.0);
    let rate = |(elapsed_s, (_, before)): (f64, (_, u64))| received_bytes.saturating_sub(before) as f64 / elapsed_s;
    // Too little progress for an estimate.
    let left = |(elapsed_s, part): (f64, f64)| (part > 0.01).then(|| (elapsed_s * (1.0 - part) / part).ceil() as u64);
    SyncStatus {
        state: state.into(),
        peers_height,
        progress,
        received_bytes,
        rate_bytes_s: elapsed_s.zip(began).map(rate),
        left_s: elapsed_s.zip(progress).and_then(left),
    }
}
