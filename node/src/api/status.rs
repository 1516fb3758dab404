//! `/api/v1/status`: what the node does, and what keeps it from doing it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use bitcoin::hex::DisplayHex;
use serde::{Deserialize, Serialize};
use sharechain::chain::Chain;
use sharechain::signals::{self, State as UpgradeState};
use sharechain::{Height, U256, Work};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorBody};
use super::limits::{HASHRATE_LINKS, PENDING_COUNTED_MAX};

use crate::clock::now;
use crate::state::{NodeState, SyncState};

/// What the node does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The Bitcoin network: main, signet or local.
    pub network: String,
    /// Id of the share-chain's rules and constants, in hexadecimal: nodes that differ in it are different
    /// pools.
    pub consensus_id: String,
    /// The node's clock.
    pub time_unix_s: u32,
    /// Seconds since the process started.
    pub uptime_s: u64,
    /// Memory of the process that is in RAM, bytes; none where the system does not tell.
    pub rss_bytes: Option<u64>,
    /// The newest link of the main chain.
    pub tip: String,
    /// Its height.
    pub height: u32,
    /// Seconds since its work was handed out; none while the chain has no link but its genesis.
    pub tip_age_s: Option<u64>,
    /// Height of the newest link that this node would not undo, whatever branch appears.
    pub final_height: u32,
    /// Alarm: a heavier branch that would undo final links. The node stays on its own until its operator chooses.
    pub conflict: Option<String>,
    /// Upgrades of the rules that miners signal.
    pub upgrades: Vec<Upgrade>,
    /// The share-chain compared with that of peers.
    pub sync: SyncStatus,
    /// Whether miners get work.
    pub handing_out_work: bool,
    /// Why they get none, in one sentence; none when they do.
    pub no_work_because: Option<String>,
    /// The node's own bitcoind.
    pub bitcoin: BitcoinStatus,
    /// Peers connected now.
    pub peers: u64,
    /// Miners connected to this node now.
    pub miners_connected: u64,
    /// Hashes a second.
    pub hashrate: Hashrate,
    /// Shares, as this node sees them.
    pub shares: ShareCounts,
}

/// An upgrade of the rules, and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Upgrade {
    /// Its bit in the share headers' signals, 0 to 31.
    pub bit: u8,
    /// Whether this program knows it. If not, the node hands out no work once it is active.
    pub known: bool,
    /// Part of the weight credited in this period that signals it, 0 to 1; none once it is locked in.
    pub signalled: Option<f64>,
    /// Height of the first link that it is active for; none while it is not locked in.
    pub active_from_height: Option<u32>,
    /// Whether it is active for the next link.
    pub active: bool,
}

impl Upgrade {
    fn of((bit, state): (u8, UpgradeState)) -> Self {
        let known = signals::KNOWN >> bit & 1 == 1;
        let (signalled, from, active) = match state {
            UpgradeState::Counting { weight, of } => (Some(weight.0 as f64 / (of.0 as f64).max(1.0)), None, false),
            UpgradeState::LockedIn { from } => (None, Some(from.0), false),
            UpgradeState::Active { from } => (None, Some(from.0), true),
        };
        Self { bit, known, signalled, active_from_height: from, active }
    }

    /// Whether it is certain that this program will be, or is, too old.
    #[must_use]
    pub fn asks_for_a_newer_program(&self) -> bool {
        !self.known && self.active_from_height.is_some()
    }
}

/// How far the node has come with the share-chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncStatus {
    /// How far the node has come.
    pub state: SyncStateName,
    /// Height of the highest link that a connected peer claims to have.
    pub peers_height: Option<u32>,
    /// This node's height as a part of that, 0 to 1; none while no peer told.
    pub progress: Option<f64>,
}

/// How far the node has come with the share-chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncStateName {
    /// No peer was reached yet.
    Searching,
    /// Lists and shares are on their way.
    Shares,
    /// Everything that peers have told of is here.
    Synced,
}

/// The node's own bitcoind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BitcoinStatus {
    /// Height of its tip, if it could be asked.
    pub height: Option<u32>,
    /// Its tip.
    pub tip: Option<String>,
    /// Height of the Bitcoin header with the most work that the share-chain's rules know.
    pub header_height: u32,
    /// What is wrong with it, in one sentence; none if nothing is.
    pub trouble: Option<String>,
}

/// Hashes a second, estimated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hashrate {
    /// Of the miners connected to this node, from their submits.
    pub local_hs: f64,
    /// Of the whole pool, from the last 60 links; none while there are fewer than two.
    pub pool_hs: Option<f64>,
}

/// Shares, as this node sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareCounts {
    /// Found by this node's miners since it started.
    pub found_total: u64,
    /// Valid, and not yet listed by a link of the main chain.
    pub pending: u64,
    /// Waiting for something before they can be judged.
    pub held: u64,
    /// Refused since the node started, and before as far as the database keeps them.
    pub refused_total: u64,
}

impl From<SyncState> for SyncStateName {
    fn from(state: SyncState) -> Self {
        match state {
            SyncState::Searching => Self::Searching,
            SyncState::Shares => Self::Shares,
            SyncState::Synced => Self::Synced,
        }
    }
}

/// What the node does, and what keeps it from doing it.
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

/// What of the status the share-chain tells.
#[derive(Debug)]
struct ChainPart {
    consensus_id: [u8; 32],
    tip: String,
    height: u32,
    tip_time: Option<u32>,
    final_height: u32,
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
        let finality = chain.finality();
        Self {
            consensus_id: *chain.consensus_id(),
            tip: tip.to_string(),
            height: height.0,
            tip_time: chain.link(&tip).filter(|_| height > Height(0)).map(|link| link.time.0),
            final_height: finality.height.0,
            conflict: finality.conflict.map(|id| id.to_string()),
            upgrades: chain.upgrades().map(Upgrade::of).collect(),
            header_height: chain.bitcoin().best().height,
            pool_hs: pool_hashrate_hs(chain),
            pending: chain.pending(PENDING_COUNTED_MAX).len() as u64,
            held: chain.held_len() as u64,
        }
    }
}

/// Work of the last links over the time they took. It falls while no link comes.
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
        let node = self.context.node.borrow().clone();
        let miners = self.context.stratum.snapshot();
        let time = now();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network: self.context.config.network.name().to_owned(),
            consensus_id: chain.consensus_id.to_lower_hex_string(),
            time_unix_s: time.0,
            uptime_s: self.context.started.elapsed().as_secs(),
            rss_bytes: self.memory.rss_bytes(),
            tip: chain.tip,
            height: chain.height,
            tip_age_s: chain.tip_time.map(|tip| u64::from(time.0.saturating_sub(tip))),
            final_height: chain.final_height,
            conflict: chain.conflict,
            upgrades: chain.upgrades,
            sync: sync(&node, chain.height),
            handing_out_work: node.no_work_because.is_none(),
            no_work_because: node.no_work_because,
            bitcoin: BitcoinStatus {
                height: node.bitcoin.height,
                tip: node.bitcoin.tip.map(|tip| tip.to_string()),
                header_height: chain.header_height,
                trouble: node.bitcoin.trouble,
            },
            peers: self.context.peers.borrow().len() as u64,
            miners_connected: miners.connections.len() as u64,
            hashrate: Hashrate { local_hs: miners.hashrate_hs, pool_hs: chain.pool_hs },
            shares: ShareCounts {
                found_total: miners.totals.shares,
                pending: chain.pending,
                held: chain.held,
                refused_total,
            },
        })
    }

    /// How many shares were refused, by rule.
    pub(super) async fn refused_by_rule(&self) -> Result<std::collections::BTreeMap<String, u64>, ApiError> {
        let refusals = Arc::clone(&self.refusals);
        self.read(move |store| refusals.by_rule(store)).await
    }
}

fn sync(node: &NodeState, height: u32) -> SyncStatus {
    let peers_height = node.sync.peers_height;
    let progress =
        peers_height.map(|peers| if peers == 0 { 1.0 } else { (f64::from(height) / f64::from(peers)).min(1.0) });
    SyncStatus { state: node.sync.state.into(), peers_height, progress }
}

/// Asks the system for this process's memory.
#[derive(Debug, Default)]
pub(super) struct Memory {
    system: Mutex<Option<System>>,
}

impl Memory {
    /// Bytes in RAM, if the system tells.
    pub(super) fn rss_bytes(&self) -> Option<u64> {
        // What it remembers is only a cache of the system's.
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if system.is_none() {
            *system = System::new().ok();
        }
        let system = system.as_mut()?;
        let own = Pid::from_u32(std::process::id());
        let memory = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, memory);
        system.process(own).map(sysinfo::Process::memory)
    }
}
