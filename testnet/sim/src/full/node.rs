//! A node of the simulated world: the program's own share-chain, exchange with peers, work and payouts, on a simulated
//! disk, line, bitcoind and clock.
//!
//! ```text
//! network.rs   peers: what comes from the lines, and what the exchange wants done
//! work.rs      jobs for miners, and what miners find
//! bitcoin.rs   the own bitcoind: blocks, headers that proofs wait for
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
use super::wire::Message;
use crate::bitcoin::bitcoind::Bitcoind;
use crate::faults::NodeFault;
use crate::plant::Plant;
use crate::rng::SimRng;
use crate::time::Micros;
use crate::world::{self, Event, Node, NodeId};

/// Between two looks at what is missing, as in `node/src/peers.rs`.
const TICK: Micros = Micros::from_millis(500);

/// Between two looks at connections, requests and bans.
const SECOND: Micros = Micros::from_secs(1);

/// After so long a program that stopped because of its disk is started again.
const RESTART: Micros = Micros::from_secs(60);

/// What a node is reminded of.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Half a second passed.
    Tick,
    /// A second passed.
    Second,
    /// The own bitcoind hears of a block.
    Block(BlockHash),
    /// Machines switch to a job.
    Switch {
        /// Which machines, by their place.
        device: usize,
        /// The job's number.
        job: u64,
    },
}

/// A node's context.
type Context<'a> = world::Context<'a, SimNode>;

/// How a node is set up.
#[derive(Debug)]
pub struct Setup {
    /// What it decides by.
    pub strategist: Strategist,
    /// Its machines.
    pub devices: Vec<Device>,
    /// How long they take to switch to new work.
    pub device_switch: Micros,
    /// Microseconds by which its clock is fast.
    pub clock_skew_us: i64,
    /// Hand out work though no peer was reached.
    pub new_pool: bool,
    /// Randomness of everything but its strategy.
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
    /// Peers to which there is a line, banned ones included.
    lines: BTreeSet<NodeId>,
    /// The process, while it runs.
    alive: Option<Alive>,
    /// The next crash tears what was not forced to the disk.
    tear: bool,
    /// A bug of this node, for oracles to find.
    plant: Option<Plant>,
}

/// What dies with the process.
#[derive(Debug)]
struct Alive {
    engine: Engine<Disk>,
    exchange: Exchange,
    endpoint: Endpoint,
    /// What the exchange has not heard of yet.
    inputs: VecDeque<Input>,
    jobs: JobBuilder,
    /// Tips of Bitcoin that the node's bitcoind knows, the one that it follows first.
    bitcoin_tips: Vec<BlockHash>,
    sync: SyncState,
    trouble: Option<Arc<str>>,
}

impl SimNode {
    /// A node that was never started.
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
        }
    }

    /// The node's chain, while it runs.
    #[must_use]
    pub fn chain(&self) -> Option<&Chain> {
        self.alive.as_ref().map(|alive| alive.engine.chain())
    }

    /// The chain, for questions that remember their answers.
    pub fn chain_mut(&mut self) -> Option<&mut Chain> {
        self.alive.as_mut().map(|alive| alive.engine.chain_mut())
    }

    /// Gives the node a bug, for oracles to find.
    pub fn plant(&mut self, plant: Plant) {
        self.plant = Some(plant);
    }

    /// Its bug.
    #[must_use]
    pub fn planted(&self) -> Option<Plant> {
        self.plant
    }

    /// What it decides by.
    #[must_use]
    pub fn strategist(&self) -> &Strategist {
        &self.strategist
    }

    /// Its disk.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Its disk, to be held while the node is changed.
    #[must_use]
    pub fn shared_disk(&self) -> Arc<Disk> {
        Arc::clone(&self.disk)
    }

    /// Its bitcoind.
    #[must_use]
    pub fn bitcoind(&self) -> &Bitcoind {
        &self.bitcoind
    }

    /// How far it is, while it runs.
    #[must_use]
    pub fn sync(&self) -> Option<SyncState> {
        self.alive.as_ref().map(|alive| alive.sync)
    }

    /// Its side of the network, while it runs.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.alive.as_ref().map(|alive| &alive.endpoint)
    }

    /// What it exchanges with peers, while it runs.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        self.alive.as_ref().map(|alive| &alive.exchange)
    }

    /// Its clock.
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
        // What was read is there already: nobody is told.
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
            // Nodes do not beat in step.
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

    /// Queues something for the exchange.
    fn hear(&mut self, input: Input) {
        if let Some(alive) = &mut self.alive {
            alive.inputs.push_back(input);
        }
    }

    /// Does everything that follows from what happened, until nothing does any more.
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
            // The program stops rather than announce what may be lost, until somebody starts it again.
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
            Output::Block(block) => self.on_peer_block(&block, context),
            // No diary is kept here.
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

    /// The chain changed: the strategy may publish what it withheld.
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
