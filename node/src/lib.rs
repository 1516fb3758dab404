//! The program shoal: share-chain, peers and miners wired to one bitcoind.
//!
//! ```text
//! cli/         subcommands, exit codes, how errors are printed
//! config/      one file, environment and flags, resolved into one `Config`
//! check.rs     `shoal check`: what would stop `shoal run`, found before
//! run.rs       `shoal run`
//! ports.rs     whether the configured ports are free
//! status.rs    `shoal status`
//! engine/      the one owner of the share-chain; what it accepts is on disk before anybody hears of it
//! headers.rs   Bitcoin's headers from bitcoind into the share-chain
//! work/        templates and places in the share-chain, made into work for miners
//! found.rs     what miners find: blocks to bitcoind, shares into the chain and to peers
//! exchange/    gossip, requests, responses, sync: what to do, decided without I/O and clock
//! peers/       does it: the tasks between network, engine and bitcoind
//! api/         the read-only HTTP API
//! recording/   `shoal export`, `import`, `verify`: the share-chain as a file that anybody can check
//! report.rs    what the node says of itself: the state behind the API, and a line a minute
//! bitcoind/    the only door to Bitcoin: typed JSON-RPC, the template feed
//! store/       the only door to RocksDB: journal, lookups, replay
//! terminal.rs  the keys of a terminal that is drawn on
//! limits.rs    every bound, with its reason
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod api;
pub mod bitcoind;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
mod error;
pub mod exchange;
pub mod found;
pub mod headers;
pub mod history;
pub mod identity;
pub mod limits;
mod logging;
pub mod peers;
pub mod pool_block;
mod ports;
pub mod recording;
pub mod report;
pub mod run;
pub mod state;
pub mod status;
pub mod store;
pub mod submissions;
pub mod terminal;
mod top;
pub mod webhooks;
pub mod work;
pub mod workers;

pub use error::{NodeError, sentence};
pub use logging::{LoggingError, init as init_logging};
