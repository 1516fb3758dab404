//! The time that shares and new work take from one end of a node to the other, at rest and while clients send 500
//! requests per second. The real network, store, engine, and API run in one process, on loopback.
//!
//! `SHOAL_BENCH_LINKS` sets the number of links in the chain, with 32 shares each, and `SHOAL_BENCH_RUNS` the number of
//! runs.
//!
//! ```text
//! wiring.rs   the node under test: only this file knows how its parts are connected
//! chain.rs    a long share-chain with real proofs, and the proofs that a peer will send on top of it
//! traffic.rs  a peer that sends shares, a peer that only listens, and a miner
//! readers.rs  readers of the API
//! table.rs    the lines of the output
//! config.rs   the configuration, which the tests of the API have too
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use node_core::jobs::BlockTemplate;
use p2p::Handle;
use p2p_proto::Gossip;
use tokio::runtime::{Builder, Runtime};

#[path = "trip/chain.rs"]
mod chain;
#[path = "../tests/api/config.rs"]
mod config;
#[path = "trip/readers.rs"]
mod readers;
#[path = "trip/table.rs"]
mod table;
#[path = "trip/traffic.rs"]
mod traffic;
#[path = "trip/wiring.rs"]
mod wiring;

use chain::Grown;
use readers::Known;
use table::{Figures, Times};
use traffic::{LOOKS_A_SECOND, MESSAGES_A_SECOND, Marks};
use wiring::Node;

/// Default number of links: eight hours of mainnet.
const LINKS: u32 = 3_000;

/// Default number of runs.
const RUNS: u32 = 5;

/// Seconds of measurement at rest, and the same under load.
const SECONDS: u32 = 10;

/// Time for the readers to connect, and for late answers at the end.
const PAUSE: Duration = Duration::from_secs(1);

/// Everything that runs. The node has a runtime with one thread per core, as in `shoal run`. Peers and readers, which
/// would be other machines, have their own runtimes. Runtimes come last, so that they are dropped after all handles to
/// the node.
struct Bench {
    node: Arc<Node>,
    /// The peer that sends.
    sender: Handle,
    /// The peer that only listens. It stays connected until this is dropped.
    _listener: Handle,
    feed: std::vec::IntoIter<Gossip>,
    template: Arc<BlockTemplate>,
    known: Arc<Known>,
    sent: Marks,
    given: Marks,
    stored: Marks,
    forwarded: Marks,
    at_node: Runtime,
    at_peers: Runtime,
    at_readers: Runtime,
}

fn runtime(threads: Option<usize>) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    threads.map(|threads| builder.worker_threads(threads));
    builder.enable_all().build().expect("the system gives threads")
}

impl Bench {
    fn start(grown: Grown, dir: &std::path::Path) -> Self {
        let (at_node, at_peers, at_readers) = (runtime(None), runtime(Some(2)), runtime(Some(1)));
        let node = at_node.block_on(wiring::node(&grown, dir));
        let [stored, forwarded] = [Marks::default(), Marks::default()];
        traffic::watch_stored(node.events(), stored.clone());
        let peer = |number: u8, address: &str, heard: Marks| {
            let tip = grown.tip.clone();
            at_peers.block_on(traffic::peer(number, address, grown.params.consensus_id(), tip, heard))
        };
        let sender = peer(2, &node.p2p[0], Marks::default());
        let listener = peer(3, &node.p2p[1], forwarded.clone());
        Self {
            node: Arc::new(node),
            sender,
            _listener: listener,
            known: Arc::new(Known::of(&grown)),
            feed: grown.feed.into_iter(),
            template: Arc::new(grown.template),
            sent: Marks::default(),
            given: Marks::default(),
            stored,
            forwarded,
            at_node,
            at_peers,
            at_readers,
        }
    }

    /// Measures for this many seconds.
    fn measure(&mut self, seconds: u32, loaded: bool) -> Figures {
        let span = Duration::from_secs(seconds.into());
        let reading = loaded.then(|| self.at_readers.spawn(readers::ask(self.node.api, self.known(), PAUSE + span)));
        std::thread::sleep(PAUSE);
        let messages = self.feed.by_ref().take((seconds * MESSAGES_A_SECOND) as usize).collect();
        let sending = self.at_peers.spawn(traffic::send(self.sender.clone(), messages, self.sent.clone()));
        let (node, template) = (Arc::clone(&self.node), Arc::clone(&self.template));
        let mining = traffic::mine(node, template, seconds * LOOKS_A_SECOND, self.given.clone());
        let looks = self.at_node.block_on(self.at_node.spawn(mining)).expect("the miner works to the end");
        self.at_peers.block_on(sending).expect("the peer sends to the end");
        let asked = reading.map(|reading| self.at_readers.block_on(reading).expect("readers get all answers"));
        std::thread::sleep(PAUSE);
        let [sent, given, stored, forwarded] =
            [&self.sent, &self.given, &self.stored, &self.forwarded].map(|marks| marks.take());
        [
            Times::between(&sent, &stored),
            Times::between(&sent, &forwarded),
            Times::between(&given, &stored),
            Times::between(&given, &forwarded),
            Times::of(looks.positions),
            Times::of(looks.templates),
            Times::of(asked.unwrap_or_default()),
        ]
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known)
    }
}

fn number_from(variable: &str, otherwise: u32) -> u32 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn main() {
    let links = number_from("SHOAL_BENCH_LINKS", LINKS);
    let runs = number_from("SHOAL_BENCH_RUNS", RUNS);
    let started = Instant::now();
    let grown = Grown::new(links, (2 * runs + 1) * SECONDS * MESSAGES_A_SECOND);
    let proofs = grown.found.len();
    let dir = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::start(grown, dir.path());
    println!("{proofs} proofs over {links} links; ready after {:.1?}", started.elapsed());
    // The caches are empty for the first shares.
    bench.measure(SECONDS / 2, false);
    let [mut quiet, mut loaded] = [Vec::new(), Vec::new()];
    for run in 1..=runs {
        quiet.push(bench.measure(SECONDS, false));
        table::tell(&format!("run {run}, at rest"), &quiet[quiet.len() - 1]);
        loaded.push(bench.measure(SECONDS, true));
        table::tell(&format!("run {run}, {} requests a second", readers::RATE), &loaded[loaded.len() - 1]);
    }
    table::sum_up(&quiet, &loaded);
    bench.at_node.block_on(bench.node.end());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{cores} cores, which the node shares with its {} readers, the miner and both peers; {MESSAGES_A_SECOND} messages \
         of a peer and {LOOKS_A_SECOND} own shares a second; no request was refused or failed",
        readers::CLIENTS,
    );
}
