//! A local multi-node Shoal network on an embedded Bitcoin or a real bitcoind.

pub mod bitcoind;
pub mod embedded;
pub mod limits;
pub mod miner;
pub mod premine;
pub mod rpc;
pub mod signet;
pub mod wallet;
