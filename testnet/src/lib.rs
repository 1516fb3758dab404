//! A local multi-node Shoal network on an embedded Bitcoin or a real bitcoind.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod api_client;
pub mod bitcoind;
pub mod cli;
pub mod embedded;
pub mod faults;
pub mod limits;
pub mod miner;
pub mod network;
pub mod premine;
pub mod report;
pub mod rpc;
pub mod signet;
pub mod table;
pub mod up;
pub mod wallet;
