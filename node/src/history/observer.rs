//! Watches the parts of the node and writes the event log.

use std::sync::Arc;

use bitcoin::{Address, Amount, Script, TxOut};
use governor::{Quota, RateLimiter};
use node_core::engine::ChainEvent;
use sharechain::ShareId;
use sharechain::change_set::{ChangeSet, TipChange};
use sharechain::signals::{self, State};
use tokio::sync::{broadcast, mpsc, watch};

use super::events::{Changed, Event, EventLog, Found, Paid, Refused, Reorganised};
use crate::clock::now;
use crate::config::Config;
use crate::consensus::{ChainReader, FoundWork};
use crate::devices::{DeviceNews, SharedDevices};
use crate::event_kind::EventKind;
use crate::limits::{DEVICE_TOLD_S, DEVICES_SAVE, PEERS_REFUSED_AN_HOUR, WORKER_EVENTS_AN_HOUR, WORKER_LOOK};
use crate::miners::own_scripts;
use crate::state::{NodeState, PeerView, StateView, SyncState};
use crate::status::words::{hashrate, printable};
use node_core::exchange::RefusedProof;
use node_core::isolation::Kind;
use node_core::pool_block::PoolBlock;

/// The sources of the event log.
#[derive(Debug)]
pub struct Observer {
    /// The event log.
    pub event_log: EventLog,
    /// Reader of the share-chain.
    pub chain: ChainReader,
    /// State of mining and of bitcoind.
    pub node: watch::Receiver<NodeState>,
    /// Connected peers.
    pub peers: watch::Receiver<Arc<Vec<PeerView>>>,
    /// Proofs that broke a rule.
    pub refused: mpsc::Receiver<RefusedProof>,
    /// Solo blocks that bitcoind accepted.
    pub solo: mpsc::Receiver<FoundWork>,
    /// Connected miners.
    pub stratum: Arc<stratum::Stats>,
    /// Their devices.
    pub devices: SharedDevices,
    /// The settings, for the default payout address.
    pub config: Arc<Config>,
}

/// The state that was last logged.
#[derive(Debug, Default)]
struct Noted {
    no_work_because: Option<String>,
    works_solo: bool,
    /// States that were logged as begun.
    states: Vec<StateView>,
    trouble: Option<String>,
    has_peers: bool,
    /// True while the node downloads the share-chain.
    downloads: bool,
    /// True once the node was in sync since it started.
    was_synced: bool,
    /// Bits of upgrades whose lock-in was logged.
    locked_in: u32,
    /// Bits of upgrades whose activation was logged.
    active: u32,
}

impl Noted {
    /// True while the node downloads the share-chain for the first time since it started.
    const fn is_first_download(&self) -> bool {
        self.downloads && !self.was_synced
    }
}

impl Observer {
    /// Runs until the parts it watches are gone.
    pub async fn run(mut self) {
        let version = env!("CARGO_PKG_VERSION");
        self.event_log.note(Event::new(EventKind::Start, format!("the node started, version {version}")));
        let mut events = self.chain.events();
        let mut look = tokio::time::interval(WORKER_LOOK);
        let mut save = tokio::time::interval_at(tokio::time::Instant::now() + DEVICES_SAVE, DEVICES_SAVE);
        let room = RateLimiter::direct(Quota::per_hour(PEERS_REFUSED_AN_HOUR));
        let devices_room = RateLimiter::direct(Quota::per_hour(WORKER_EVENTS_AN_HOUR));
        let mut noted = Noted { no_work_because: self.node.borrow().no_work_because.clone(), ..Noted::default() };
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(ChainEvent::Changed(changes)) => self.changed(&changes, &mut noted),
                    // Events from before the first download are old.
                    Ok(ChainEvent::Block(_)) if noted.is_first_download() => {}
                    Ok(ChainEvent::Block(block)) => self.block(&block),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                _ = look.tick() => {
                    let now = now().0;
                    self.devices.look_at(&self.stratum, now);
                    let news = self.devices.lock().news(now);
                    let events = all_told(news, || devices_room.check().is_ok());
                    events.into_iter().for_each(|event| self.event_log.note(event));
                }
                _ = save.tick() => {
                    let bytes = self.devices.lock().to_bytes();
                    self.event_log.write_devices(bytes);
                }
                Some(proof) = self.refused.recv() => {
                    if proof.peer.is_none() || room.check().is_ok() {
                        self.event_log.note(refused(proof));
                    }
                }
                Some(work) = self.solo.recv() => self.event_log.note(self.solo_block(&work)),
                changed = self.node.changed() => match changed {
                    Ok(()) => self.state(&mut noted),
                    Err(_) => return,
                },
                changed = self.peers.changed() => match changed {
                    Ok(()) => self.peers(&mut noted),
                    Err(_) => return,
                },
            }
        }
    }

    fn changed(&self, changes: &ChangeSet, noted: &mut Noted) {
        let is_first = noted.is_first_download();
        for tip in changes.tips.iter().filter(|tip| !is_first && !tip.disconnected.is_empty()) {
            self.event_log.note(reorganised(tip));
        }
        if let Some(conflict) = changes.conflict {
            self.event_log.note(settled_conflict(conflict));
        }
        if !changes.tips.is_empty() {
            self.upgrades(noted);
        }
    }

    /// Logs a block, and its payouts to addresses of this node's miners.
    fn block(&self, block: &PoolBlock) {
        self.event_log.note(found(block));
        let own = own_scripts(&self.config, &self.stratum.snapshot().connections);
        for output in block.payouts.iter().filter(|output| own.contains(&output.script_pubkey)) {
            self.event_log.note(self.payment(block, output));
        }
    }

    /// A solo block pays its finder alone.
    fn solo_block(&self, work: &FoundWork) -> Event {
        let (address, value_sat) = (self.address(&work.job.share.payout), work.job.share.coinbase_value);
        let (block, height) = (work.found.hash, work.found.work.bitcoin_height);
        let (worker, value) = (&work.found.worker, Amount::from_sat(value_sat));
        let sentence = format!(
            "miner {worker} found Bitcoin block {height} in solo work; it pays {value} to {address} alone, spendable after \
             100 more blocks"
        );
        let (paid, worker) = (Paid { address, value_sat, block, height }, worker.to_string());
        Event { paid: Some(paid), worker: Some(worker), ..Event::new(EventKind::Payment, printable(&sentence)) }
    }

    /// The address of a script, or its bytes if it has none.
    fn address(&self, script: &Script) -> String {
        let address = Address::from_script(script, bitcoin::Network::from(self.config.network));
        address.map_or_else(|_| script.to_hex_string(), |address| address.to_string())
    }

    fn payment(&self, block: &PoolBlock, output: &TxOut) -> Event {
        let address = self.address(&output.script_pubkey);
        let PoolBlock { hash, height, .. } = block;
        let sentence =
            format!("Bitcoin block {height} pays {} to {address}, spendable after 100 more blocks", output.value);
        let paid = Paid { address, value_sat: output.value.to_sat(), block: *hash, height: *height };
        let event = Event::new(EventKind::Payment, sentence).at(format!("/blocks/{hash}"));
        Event { paid: Some(paid), ..event }
    }

    fn upgrades(&self, noted: &mut Noted) {
        for (bit, state) in self.chain.chain().upgrades() {
            let (noted, what) = match state {
                State::Counting { .. } => continue,
                State::LockedIn { since, .. } => (&mut noted.locked_in, format!("is locked in since height {since}")),
                State::Active { from } => (&mut noted.active, format!("is active from height {from}")),
            };
            if *noted >> bit & 1 == 1 {
                continue;
            }
            *noted |= 1 << bit;
            self.event_log.note(upgrade(bit, &what));
        }
    }

    fn state(&self, noted: &mut Noted) {
        let state = self.node.borrow().clone();
        let downloads = matches!(state.sync.state, SyncState::Headers | SyncState::Rows | SyncState::Shares);
        noted.was_synced |= state.sync.state == SyncState::Synced;
        // While the node downloads, the reason includes its progress, so it is logged only once.
        let is_progress = downloads && noted.downloads && noted.no_work_because.is_some();
        noted.downloads = downloads;
        if is_progress && state.no_work_because.is_some() {
            noted.no_work_because.clone_from(&state.no_work_because);
        }
        let works_solo = state.solo_because.is_some();
        if state.no_work_because != noted.no_work_because || works_solo != noted.works_solo {
            let sentence = match (&state.no_work_because, &state.solo_because) {
                (Some(reason), _) => format!("miners get no work: {reason}"),
                (None, Some(reason)) => format!("miners work solo, each for its own address: {reason}"),
                (None, None) if noted.works_solo => "miners work for the pool again".to_owned(),
                (None, None) => "miners get work".to_owned(),
            };
            self.event_log.note(Event::new(EventKind::Work, sentence));
            (noted.no_work_because, noted.works_solo) = (state.no_work_because, works_solo);
        }
        self.states(state.states, noted);
        if state.bitcoin.trouble != noted.trouble {
            let sentence = match &state.bitcoin.trouble {
                Some(trouble) => format!("bitcoind: {trouble}"),
                None => "bitcoind works again".to_owned(),
            };
            self.event_log.note(Event::new(EventKind::Bitcoin, sentence));
            noted.trouble = state.bitcoin.trouble;
        }
    }

    /// Logs the start and end of states in which the node may be cut off.
    fn states(&self, states: Vec<StateView>, noted: &mut Noted) {
        let lacks = |states: &[StateView], kind| !states.iter().any(|state| state.kind == kind);
        for StateView { kind, what, todo, .. } in states.iter().filter(|state| lacks(&noted.states, state.kind)) {
            self.event_log.note(isolation(*kind, true, format!("{what}; {todo}")));
        }
        for StateView { kind, what, since, .. } in noted.states.iter().filter(|state| lacks(&states, state.kind)) {
            let seconds = now().0.saturating_sub(*since);
            self.event_log.note(isolation(*kind, false, format!("over after {seconds} s: {what}")));
        }
        noted.states = states;
    }

    fn peers(&self, noted: &mut Noted) {
        let has_peers = !self.peers.borrow().is_empty();
        if has_peers != noted.has_peers {
            self.event_log.note(peers(has_peers));
            noted.has_peers = has_peers;
        }
    }
}

/// A heavier branch, by the id of its tip, conflicts with settled links.
pub(crate) fn settled_conflict(tip: ShareId) -> Event {
    let sentence = "a heavier branch would undo settled links; this node keeps working on its own branch, and switches \
                    automatically once the other one has outgrown it for about three hours";
    Event::new(EventKind::Conflict, sentence).at(format!("/links/{tip}"))
}

/// What became of an upgrade.
pub(crate) fn upgrade(bit: u8, what: &str) -> Event {
    let knows = if signals::KNOWN >> bit & 1 == 1 { "supports it" } else { "does not; install a newer one" };
    Event::new(EventKind::Upgrade, format!("upgrade {bit} {what}; this version {knows}"))
}

/// The first peer connected, or the last one disconnected.
pub(crate) fn peers(has_peers: bool) -> Event {
    let sentence = if has_peers { "the first peer connected" } else { "the last peer disconnected" };
    Event::new(EventKind::Peers, sentence).at("/peers")
}

fn found(block: &PoolBlock) -> Event {
    let PoolBlock { height, hash, payouts, .. } = block;
    let sentence = match payouts.len() {
        1 => format!("the pool found Bitcoin block {height}; it pays one address"),
        count => format!("the pool found Bitcoin block {height}; it pays {count} addresses"),
    };
    let event = Event::new(EventKind::Block, sentence).at(format!("/blocks/{hash}"));
    Event { block: Some(Found { hash: *hash, height: *height }), ..event }
}

fn reorganised(tip: &TipChange) -> Event {
    let count = |links: usize| u32::try_from(links).unwrap_or(u32::MAX);
    let (depth, connected, fork) = (count(tip.disconnected.len()), count(tip.connected.len()), tip.fork_height.0);
    let links = if depth == 1 { "link" } else { "links" };
    let sentence = format!(
        "a branch with more work replaced {depth} {links} above height {fork}; the shares listed there can be listed \
         again"
    );
    let reorganised =
        Reorganised { old: tip.old.block_hash(), new: tip.new.block_hash(), fork_height: fork, depth, connected };
    let event = Event::new(EventKind::Reorganisation, sentence).at(format!("/links/{}", tip.new));
    Event { reorganised: Some(reorganised), ..event }
}

fn refused(proof: RefusedProof) -> Event {
    let RefusedProof { id, rule, peer } = proof;
    let whose = if peer.is_some() { "a peer's share" } else { "a share of this node's miners" };
    let refused =
        Refused { id: id.block_hash(), rule: rule.rule().to_owned(), peer: peer.map(|peer| peer.to_string()) };
    let event = Event::new(EventKind::Refused, format!("{whose} was rejected: {rule}")).at(format!("/shares/{id}"));
    Event { refused: Some(refused), ..event }
}

fn isolation(kind: Kind, begins: bool, sentence: String) -> Event {
    let state = Changed { kind: kind.name().to_owned(), begins };
    Event { state: Some(state), ..Event::new(EventKind::Isolation, sentence).at("/peers") }
}

/// Events of devices: one each while there `is_room`, then one for all others.
pub(super) fn all_told(news: Vec<DeviceNews>, mut is_room: impl FnMut() -> bool) -> Vec<Event> {
    let (single, others): (Vec<_>, Vec<_>) = news.into_iter().partition(|_| is_room());
    let sentence = format!(
        "{} more devices fell silent, became slow, had all submits rejected, or are back; the pages show each",
        others.len()
    );
    let others = (!others.is_empty()).then(|| Event::new(EventKind::Worker, sentence));
    single.into_iter().map(told).chain(others).collect()
}

/// The likely cause of a device whose submits are all rejected for a reason, and what to do.
fn cause(reason: &str) -> &'static str {
    match reason {
        "stale" => "it works on old jobs, so its connection or a proxy before it hangs; restart it",
        "duplicate" => "its program repeats work; restart it, or update its firmware",
        "low_difficulty" => {
            "its program ignores the difficulty, or cannot hold the pool's coinbase and hashes another one; use other \
             firmware, or Stratum v2"
        }
        "time" => "its program sets wrong times; restart it, or update its firmware",
        "version" => {
            "its program or a proxy rolls version bits that it must not; update it, or switch version rolling off"
        }
        "unauthorized" => {
            "its program submits under another user name than it logged in with; enter the same name in both"
        }
        _ => "its program does not speak Stratum correctly; update its firmware",
    }
}

fn told(news: DeviceNews) -> Event {
    let (name, sentence) = match news {
        DeviceNews::Silent { name, seconds } => {
            let sentence =
                format!("device {name} has sent nothing for {} min; check its power and its connection", seconds / 60);
            (name, sentence)
        }
        DeviceNews::Low { name, hashrate_hs, mean_hs } => {
            let (now, usual, min) = (hashrate(hashrate_hs), hashrate(mean_hs), DEVICE_TOLD_S / 60);
            let sentence = format!(
                "device {name} has hashed at less than half its usual rate for {min} min: {now} instead of {usual}; check its \
                 temperature and its boards"
            );
            (name, sentence)
        }
        DeviceNews::Rejected { name, count, reason } => {
            let cause = cause(reason);
            (
                name.clone(),
                format!("the last {count} submits of device {name} were all rejected, most as {reason}: {cause}"),
            )
        }
        DeviceNews::Back { name } => {
            let sentence = format!("device {name} hashes at its usual rate again");
            (name, sentence)
        }
    };
    Event { worker: Some(name), ..Event::new(EventKind::Worker, printable(&sentence)) }
}
