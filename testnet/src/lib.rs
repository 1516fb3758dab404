//! A local multi-node Shoal network on an embedded Bitcoin or a real bitcoind. The simulator and the study are crates of
//! their own, `sim` and `study`.
//!
//! ```text
//! cli.rs         the command line
//! up.rs          `shoal-testnet up`: starts a network, shows it, handles faults, and ends with a report
//! network.rs     the processes of a network, and the lines between its nodes
//! link.rs        links between namespaces that delay, drop and pace packets
//! faults.rs      commands from another terminal to a running network
//! attack.rs      hostile peers, and whether the node holds
//! chaos.rs       faults around two nodes, and whether they hold
//! table.rs       the display of a running network
//! report.rs      the report of a run
//! api_client.rs  a client of the nodes' HTTP API
//! miner.rs       the CPU miner, over its own Stratum connection
//! watch.rs       measures how long shares take from node to node
//! wallet.rs      fills block templates with transactions
//! embedded.rs    bitcoind's JSON-RPC on top of Bitcoin Core's consensus engine
//! bitcoind.rs    a real bitcoind as a child process
//! rpc.rs         a JSON-RPC client for both kinds of Bitcoin
//! signet.rs      the custom signet of all test networks
//! premine.rs     its initial chain, mined in advance
//! double.rs      a double of bitcoind around that halving
//! rehearsal.rs   nodes around Bitcoin's next halving, with full blocks
//! scale.rs       `shoal-testnet bench`: a node's first sync, its years, its miners
//! limits.rs      every limit, with its unit and its reason
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod api_client;
pub mod attack;
pub mod bitcoind;
pub mod chaos;
pub mod cli;
mod double;
pub mod embedded;
pub mod faults;
pub mod limits;
pub mod link;
pub mod miner;
pub mod network;
pub mod premine;
pub mod rehearsal;
pub mod report;
pub mod rpc;
pub mod scale;
pub mod signet;
pub mod table;
pub mod up;
pub mod wallet;
pub mod watch;
