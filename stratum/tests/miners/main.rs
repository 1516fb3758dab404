//! The server as miners see it, on real sockets.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod coinbase;
mod common;
mod field_notes;
mod fuzz_corpus;
mod handshakes;
mod hostile;
mod kinds;
mod listeners;
mod load;
mod log;
mod rest;
mod returning;
mod submits;
mod sv2;
mod v2;
mod v2_messages;
