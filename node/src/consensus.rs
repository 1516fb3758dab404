//! The consensus thread, the one owner of engine and exchange. Input from a miner or a peer takes one path: from its
//! channel into the share-chain and the journal, and from there to peers.
//!
//! ```text
//!  Stratum ──found──►┌──────────────────────┐──commands──► network
//!  network ─events──►│ Engine and Exchange  │──lookups───► bitcoind's headers
//!  bitcoind lookups ►│ (this thread)        │──events────► history, event log, API
//!  job builder calls►└──────────────────────┘──view──────► every reader
//! ```
//!
//! Readers never reach this thread. They hold a [`ChainReader`], which has the newest published view of the chain.
//!
//! ```text
//! handle.rs   handles of the thread: calls for those that change the chain, a view for readers
//! peers.rs    feeds the exchange, and executes its outputs
//! ```

mod handle;
mod peers;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use node_core::engine::{ChainEvent, Engine};
use node_core::exchange::{Input, Now};
use node_core::jobs::{Job, judge_found};
use node_core::relay::WholeBlock;
use p2p_proto::Millis;
use sharechain::Outcome;
use sharechain::change_set::ChangeSet;
use stratum::Found;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use tracing::{debug, error, warn};

use crate::clock::now;
use crate::limits::ENGINE_QUEUE;
use crate::store::{Store, StoreError};

pub use handle::{ChainReader, EngineHandle, EngineStopped, Views};
pub use peers::{PeerLinks, PeerSide};

use handle::Call;

/// Interval of the exchange's tick.
const TICK: Duration = Duration::from_millis(500);

/// Work found by a miner, with its job.
#[derive(Debug)]
pub struct FoundWork {
    /// The job that it was found on.
    pub job: Arc<Job>,
    /// The found header, as the Stratum server reports it.
    pub found: Found,
}

/// Input channels of the thread.
#[derive(Debug)]
pub struct Inputs {
    /// Shares and links of this node's miners.
    pub found: mpsc::Receiver<FoundWork>,
    /// Links to peers; none for a node without a network, as in tests and benchmarks.
    pub peers: Option<PeerSide>,
}

impl Inputs {
    /// No inputs other than calls, for tests, benchmarks, and tools.
    #[must_use]
    pub fn none() -> Self {
        Self { found: mpsc::channel(1).1, peers: None }
    }
}

/// Handles of the started thread.
#[derive(Debug)]
pub struct Started {
    /// Changes the chain.
    pub engine: EngineHandle,
    /// Reads the chain.
    pub reader: ChainReader,
    /// The store's error, if it ended the thread; closed without a value when the thread ends normally.
    pub failure: oneshot::Receiver<StoreError>,
}

/// Starts the thread. It is one of the runtime's blocking threads, since the store waits for the disk. It ends on
/// [`EngineHandle::end`], when all [`EngineHandle`]s are dropped, when the network stops, or when the store fails.
///
/// # Panics
/// If called outside a tokio runtime.
#[must_use]
pub fn start(engine: Engine<Store>, inputs: Inputs) -> Started {
    let views = Views::of(engine.chain().clone());
    start_with(engine, inputs, views)
}

/// Like [`start`], for readers that already exist.
///
/// # Panics
/// If called outside a tokio runtime.
#[must_use]
pub fn start_with(mut engine: Engine<Store>, inputs: Inputs, views: Views) -> Started {
    // Earlier changes are already in the published chain.
    drop(engine.take_events());
    let _ = engine.take_changed();
    let (calls, queue) = mpsc::channel(ENGINE_QUEUE);
    let reader = views.reader();
    let Views { view, tip, events } = views;
    view.send_replace(Arc::new(engine.chain().clone()));
    tip.send_replace(engine.tip());
    let handle = EngineHandle::new(calls, reader.clone());
    let Inputs { found, peers } = inputs;
    let thread = Thread { engine, peers, unheard: VecDeque::new(), view, tip, events, started: Instant::now() };
    let (failed, failure) = oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        if let Some(error) = runtime.block_on(thread.run(queue, found)) {
            error!(%error, "the store failed; stopping, since announced shares could be lost");
            let _ = failed.send(error);
        }
    });
    Started { engine: handle, reader, failure }
}

/// State of the thread.
struct Thread {
    engine: Engine<Store>,
    peers: Option<PeerSide>,
    /// Changes that the exchange has not seen yet, because it is processing a large response.
    unheard: VecDeque<Arc<ChangeSet>>,
    view: watch::Sender<Arc<sharechain::Chain>>,
    tip: watch::Sender<node_core::engine::TipView>,
    events: broadcast::Sender<ChainEvent>,
    started: Instant,
}

/// The thread must end.
struct End;

impl Thread {
    /// Runs until the end. Returns the store's error, if that ended it.
    async fn run(
        mut self,
        mut calls: mpsc::Receiver<Call>,
        mut found: mpsc::Receiver<FoundWork>,
    ) -> Option<StoreError> {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut result = self.settle().await;
        while result.is_ok() {
            let step = tokio::select! {
                call = calls.recv() => call.map_or(Step::End, Step::Call),
                Some(work) = found.recv() => Step::Found(work),
                input = PeerSide::next(&mut self.peers) => input.map_or(Step::End, Step::Peers),
                _ = tick.tick() => Step::Peers(Input::Tick),
            };
            result = self.step(step).await;
            // A large response takes several steps, with other inputs in between.
            while result.is_ok() && self.peers.as_ref().is_some_and(PeerSide::is_unfinished) {
                if let Ok(call) = calls.try_recv() {
                    result = self.step(Step::Call(call)).await;
                } else if let Ok(work) = found.try_recv() {
                    result = self.step(Step::Found(work)).await;
                } else {
                    result = self.step(Step::GoOn).await;
                }
            }
        }
        self.engine.take_failure()
    }

    async fn step(&mut self, step: Step) -> Result<(), End> {
        match step {
            Step::End => return Err(End),
            Step::Call(Call::End) => return Err(End),
            Step::Call(Call::Run(work)) => {
                let answer = work(&mut self.engine);
                // Published before the answer, so that the caller finds its changes in the view.
                self.settle().await?;
                answer();
                return Ok(());
            }
            Step::Found(work) => {
                let block = self.found(work);
                // Its share is published first.
                self.settle().await?;
                let now = self.now();
                if let (Some(found), Some(peers)) = (block, &mut self.peers) {
                    peers.exchange.begin(found, &mut self.engine, now);
                }
            }
            Step::Peers(input) => {
                let now = self.now();
                let is_tick = matches!(input, Input::Tick);
                // Without peers, nothing is held for long, so no tick is needed.
                if let Some(peers) = &mut self.peers {
                    peers.exchange.begin(input, &mut self.engine, now);
                    if is_tick {
                        peers.show_tips();
                    }
                }
            }
            Step::GoOn => {
                let now = self.now();
                if let Some(peers) = &mut self.peers {
                    peers.exchange.go_on(&mut self.engine, now);
                }
            }
        }
        self.settle().await
    }

    fn now(&self) -> Now {
        let millis = Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX));
        Now { millis, time: now() }
    }

    /// Judges a proof found by a miner of this node. Returns the Bitcoin block for peers, if it is one.
    fn found(&mut self, work: FoundWork) -> Option<Input> {
        let FoundWork { job, found } = work;
        let outcome = judge_found(&mut self.engine, &job, found.header, found.extranonce, now());
        let block = found.meets_bitcoin.then(|| block_of(&job, &found));
        let (id, worker) = (found.hash, found.worker);
        match outcome {
            Outcome::Accepted(_) => debug!(%id, %worker, "share found"),
            Outcome::Known(_) => debug!(%id, %worker, "share found twice"),
            Outcome::Held(missing) => debug!(%id, %worker, ?missing, "own share cannot be judged yet"),
            Outcome::Unlistable => warn!(%id, %worker, "own share came too late to be listed"),
            Outcome::Invalid(rule) => {
                warn!(%id, %worker, %rule, "own share is invalid");
                if let Some(peers) = &self.peers {
                    peers.refuse_own(id.into(), rule);
                }
            }
        }
        block
    }

    /// Publishes changes, passes them to the exchange, and executes its outputs, until nothing is left to do.
    async fn settle(&mut self) -> Result<(), End> {
        loop {
            // Changes that the store rejected must not be announced.
            if self.engine.failure().is_some() {
                return Err(End);
            }
            self.publish();
            let now = self.now();
            let Some(peers) = &mut self.peers else { return Ok(()) };
            peers.act().await;
            if peers.is_unfinished() {
                return Ok(());
            }
            let Some(changes) = self.unheard.pop_front() else { return Ok(()) };
            peers.exchange.begin(Input::Changed(changes), &mut self.engine, now);
        }
    }

    /// Publishes the chain, then the events that led to it.
    fn publish(&mut self) {
        if !self.engine.take_changed() {
            return;
        }
        self.view.send_replace(Arc::new(self.engine.chain().clone()));
        let tip = self.engine.tip();
        self.tip.send_if_modified(|old| {
            let is_new = *old != tip;
            *old = tip;
            is_new
        });
        for event in self.engine.take_events() {
            if let (ChainEvent::Changed(changes), Some(_)) = (&event, &self.peers) {
                self.unheard.push_back(Arc::clone(changes));
            }
            // An error means that there are no listeners, as during startup.
            let _ = self.events.send(event);
        }
    }
}

/// A Bitcoin block of this node's miners, in the form that the exchange accepts.
fn block_of(job: &Job, found: &Found) -> Input {
    // A guessable nonce is safe: the short ids also depend on the header.
    let mut nonce = [0; size_of::<u64>()];
    let _ = getrandom::fill(&mut nonce);
    Input::Found {
        proof: Box::new(job.proof(found.header, found.extranonce)),
        nonce: u64::from_le_bytes(nonce),
        block: Arc::new(WholeBlock::of_job(job, &found.header, &found.extranonce)),
    }
}

/// One step of the thread.
enum Step {
    Call(Call),
    Found(FoundWork),
    Peers(Input),
    /// The next part of a large response.
    GoOn,
    End,
}
