//! A deterministic world in which the pool's real code runs: a virtual clock, seeded randomness, no threads, no sockets.
//! The same seed and the same commit give the same bytes.
//!
//! ```text
//! time.rs       virtual time
//! rng.rs        independent streams of randomness from one seed
//! queue.rs      what happens when
//! world.rs      the loop: nodes, miners, lines, faults; generic over what a node is
//! transport.rs  how long a message takes from one node to another
//! ```

pub mod queue;
pub mod rng;
pub mod time;
pub mod transport;
pub mod world;
