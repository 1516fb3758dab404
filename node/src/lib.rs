//! The program shoal: share-chain, peers and miners wired to one bitcoind.
//!
//! ```text
//! cli/         subcommands, exit codes, how errors are printed
//! config/      one file, environment and flags, resolved into one `Config`
//! check.rs     `shoal check`: what would stop `shoal run`, found before
//! run.rs       `shoal run`
//! status.rs    `shoal status`
//! bitcoind/    the only door to Bitcoin: typed JSON-RPC, the template feed
//! store/       the only door to RocksDB: journal, lookups, replay
//! limits.rs    every bound, with its reason
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod bitcoind;
pub mod check;
pub mod cli;
pub mod config;
mod error;
pub mod limits;
mod logging;
pub mod run;
pub mod status;
pub mod store;

pub use error::{NodeError, sentence};
pub use logging::{LoggingError, init as init_logging};
