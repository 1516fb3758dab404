//! The program `shoal`: connects share-chain, peers and miners with one bitcoind.
//!
//! ```text
//! cli.rs       subcommands, exit codes, printing of errors
//! config/      one file, environment and flags, resolved into one `Config`
//! check/       `shoal check`: finds what would stop `shoal run`, or leave its miners without work
//! connection_words.rs  why a connection failed, in this program's own words
//! run.rs       `shoal run`
//! shell.rs     completions and manual pages
//! ports.rs     checks whether the configured ports are free
//! status.rs    `shoal status`
//! payout_proof/ what a block pays an address, as a proof: `shoal proof`
//! archiving.rs `shoal archive`: the share-chain's history in PostgreSQL
//! exploring.rs `shoal explorer`: pages and API from an archive alone
//! backup.rs    `shoal db backup` and `restore`: everything that a node needs to continue
//! db.rs        `shoal db`: checks and repairs the database
//! consensus/   the thread that owns engine and exchange, and the snapshots that it publishes for readers
//! disk.rs      room on the disk of the data folder
//! files.rs     replaces small files in one step
//! memory.rs    returns memory to the system after many miners have left
//! headers.rs   inserts bitcoind's headers into the share-chain
//! miners/      accounts and jobs for the Stratum server; the job builder's task; found blocks
//! peers/       work for peers off the consensus thread
//! submissions/ submits Bitcoin blocks to bitcoind, and keeps its verdicts
//! isolation/   watches for states in which the node may be cut off from the pool
//! history/     history by address and by time, and the event log
//! api/         the read-only HTTP API and the web pages
//! tor/         the node's onion service, at Tor's control port
//! notify.rs, notify/  sends events to programs and people
//! devices.rs, devices/  the devices of this node's miners: averages, silence, best shares
//! top/         `shoal top`
//! pair.rs, pair/  `shoal pair`: links that give one browser the token
//! setup.rs, setup/  `shoal setup`: writes the config file
//! lan/         addresses at which devices on the local network reach this machine
//! stratum_url.rs  URLs at which miners reach this node
//! power.rs, power/  which devices rest, by a schedule and by a switch
//! processors.rs  one processor for each thread that serves miners
//! switch.rs, switch/  `shoal power`: asks a running node which devices pause, and sets the switch
//! qr/          QR codes, for images and for terminals
//! recording/   `shoal export`, `import`, `verify`: the share-chain as a file that anyone can verify
//! report.rs    reports the node's state: to the API, and to the log once a minute
//! state.rs     the node's state, written by its parts and read by the API
//! bitcoind/    the only interface to Bitcoin: typed JSON-RPC, the template feed
//! store/       the only interface to RocksDB: journal, lookups, replay
//! identity/    the node's keys
//! clock.rs     the only place that reads the wall clock
//! logging.rs   the log
//! log_limit.rs  limits the lines of each kind in the log
//! bans.rs      bans on disk, which outlast a restart
//! manual.rs    peers that the operator added at run time, on disk
//! terminal.rs  reads keys for `shoal top`
//! event_kind.rs  kinds of events in the event log
//! error.rs     errors that stop the program, and its exit codes
//! limits.rs, limits/  every bound, with its reason
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod api;
mod archiving;
mod backup;
pub mod bans;
pub mod bitcoind;
mod check;
pub mod cli;
pub mod clock;
pub mod config;
mod connection_words;
pub mod consensus;
mod db;
pub mod devices;
mod disk;
mod error;
mod event_kind;
mod exploring;
mod files;
pub mod headers;
pub mod history;
mod identity;
mod isolation;
mod lan;
pub mod limits;
mod log_limit;
mod logging;
pub mod manual;
mod memory;
pub mod miners;
mod notify;
mod pair;
pub mod payout_proof;
pub mod peers;
mod ports;
pub mod power;
mod processors;
mod qr;
pub mod recording;
mod report;
mod run;
mod setup;
mod shell;
pub mod state;
mod status;
pub mod store;
mod stratum_url;
pub mod submissions;
mod switch;
pub mod terminal;
mod top;
mod tor;

pub use error::NodeError;
pub use logging::{LoggingError, init as init_logging};
