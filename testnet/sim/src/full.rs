//! The real program in the simulated world: the real share-chain, engine, peer exchange, sync, scores, rates,
//! templates, jobs and payouts. Proof of work is real, at low difficulty. Lines, disks, clocks, devices and Bitcoin are
//! simulated.
//!
//! ```text
//! build.rs         from a scenario and a seed to a world
//! surroundings.rs  the environment of all nodes: Bitcoin, gossip in transit, the ledger
//! node.rs          a node: real parts, and a shell in place of the program's tasks
//! strategist.rs    a node's strategy, and the proofs that it withholds
//! devices.rs       a miner's devices, which switch to new work after a delay
//! endpoint.rs      a node's side of the network: peer ids, rates, scores, bans
//! mesh.rs          the peers that gossip is pushed to
//! disk.rs          a node's disk, which loses its unsynced end in a crash
//! archive.rs       the records of all disks, each stored once
//! gossip.rs        gossip in transit, each message stored once
//! timer.rs         the reminders that a node sets for itself
//! wire.rs          all messages, and their size in bytes
//! ledger.rs        all proofs found, all bans, all crashes
//! audit.rs         the fate of each proof, by the chain of one node
//! summary.rs       a run in numbers
//! ```

pub mod archive;
pub mod audit;
pub mod build;
pub mod devices;
pub mod disk;
pub mod endpoint;
pub mod gossip;
pub mod ledger;
pub mod mesh;
pub mod node;
pub mod strategist;
pub mod summary;
pub mod surroundings;
#[cfg(test)]
mod tests;
pub mod timer;
pub mod wire;

pub use build::{BuildError, build};
pub use node::SimNode;
pub use summary::{Summary, run};
