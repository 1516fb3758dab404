//! The rules from outside: what a chain accepts, keeps, forgets and pays, whatever it is sent.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod boundaries;
mod chain;
mod encode;
mod frozen;
mod fuzz_corpus;
mod hostile;
mod lists;
mod memory;
mod networks;
mod newcomer;
mod orders;
mod pruning;
mod reorganisations;
mod upgrades;
