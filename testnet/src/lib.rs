//! A local multi-node Shoal network on an embedded Bitcoin or a real bitcoind.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod bitcoind;
pub mod embedded;
pub mod limits;
pub mod miner;
pub mod premine;
pub mod rpc;
pub mod signet;
pub mod wallet;
