//! The program as a process, and its parts on a real disk.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod archive;
mod backup;
mod check;
mod dist;
mod engine;
mod notify;
mod ops;
mod pipe;
mod pruned_recording;
mod pruning;
mod store;
