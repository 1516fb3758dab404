//! Watches for states in which this node may be cut off from the pool, and publishes what its miners work on meanwhile.
//! [`node_core::isolation`] decides; this task reads facts and publishes the decision.
//!
//! ```text
//! gather.rs   reads peers into facts
//! ```

mod gather;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use node_core::engine::ChainEvent;
use node_core::isolation::{BlockClock, ChainWatch, Facts, Isolation, Kind, Policy, Work};
use p2p_proto::Millis;
use sharechain::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::bitcoind::{Bitcoind, FeedState, NodeInfo};
use crate::clock::now;
use crate::config::Config;
use crate::consensus::ChainReader;
use crate::disk;
use crate::limits::{BITCOIND_LOOK, ISOLATION_LOOK};
use crate::state::{PeerView, StateView};

/// The states that hold, and what miners work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsolationView {
    /// The states, the most urgent first.
    pub states: Vec<StateView>,
    /// What miners work on.
    pub work: Work,
    /// Why that is not the pool's, in one sentence; none if it is.
    pub reason: Option<Arc<str>>,
}

impl Default for IsolationView {
    fn default() -> Self {
        Self { states: Vec::new(), work: Work::Pool, reason: None }
    }
}

/// The task's sources, and where it publishes.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Reader of the share-chain.
    pub chain: ChainReader,
    /// Connected peers.
    pub peers: watch::Receiver<Arc<Vec<PeerView>>>,
    /// bitcoind's block templates.
    pub feed: watch::Receiver<FeedState>,
    /// Why the node is not in sync with its peers; none while it is.
    pub sync_trouble: watch::Receiver<Option<Arc<str>>>,
    /// Client of bitcoind, for its connections and its clock.
    pub bitcoind: Bitcoind,
    /// The settings.
    pub config: Arc<Config>,
    /// Publishes the states.
    pub view: watch::Sender<IsolationView>,
}

/// What the task remembers between checks.
struct Memory {
    machine: Isolation,
    chain: ChainWatch,
    /// Difference of this clock from the time of bitcoind's last template when it came, seconds; none while bitcoind is in trouble.
    template_s: Option<i64>,
    /// The same from bitcoind's clock, if the template reveals it.
    bitcoind_s: Option<i64>,
    /// Times of Bitcoin's last blocks.
    blocks: BlockClock,
    info: Option<NodeInfo>,
    /// When each state began, seconds since 1970.
    since: BTreeMap<Kind, u32>,
    started: Instant,
}

impl Memory {
    fn new(policy: Policy) -> Self {
        Self {
            machine: Isolation::new(policy),
            chain: ChainWatch::default(),
            template_s: None,
            bitcoind_s: None,
            blocks: BlockClock::default(),
            info: None,
            since: BTreeMap::new(),
            started: Instant::now(),
        }
    }

    fn millis(&self) -> Millis {
        Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl Watch {
    /// Runs until the parts it watches are gone.
    pub(crate) async fn run(mut self) {
        let mut memory = Memory::new(policy(&self.config));
        let mut events = self.chain.events();
        let (mut look, mut ask) = (tokio::time::interval(ISOLATION_LOOK), tokio::time::interval(BITCOIND_LOOK));
        let mut asking = JoinSet::new();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(ChainEvent::Changed(changes)) => {
                        let now_ms = memory.millis();
                        memory.chain.changed(&changes, &self.chain.chain(), now_ms, now());
                    }
                    Ok(ChainEvent::Block(_)) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                changed = self.feed.changed() => match changed {
                    Ok(()) => {
                        (memory.template_s, memory.bitcoind_s) = self.bitcoind_clock();
                        self.note_block(&mut memory);
                    }
                    Err(_) => return,
                },
                _ = ask.tick() => if asking.is_empty() {
                    let bitcoind = self.bitcoind.clone();
                    asking.spawn(async move { bitcoind.node_info().await.ok() });
                },
                Some(info) = asking.join_next() => memory.info = info.ok().flatten(),
                _ = look.tick() => self.look(&mut memory),
            }
        }
    }

    fn look(&self, memory: &mut Memory) {
        let facts = self.facts(memory);
        let now_ms = memory.millis();
        memory.machine.step(&facts, now_ms);
        let held = memory.machine.states();
        memory.since.retain(|kind, _| held.iter().any(|state| state.kind == *kind));
        let mut states = Vec::with_capacity(held.len());
        for state in held {
            let begins = !memory.since.contains_key(&state.kind);
            let age_s = u32::try_from(now_ms.since(state.since) / 1_000).unwrap_or(u32::MAX);
            let since = *memory.since.entry(state.kind).or_insert_with(|| now().0.saturating_sub(age_s));
            if begins {
                warn!(state = state.kind.name(), todo = state.todo, "{}", state.what);
            }
            states.push(StateView { kind: state.kind, since, what: state.what.clone(), todo: state.todo });
        }
        let view =
            IsolationView { states, work: memory.machine.work(), reason: memory.machine.reason().map(Arc::from) };
        self.view.send_if_modified(|old| {
            let ended = |old: &&StateView| !view.states.iter().any(|state| state.kind == old.kind);
            old.states.iter().filter(ended).for_each(|state| info!(state = state.kind.name(), "the state has ended"));
            let is_new = *old != view;
            *old = view;
            is_new
        });
    }

    fn facts(&self, memory: &mut Memory) -> Facts {
        let peers: Vec<_> = self.peers.borrow().iter().map(gather::peer).collect();
        memory.chain.heard(peers.iter().any(|peer| peer.answers), memory.millis());
        let template = self.feed.borrow().template.clone();
        let info = memory.info.as_ref();
        let mut facts = Facts { peers, in_sync: self.sync_trouble.borrow().is_none(), ..Facts::default() };
        let least = template.as_ref().filter(|_| self.blocks_have_times()).map(|template| Timestamp(template.min_time));
        facts.clock.blocks_s = least.map(|least| memory.blocks.offset_s(least, now(), memory.millis()));
        facts.bitcoin.height = template.map(|template| template.height.saturating_sub(1));
        facts.bitcoin.connections = info.map(|info| info.connections);
        facts.clock.bitcoind_s = memory.bitcoind_s;
        facts.clock.template_s = memory.template_s;
        facts.clock.bitcoind_peers_s = info.and_then(|info| info.time_offset_s);
        facts.disk_free_bytes = disk::free_bytes(&self.config.data_dir);
        memory.chain.read(&self.chain.chain(), memory.millis(), now(), &mut facts);
        facts
    }

    /// Records the time of a new Bitcoin block.
    fn note_block(&self, memory: &mut Memory) {
        let tip = self.feed.borrow().template.as_ref().map(|template| template.prev_block);
        let chain = self.chain.chain();
        if let Some(known) = tip.and_then(|tip| chain.bitcoin().get(&tip)) {
            memory.blocks.note(known.header.block_hash(), Timestamp(known.header.time), memory.millis());
        }
    }

    /// False on networks where anyone can make Bitcoin blocks dated ahead.
    fn blocks_have_times(&self) -> bool {
        self.config.chain_params().bitcoin.min_difficulty_after_s == 0
    }

    /// This machine's clock minus the time of a template that has just arrived, and minus bitcoind's clock, if the template reveals
    /// it.
    fn bitcoind_clock(&self) -> (Option<i64>, Option<i64>) {
        let feed = self.feed.borrow();
        let Some(template) = feed.template.as_ref().filter(|_| feed.trouble.is_none()) else { return (None, None) };
        let since = |time: u32| i64::from(now().0) - i64::from(time);
        (Some(since(template.time)), template.clock().map(since))
    }
}

fn policy(config: &Config) -> Policy {
    let params = config.chain_params();
    Policy {
        on_isolation: config.on_isolation,
        on_censorship: config.on_censorship,
        new_pool: config.new_pool,
        public: !config.network.is_private(),
        link_interval_s: params.link_interval_s,
        listing_depth: params.listing_depth,
    }
}
