//! The HTTP API on real sockets, with a real engine and a real store.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod answers;
mod archived;
mod bans;
mod check;
mod command;
mod config;
mod document;
mod explorer;
mod exposure;
mod forgotten;
mod hostile;
mod live;
mod miner_first;
mod pool;
mod power;
mod proof;
mod pruned;
mod public;
mod readers;
mod server;
