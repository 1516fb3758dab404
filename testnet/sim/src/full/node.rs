//! A node of the simulated world: the program's real share-chain, peer exchange, work and payouts, on a simulated disk,
//! line, bitcoind and clock.
//!
//! ```text
//! network.rs   peers: incoming messages, and the commands of the exchange
//! work.rs      jobs for miners, and the proofs that miners find
//! bitcoin.rs   this node's bitcoind: blocks, and headers that proofs wait for
//! ```

mod bitcoin;
mod network;
mod work;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ::bitcoin::BlockHash;
use node_core::engine::{ChainEvent, Engine};
use node_core::exchange::{Exchange, Input, Now, Output, SyncState};
use node_core::jobs::JobBuilder;
use p2p_proto::Millis;
use rand::Rng;
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::change_set::ChangeSet;
use sharechain::{Chain, Timestamp};

use super::devices::Device;
use super::disk::Disk;
use super::endpoint::Endpoint;
use super::strategist::{Glance, Strategist};
use super::surroundings::{START, Surroundings};
use super::timer::Timer;
use super::wire::Message;
use crate::bitcoin::bitcoind::Bitcoind;
use crate::faults::NodeFault;
use crate::ids::NodeId;
use crate::plant::Plant;
use crate::rng::SimRng;
use crate::time::Micros;
use crate::world::{self, Event, Node};

/// Time between two checks for missing data, as in `node/src/peers.rs`.
const TICK: Micros = Micros::from_millis(500);

/// Time between two checks of connections, requests and bans.
const SECOND: Micros = Micros::from_secs(1);

/// A program that stopped because of its disk restarts after this time.
const RESTART: Micros = Micros::from_secs(60);

/// The context of a node's event.
type Context<'a> = world::Context<'a, SimNode>;

/// The setup of a node.
#[derive(Debug)]
pub struct Setup {
    /// The strategy that makes its decisions.
    pub strategist: Strategist,
    /// Its mining devices.
    pub devices: Vec<Device>,
    /// Time that the devices take to switch to new work.
    pub device_switch: Micros,
    /// Microseconds by which its clock is fast. Negative if it is slow.
    pub clock_skew_us: i64,
    /// Hand out work even if no peer has been reached.
    pub new_pool: bool,
    /// Randomness of everything but the strategy.
    pub rng: SimRng,
}

/// A node.
#[derive(Debug)]
pub struct SimNode {
    strategist: Strategist,
    devices: Vec<Device>,
    device_switch: Micros,
    clock_skew_us: i64,
    new_pool: bool,
    rng: SimRng,
    disk: Arc<Disk>,
    bitcoind: Bitcoind,
    /// Peers with a connection, including banned ones.
    lines: BTreeSet<NodeId>,
    /// The process, while it runs.
    alive: Option<Alive>,
    /// Whether the next crash tears unsynced data.
    tear: bool,
    /// A planted bug for the oracles to find.
    plant: Option<Plant>,
    /// Part of all transactions that do not reach its bitcoind.
    lacks: f64,
}

/// The state that is lost when the process dies.
#[derive(Debug)]
struct Alive {
    engine: Engine<Disk>,
    exchange: Exchange,
    endpoint: Endpoint,
    /// Inputs that the exchange has not handled yet.
    inputs: VecDeque<Input>,
    jobs: JobBuilder,
    /// The Bitcoin tips that the node's bitcoind knows. The one that it follows comes first.
    bitcoin_tips: Vec<BlockHash>,
    sync: SyncState,
    trouble: Option<Arc<str>>,
}

impl SimNode {
    /// Creates a node that has never run.
    #[must_use]
    pub fn new(setup: Setup, surroundings: &Surroundings) -> Self {
        let Setup { strategist, devices, device_switch, clock_skew_us, new_pool, rng } = setup;
        Self {
            strategist,
            devices,
            device_switch,
            clock_skew_us,
            new_pool,
            rng,
            disk: Arc::new(Disk::new(Arc::clone(&surroundings.archive))),
            bitcoind: Bitcoind::new(&surroundings.bitcoin),
            lines: BTreeSet::new(),
            alive: None,
            tear: false,
            plant: None,
            lacks: 0.0,
        }
    }

    /// Returns the node's chain, while it runs.
    #[must_use]
    pub fn chain(&self) -> Option<&Chain> {
        self.alive.as_ref().map(|alive| alive.engine.chain())
    }

    /// Returns the chain for queries that cache their results, while the node runs.
    pub fn chain_mut(&mut self) -> Option<&mut Chain> {
        self.alive.as_mut().map(|alive| alive.engine.chain_mut())
    }

    /// Plants a bug for the oracles to find.
    pub fn plant(&mut self, plant: Plant) {
        self.plant = Some(plant);
    }

    /// Keeps a part of all transactions from the node's bitcoind.
    pub fn set_lacks(&mut self, part: f64) {
        self.lacks = part;
    }

    /// Returns the planted bug.
    #[must_use]
    pub fn planted(&self) -> Option<Plant> {
        self.plant
    }

    /// Returns the strategy and its memory.
    #[must_use]
    pub fn strategist(&self) -> &Strategist {
        &self.strategist
    }

    /// Returns the node's disk.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Returns a shared handle to the disk, which can be held while the node changes.
    #[must_use]
    pub fn shared_disk(&self) -> Arc<Disk> {
        Arc::clone(&self.disk)
    }

    /// Returns the node's bitcoind.
    #[must_use]
    pub fn bitcoind(&self) -> &Bitcoind {
        &self.bitcoind
    }

    /// Returns the sync state, while the node runs.
    #[must_use]
    pub fn sync(&self) -> Option<SyncState> {
        self.alive.as_ref().map(|alive| alive.sync)
    }

    /// Returns the node's side of the network, while it runs.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.alive.as_ref().map(|alive| &alive.endpoint)
    }

    /// Returns the peer exchange, while the node runs.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        self.alive.as_ref().map(|alive| &alive.exchange)
    }

    /// Returns the time on the node's clock.
    #[must_use]
    pub fn time(&self, now: Micros) -> Timestamp {
        let micros = i64::try_from(now.0).unwrap_or(i64::MAX).saturating_add(self.clock_skew_us);
        let seconds = i64::from(START.0).saturating_add(micros.div_euclid(1_000_000));
        Timestamp(u32::try_from(seconds).unwrap_or(0))
    }

    fn present(&self, now: Micros) -> Now {
        Now { millis: Millis(now.0 / 1_000), time: self.time(now) }
    }

    fn start(&mut self, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let surroundings = &mut *context.environment;
        let headers =
            BitcoinHeaders::new(&surroundings.params.bitcoin, &surroundings.root).expect("the root was used before");
        let chain = Chain::new(surroundings.params.clone(), headers);
        let Ok(mut engine) = Engine::open(chain, Arc::clone(&self.disk), self.time(now)) else { return };
        // These events describe what was read from the disk. They are not new, so they are dropped.
        let _ = engine.take_events();
        let exchange = Exchange::new(&engine, self.new_pool);
        self.bitcoind.hear(surroundings.bitcoin.rest_tip(), &surroundings.bitcoin);
        self.alive = Some(Alive {
            engine,
            exchange,
            endpoint: Endpoint::default(),
            inputs: VecDeque::new(),
            jobs: JobBuilder::default(),
            bitcoin_tips: self.bitcoind.competing_tips(&surroundings.bitcoin),
            sync: SyncState::Alone,
            trouble: None,
        });
        self.lines.clear();
        for (period, timer) in [(TICK, Timer::Tick), (SECOND, Timer::Second)] {
            // A random phase keeps nodes from ticking in step.
            let phase = Micros(self.rng.random_range(0..period.0));
            context.schedule.remind(context.id, phase, timer);
        }
    }

    fn crash(&mut self, context: &mut Context<'_>) {
        if self.alive.take().is_none() {
            return;
        }
        if std::mem::take(&mut self.tear) {
            context.environment.ledger.torn_records += self.disk.tear(&mut self.rng) as u64;
        }
        context.environment.ledger.restarts += 1;
        context.environment.spreads.forget(context.id);
        for device in &mut self.devices {
            device.stop();
            context.schedule.work(device.miner, None);
        }
    }

    fn on_timer(&mut self, timer: Timer, context: &mut Context<'_>) {
        match timer {
            Timer::Tick => {
                self.hear(Input::Tick);
                context.schedule.remind(context.id, TICK, Timer::Tick);
            }
            Timer::Second => {
                self.on_second(context);
                context.schedule.remind(context.id, SECOND, Timer::Second);
            }
            Timer::Block(hash) => self.on_block(hash, context),
            Timer::Switch { device, job } => self.on_switch(device, job, context),
        }
    }

    /// Queues an input for the exchange.
    fn hear(&mut self, input: Input) {
        if let Some(alive) = &mut self.alive {
            alive.inputs.push_back(input);
        }
    }

    /// Handles all consequences of an event until none are left.
    fn settle(&mut self, context: &mut Context<'_>) {
        let present = self.present(context.schedule.now());
        while let Some(alive) = &mut self.alive {
            let events = alive.engine.take_events();
            if !events.is_empty() {
                for event in events {
                    if let ChainEvent::Changed(changes) = event {
                        self.on_changes(&changes, context);
                        self.hear(Input::Changed(changes));
                    }
                }
            } else if let Some(output) = alive.exchange.poll_output() {
                self.act(output, context);
            } else if let Some(input) = alive.inputs.pop_front() {
                alive.exchange.handle(input, &mut alive.engine, present);
            } else {
                break;
            }
        }
        if self.alive.as_ref().is_some_and(|alive| alive.engine.failure().is_some()) {
            // The program stops rather than announce data that may be lost. It restarts later.
            context.schedule.crash(context.id, Micros::ZERO);
            context.schedule.start(context.id, RESTART);
            return;
        }
        if self.plant == Some(Plant::HeldInvalid) {
            self.reject_undecided(context);
        }
        self.renew_work(context);
    }

    fn act(&mut self, output: Output, context: &mut Context<'_>) {
        match output {
            Output::Network(command) => self.on_command(command, context),
            Output::LookUp { hash, from } => {
                let found = self.look_up(hash, context);
                self.hear(Input::LookedUp { hash, from, found });
            }
            Output::Build(build) => {
                let built = build.run(&self.known(&build.previous(), context));
                self.hear(Input::Built(built));
            }
            Output::Submit(block) => self.on_peer_block(&block, context),
            // The simulator keeps no event log.
            Output::Refused(_) => {}
            Output::State { state, trouble } => {
                if let Some(alive) = &mut self.alive {
                    alive.sync = state;
                    if alive.trouble != trouble {
                        alive.jobs.note_change();
                    }
                    alive.trouble = trouble;
                }
            }
        }
    }

    /// Handles a change of the chain. The strategy may publish withheld proofs.
    fn on_changes(&mut self, changes: &ChangeSet, context: &mut Context<'_>) {
        let Some(alive) = &self.alive else { return };
        for tip in &changes.tips {
            let depth = u32::try_from(tip.disconnected.len()).unwrap_or(u32::MAX);
            *context.environment.ledger.reorgs.entry(depth).or_default() += 1;
        }
        self.strategist.note(changes, alive.engine.chain());
        let now = context.schedule.now();
        let time = self.time(now);
        let (Some(alive), Some(device)) = (&self.alive, self.devices.first()) else { return };
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.bitcoin_tips, script: &device.script };
        let released = self.strategist.ask(glance, |strategy, view| strategy.heard(view, changes));
        self.release(&released, context);
    }
}

impl Node for SimNode {
    type Message = Message;
    type Timer = Timer;
    type Environment = Surroundings;

    fn on_event(&mut self, event: Event<Self>, context: &mut Context<'_>) {
        match event {
            Event::Start => self.start(context),
            Event::Crash => return self.crash(context),
            _ if self.alive.is_none() => return,
            Event::Message { from, message } => self.on_message(from, &message, context),
            Event::Timer(timer) => self.on_timer(timer, context),
            Event::Found(miner) => self.on_found(miner, context),
            Event::Connected(peer) => {
                self.lines.insert(peer);
                self.open(peer, context);
            }
            Event::Disconnected(peer) => {
                self.lines.remove(&peer);
                self.close(peer);
            }
        }
        self.settle(context);
    }

    fn on_fault(&mut self, fault: NodeFault, context: &mut Context<'_>) {
        match fault {
            NodeFault::ClockStep(step_us) => self.clock_skew_us = self.clock_skew_us.saturating_add(step_us),
            NodeFault::DeviceSwitch(span) => self.device_switch = span,
            NodeFault::BitcoindDelay(delay) => context.environment.bitcoind_delays[context.id.index()] = delay,
            NodeFault::BitcoindClaims(claim) => self.on_claim(claim, context),
            NodeFault::TornWrites => self.tear = true,
        }
        if self.alive.is_some() {
            self.settle(context);
        }
    }
}
