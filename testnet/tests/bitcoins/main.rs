//! The embedded Bitcoin, real bitcoinds and Bitcoin Core's own code, beside what a node makes of them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod bip94;
mod bitcoind_doors;
#[path = "../core_blocks/mod.rs"]
mod core_blocks;
mod core_pow;
#[path = "../core_sources/mod.rs"]
mod core_sources;
mod embedded;
mod embedded_differential;
mod embedded_miner;
mod found_blocks;
mod month;
mod setup;
mod several_bitcoinds;
mod sigops;
mod support;
