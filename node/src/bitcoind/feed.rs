//! bitcoind's newest block template, for as long as the program runs.

use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::choice::Chooser;
use super::claim::{Prover, Proving};
use super::client::Bitcoind;
use super::follower::Follower;
use super::state::{FeedState, Source};
use super::zmq;

/// Tasks that keep the newest template: one for each bitcoind, one that chooses among several, and one for each ZMQ
/// publisher. They end when this value is dropped.
#[derive(Debug)]
pub struct TemplateFeed {
    /// That of the bitcoind in use.
    used: Source,
    each: Vec<(Bitcoind, watch::Receiver<FeedState>)>,
    proving: Proving,
    /// Dropping it aborts them.
    _tasks: JoinSet<()>,
}

impl TemplateFeed {
    /// Starts the tasks.
    pub fn start(bitcoind: Bitcoind) -> Self {
        let mut tasks = JoinSet::new();
        let news = Arc::new(Notify::new());
        let each: Vec<_> = bitcoind.each().collect();
        let sources: Vec<_> = each
            .iter()
            .map(|bitcoind| {
                let (state, seen) = watch::channel(FeedState::default());
                let (heard, last_heard) = watch::channel(Instant::now());
                let tip = watch::Sender::new(None);
                if let Some(address) = bitcoind.zmq() {
                    tasks.spawn(zmq::follow(address.to_owned(), tip.clone()));
                }
                let (bitcoind, news) = (bitcoind.clone(), Arc::clone(&news));
                tasks.spawn(async move { Follower { bitcoind, state, heard, tip, news }.run().await });
                Source { state: seen, heard: last_heard }
            })
            .collect();
        let each = each.into_iter().zip(sources.iter().map(|source| source.state.clone())).collect();
        let proving = Proving::default();
        let used = match <[Source; 1]>::try_from(sources) {
            Ok([only]) => only,
            Err(sources) => {
                let (state, seen) = watch::channel(FeedState::default());
                let (heard, last_heard) = watch::channel(Instant::now());
                let proving = proving.clone();
                tasks.spawn(Chooser { bitcoind, sources, news, state, heard, proving }.run());
                Source { state: seen, heard: last_heard }
            }
        };
        Self { used, each, proving, _tasks: tasks }
    }

    /// Compares bitcoinds by the chain work that `prover` computes from headers, and leaves those that claim a block
    /// without a header. Before this call, the first bitcoind that works is used. Only the first call has an effect.
    pub fn believe(&self, prover: impl Prover + 'static) {
        self.proving.set(prover);
    }

    /// A receiver of the time when bitcoind last answered. At first, that is the start of the task.
    pub fn heard(&self) -> watch::Receiver<Instant> {
        self.used.heard.clone()
    }

    /// A receiver that sees every change of template and problem.
    pub fn subscribe(&self) -> watch::Receiver<FeedState> {
        self.used.state.clone()
    }

    /// Each bitcoind alone, with a receiver that sees every change of its template and problem.
    pub fn each(&self) -> Vec<(Bitcoind, watch::Receiver<FeedState>)> {
        self.each.clone()
    }
}
