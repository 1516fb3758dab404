//! The program itself in the simulated world: the real share-chain, engine, exchange between peers, sync, scores, rates,
//! templates, jobs and payouts, with proof of work done for real at low difficulty. Simulated are lines, disks, clocks,
//! machines and Bitcoin.
//!
//! ```text
//! build.rs      from a scenario and a seed to a world
//! surroundings.rs    what all nodes live in: Bitcoin, messages on their way, the ledger
//! node/         a node: real parts, and the shell that stands in for the program's tasks
//! strategist.rs       its strategy, and what that withholds
//! devices.rs    its machines, which switch to new work after a while
//! endpoint.rs   its side of the network: names, rates, points, bans
//! mesh.rs       to whom it pushes gossip
//! disk.rs       its disk, which forgets its end in a crash
//! archive.rs    what disks hold, once for all
//! gossip.rs     gossip on its way, each message once for all
//! wire.rs       all other messages, and the length of both
//! ledger.rs     what everybody found
//! audit.rs      what became of it in the end, by the chain of one node
//! summary.rs    a run in numbers
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
pub mod wire;

pub use build::{BuildError, build};
pub use node::SimNode;
pub use summary::{Summary, run};
