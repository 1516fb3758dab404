//! A double of bitcoind for the network `rehearsal`. No bitcoind can have its chain, which begins at a height of today's mainnet
//! with blocks that take a processor a fraction of a second.
//!
//! ```text
//! server.rs  its JSON-RPC
//! chain.rs   its chain of headers
//! fill.rs    the contents of its templates
//! ```

mod chain;
mod fill;
mod server;

pub use chain::Submitted;
pub(crate) use chain::{grind, next_header, work};
pub use fill::Fill;
pub(crate) use server::Double;
