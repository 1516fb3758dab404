//! Whole networks of real processes: one program, since each takes seconds to build and link. A module is a scene.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod archive;
mod attack;
mod backup;
mod bitcoinds;
mod blocks;
mod censorship;
mod chaos;
mod clients;
mod clock;
#[path = "../core_blocks/mod.rs"]
mod core_blocks;
#[path = "../core_sources/mod.rs"]
mod core_sources;
mod discovery;
mod end;
mod faults;
mod front;
mod harness;
mod hostile;
mod isolation;
mod kills;
mod line;
mod link;
mod outage;
mod pages;
mod pipe;
mod reach;
mod regtest;
mod rehearsal;
mod repeats;
mod spaces;
mod split;
mod start;
#[path = "../../../stratum/tests/miners/sv2.rs"]
mod sv2;
mod sync;
mod tor;
mod v2;
mod v2_scene;
