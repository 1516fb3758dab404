//! Comparison with ten real nodes: the same connections and rates in the model, and what the kernel counted.
//!
//! Measured on November 21, 2026, with `shoal-testnet up --nodes 10 --plain --duration 125` on a busy machine with two
//! cores. 45 s after the start and again 57.7 s later, `ss -ti` gave the bytes that each of the nodes' sockets to other
//! nodes had sent, and the nodes' metrics gave the number of shares and the height. Connections go through the test
//! network's lines, which forward bytes unchanged. Proofs of the whole run had 495 bytes on average, according to three
//! nodes' stores. It was one run, done once.

use crate::models::scale::ground::Ground;
use crate::models::scale::outcome::Traffic;
use crate::models::scale::peers::Connections;
use crate::models::scale::wire::{Sizes, proof, taproot};
use crate::models::scale::{HOP, Setup};
use crate::result::{Cell, Table};
use crate::stats::as_f64;
use sim::time::Micros;
use sim::transport::{Distances, LineKind};

/// Number of nodes.
const NODES: usize = 10;

/// Number of earlier nodes that each node dials.
const DIALS: u32 = 3;

/// Seconds between the two measurements. Then shares, including links, and links in that time.
const SECONDS: f64 = 57.66;
const SHARES: f64 = 445.0;
const LINKS: f64 = 48.0;

/// Bytes per second that nodes sent, by the number of their peers, as TCP counts it.
const SENT: [(usize, &[f64]); 4] = [
    (3, &[6_578.0, 7_143.0]),
    (4, &[11_479.0, 10_749.0]),
    (5, &[16_205.0, 15_630.0]),
    (6, &[20_656.0, 20_780.0, 20_375.0, 20_302.0]),
];

/// Payouts and branch hashes of proofs with the measured length.
const PAYOUTS: usize = 10;
const BRANCH: usize = 4;

/// Simulated time: twenty times the measured one, so that the model's own randomness does not matter.
const SIMULATED: Micros = Micros::from_secs(1_200);

/// The model's results for those nodes.
#[derive(Debug)]
pub(super) struct Comparison {
    traffic: Vec<Traffic>,
}

impl Comparison {
    pub(super) fn new(seed: u64) -> Self {
        let count = u32::try_from(NODES).expect("ten");
        let dialled = (1..count).flat_map(|node| (node.saturating_sub(DIALS)..node).map(move |other| (node, other)));
        let setup = Setup {
            ground: Ground::given(Distances::Even(Micros::ZERO), vec![LineKind::Datacenter; NODES], seed),
            connections: Connections::given(NODES, dialled.collect()),
            sizes: measured_sizes(),
            link_interval_s: SECONDS / LINKS,
            shares_per_link: SHARES / LINKS,
            hop: HOP,
            ..Setup::main(NODES, SIMULATED, seed)
        };
        let outcome = setup.run();
        Self { traffic: outcome.traffic }
    }

    /// Returns the bytes per second that the model's nodes with this number of peers send.
    fn model(&self, peers: impl Fn(usize) -> bool) -> f64 {
        let sent: Vec<f64> = self.traffic.iter().filter(|of| peers(of.peers.0)).map(|of| of.sum().stream_up).collect();
        sent.iter().sum::<f64>() / as_f64(sent.len().max(1))
    }

    /// Returns the relative difference of the model's mean over the measured one.
    pub(super) fn difference(&self) -> f64 {
        self.model(|_| true) / measured(&SENT) - 1.0
    }

    pub(super) fn table(&self) -> Table {
        let row = |name: String, measured: f64, model: f64| {
            vec![
                Cell::text(name),
                Cell::number(measured / 1e3, 2),
                Cell::number(model / 1e3, 2),
                Cell::number((model / measured - 1.0) * 100.0, 1),
            ]
        };
        let by_peers = SENT
            .iter()
            .map(|(peers, sent)| row(format!("{peers}"), measured(&[(*peers, *sent)]), self.model(|of| of == *peers)));
        let all = row("all nodes".to_owned(), measured(&SENT), self.model(|_| true));
        Table {
            caption:
                "Ten real nodes on one machine, and the same connections in the model: bytes a second that a node \
                      sends to its peers, as TCP counts it, by the number of its peers. The model says more; why was not \
                      found. A longer time to judge a message, the same for all, does not change it; one that varies \
                      might, since fewer copies would cross each other"
                    .to_owned(),
            columns: ["peers", "measured, kB/s", "model, kB/s", "difference, %"].map(str::to_owned).into(),
            rows: by_peers.chain([all]).collect(),
        }
    }
}

/// Returns the sizes of the measured nodes' messages. They spoke version 1 of the protocol, whose proofs have no state root
/// and no null data.
fn measured_sizes() -> Sizes {
    const ADDED_BYTES: u32 = 32 + 1;
    let now = Sizes::of(&proof(taproot(), PAYOUTS, BRANCH));
    Sizes {
        proof: now.proof - ADDED_BYTES,
        share: now.share - ADDED_BYTES,
        link: now.link - ADDED_BYTES,
        item: now.item - ADDED_BYTES,
        ..now
    }
}

fn measured(sent: &[(usize, &[f64])]) -> f64 {
    let all: Vec<f64> = sent.iter().flat_map(|(_, sent)| sent.iter().copied()).collect();
    all.iter().sum::<f64>() / as_f64(all.len())
}
