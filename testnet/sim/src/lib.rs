//! A deterministic world in which the pool's real code runs: a virtual clock, seeded randomness, no threads, no sockets.
//! The same seed and the same commit give the same bytes.
//!
//! ```text
//! time.rs       virtual time
//! rng.rs        independent streams of randomness from one seed
//! queue.rs      what happens when
//! bitcoin/      a simulated Bitcoin, and each node's view of it
//! pow.rs        proof of work, done for real at low difficulty
//! strategy.rs   what a miner may do differently from an honest one: a plug-in
//! world.rs      the loop: nodes, miners, lines, faults; generic over what a node is
//! full/         the program itself as a node of the world
//! run.rs        `shoal-sim SCENARIO`
//! record.rs     a node's share-chain as a recording, for the model to replay
//! oracle/       what must hold in every world, checked after every event
//! plant.rs      bugs planted to see that the oracles find them
//! soak.rs       `shoal-sim soak`: random scenarios under the eyes of the oracles
//! shrink.rs     from what fails to little that fails
//! transport.rs  how long a message takes from one node to another
//! geography.rs  where nodes are, and how far cities are from each other
//! topology.rs   who keeps connections to whom
//! links.rs      connections that are dialled, lost, and dialled again
//! faults.rs     what goes wrong, as a plan
//! scenario.rs   what a simulation is of, as a TOML file
//! mdp.rs        the best an attacker can do in a small model, found by search
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod bitcoin;
pub mod faults;
pub mod full;
pub mod geography;
pub mod hash;
mod links;
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

/// An error and what caused it, in one sentence.
#[must_use]
pub fn sentence(error: &dyn std::error::Error) -> String {
    node_core::sentence(error)
}
