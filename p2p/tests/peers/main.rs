//! Peers on real sockets, honest and hostile.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod attacker;
mod budgets;
mod common;
mod discovery;
mod hostile;
mod memory;
mod network;
mod scores;
mod slots;
