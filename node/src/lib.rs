//! The program shoal: share-chain, peers and miners wired to one bitcoind.
//!
//! ```text
//! cli/         subcommands, exit codes, how errors are printed
//! config/      one file, environment and flags, resolved into one `Config`
//! check.rs     `shoal check`: what would stop `shoal run`, found before
//! run.rs       `shoal run`
//! ports.rs     whether the configured ports are free
//! status.rs    `shoal status`
//! consensus/   the thread that owns engine and exchange, and the chain that it publishes for readers
//! headers.rs   Bitcoin's headers from bitcoind into the share-chain
//! miners/      accounts and jobs for the Stratum server; found blocks
//! peers/       what is done for peers beside the consensus thread
//! submissions/ Bitcoin blocks to bitcoind, and what it said
//! history/     rows by address and by time, and the event log
//! api/         the read-only HTTP API and the web pages
//! webhooks/    events to those whom the operator named
//! top/         `shoal top`
//! recording/   `shoal export`, `import`, `verify`: the share-chain as a file that anybody can check
//! report.rs    what the node says of itself: the state behind the API, and a line a minute
//! state.rs     that state
//! bitcoind/    the only door to Bitcoin: typed JSON-RPC, the template feed
//! store/       the only door to RocksDB: journal, lookups, replay
//! identity.rs  the node's key
//! clock.rs     the only place that reads the time of day
//! logging.rs   the log
//! terminal.rs  the keys of a terminal that is drawn on
//! error.rs     what can stop the program, and its exit codes
//! limits.rs    every bound, with its reason
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod api;
pub mod bitcoind;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod consensus;
mod error;
pub mod headers;
pub mod history;
pub mod identity;
pub mod limits;
mod logging;
pub mod miners;
pub mod peers;
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

pub use error::NodeError;
pub use logging::{LoggingError, init as init_logging};
