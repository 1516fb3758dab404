//! Found blocks on their way through a hundred nodes on home lines, by the program's own code.
//!
//! `RELAY_SEEDS=10 cargo test --release -p sim --test block_relay -- --nocapture` prints the figures of ten networks. With
//! `RELAY_LACKS=0.005`, every node lacks 15 transactions of each block; then a second is not demanded.

use node_core::journal::{Journal, RecordKind};
use p2p_proto::Gossip;
use p2p_proto::message::Announcement;
use sharechain::Proof;
use sim::full::{SimNode, build};
use sim::ids::NodeId;
use sim::scenario::Scenario;
use sim::time::Micros;
use sim::transport::Line;
use sim::world::World;

/// Number of nodes.
const NODES: usize = 100;

/// Number of transactions in a block.
const TRANSACTIONS: u32 = 3_000;

/// Part of the transactions that a node's bitcoind lacks when the node asks it for a template of that moment, unless
/// `RELAY_LACKS` says otherwise: one of each block on every seventh node. That node needs a round trip more.
const LACKS: f64 = 0.000_05;

/// A line at home: 10 Mbit/s up, 50 down.
const HOME: Line = Line { base: Micros(0), up_bps: 10e6, down_bps: 50e6, loss: 0.000_1 };

/// All nodes are 150 ms from each other, one way.
const SCENARIO: &str = r#"
name = "relay"
duration_s = 6000

[pool]
bitcoin_part = 0.95
distance_ms = 150

[constants]
snapshot_bitcoin_depth = 0
snapshot_burial = 4

[[nodes]]
name = "home"
count = 100

[[miners]]
name = "home"
part = 1.0
"#;

/// A pool that has found its first block.
fn pool_with_a_block(seed: u64, lacks: f64) -> World<SimNode> {
    let scenario = Scenario::parse(SCENARIO).expect("it is valid");
    let mut world = build(&scenario, seed).expect("it needs no strategy");
    world.environment.bitcoin.set_transactions(TRANSACTIONS);
    for index in 0..NODES {
        world.nodes[index].set_lacks(lacks);
        world.schedule.change_line(NodeId::of(index), HOME);
    }
    // Time for the first connections and a few links.
    world.run(Micros::from_secs(120));
    let before = world.environment.ledger.finds().len();
    let mut at = Micros::from_secs(120);
    while !world.environment.ledger.finds()[before..].iter().any(|find| find.is_block) {
        at = at + Micros::from_secs(1);
        world.run(at);
    }
    world.run(at + Micros::from_secs(10));
    world
}

#[test]
fn a_block_reaches_90_of_100_home_nodes_within_a_second() {
    let seeds = std::env::var("RELAY_SEEDS").map_or(1, |text| text.parse().expect("a number"));
    let lacks = std::env::var("RELAY_LACKS").map_or(LACKS, |text| text.parse().expect("a number"));
    for seed in 1..=seeds {
        let world = pool_with_a_block(seed, lacks);
        let ledger = &world.environment.ledger;
        let find = ledger.finds().iter().filter(|find| find.is_block).next_back().expect("there is one");
        let relays = ledger.relays().iter().filter(|(block, ..)| *block == find.id.block_hash());
        let times: Vec<f64> = relays.map(|(_, _, at)| at.since(find.at).as_secs_f64()).collect();
        let stored = world.nodes[0].disk().get(RecordKind::Proof, &find.id.0).expect("a disk that works");
        let proof = Proof::decode(&stored.expect("it is stored")).expect("it was encoded");
        let ids = vec![[0; 6]; TRANSACTIONS as usize];
        let announced = Gossip::BitcoinBlock(Announcement { proof: Box::new(proof), nonce: 1, ids }).encode().len();
        let ninety = times.get(NODES * 9 / 10 - 2).copied().unwrap_or(f64::INFINITY);
        let median = times.get(NODES / 2).copied().unwrap_or(f64::INFINITY);
        let last = times.last().copied().unwrap_or(f64::INFINITY);
        println!(
            "seed {seed}: half of {NODES} nodes after {median:.3} s, 90% after {ninety:.3} s, the last of {} after {last:.3} s; \
             the announcement has {announced} bytes",
            times.len() + 1,
        );
        assert_eq!(times.len() + 1, NODES, "the finder has it, and all others get it");
        assert!(announced < 20_000, "{announced} bytes");
        assert!(ninety < if lacks > LACKS { 2.0 } else { 1.0 }, "{ninety} s");
        assert!(ledger.bans.is_empty(), "{:?}", ledger.bans);
    }
}
