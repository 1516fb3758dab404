//! A deterministic simulator that runs the pool's real code: a virtual clock, seeded randomness, no threads, no
//! sockets. The same seed and the same commit give the same bytes.
//!
//! ```text
//! time.rs       virtual time
//! rng.rs        independent streams of randomness from one seed
//! ids.rs        identifiers of nodes and miners
//! queue.rs      the event queue
//! bitcoin/      a simulated Bitcoin, and each node's view of it
//! hash.rs       hashing of headers with a rolling nonce
//! pow.rs        proof of work, real at low difficulty
//! strategy.rs   plug-ins for how a miner may deviate from an honest one
//! world.rs      the event loop: nodes, miners, lines, faults; generic over the node
//! full/         the real program as a node of the world
//! run.rs        `shoal-sim SCENARIO`
//! record.rs     records a node's share-chain, for the model to replay
//! oracle/       invariants of every world, checked after every event
//! plant.rs      planted bugs, to show that the oracles find them
//! soak.rs       `shoal-sim soak`: random scenarios, checked by the oracles
//! shrink.rs     reduces a failing case to a small one
//! transport.rs  travel times of messages
//! geography.rs  locations of nodes, and distances between cities
//! topology.rs   the graph of connections
//! connections.rs  connections that are dialed, lost, and redialed
//! faults.rs     the plan of faults
//! scenario.rs   the input of a simulation, as a TOML file
//! mdp.rs        the best attack in a small model, found by search
//! ```
//!
//! `examples/five_nodes.rs` simulates five nodes: `cargo run --release -p sim --example five_nodes`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod bitcoin;
mod connections;
pub mod faults;
pub mod full;
pub mod geography;
pub mod hash;
pub mod ids;
pub mod mdp;
pub mod oracle;
pub mod plant;
pub mod pow;
pub mod queue;
pub mod record;
pub mod rng;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod soak;
pub mod strategy;
pub mod time;
pub mod topology;
pub mod transport;
pub mod world;
