//! Reads the archive, for explorers and for nodes that answer what they have forgotten. Nothing here writes.
//!
//! ```text
//! pool.rs     a few connections, which the server keeps from writing
//! listen.rs   what the database tells of new links
//! links.rs    links of all branches, their lists and credits
//! shares.rs   shares, and the links that list them
//! listed.rs   shares of a part of the share-chain
//! blocks.rs   Bitcoin blocks of the pool, and payouts
//! headers.rs  Bitcoin headers
//! steps.rs    sums of shares by time
//! ```
//!
//! Writers of the database decide what is read here: it is only shown, and never used for jobs, payouts or the share-chain.

mod blocks;
mod headers;
mod links;
mod listed;
mod listen;
mod pool;
mod shares;
mod steps;

pub use blocks::{Block, Paid};
pub use headers::Header;
pub use links::{Credits, Link, Reorganization, Sorted};
pub use listed::PendingShare;
pub use listen::Listener;
pub use pool::Archive;
pub use shares::Share;
pub use steps::{Mean, Step};
