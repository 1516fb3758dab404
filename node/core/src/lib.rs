//! Every decision of a node, without sockets, clock, database or threads. The program `shoal` and the simulator both
//! run this code unchanged.
//!
//! | module | purpose |
//! |---|---|
//! | [`engine`] | the one owner of the share-chain; everything it accepts is in the journal before it announces it |
//! | [`exchange`] | gossip, requests, responses and sync with peers |
//! | [`jobs`] | the job builder, job templates, jobs, and found work |
//! | [`isolation`] | states in which the node may be cut off, and what its miners work on meanwhile |
//! | [`headers`] | which Bitcoin headers of bitcoind the share-chain accepts |
//! | [`journal`] | records, and the storage that the engine needs |
//! | [`pool_block`] | a Bitcoin block that the pool found |
//! | [`pool_window`] | the window that it pays by, for payout proofs |
//! | [`export`] | a journal as a recording |
//! | `export_base` | the base of a pruned node's recording |
//! | [`relay`] | the pool's Bitcoin blocks: announced by short ids, built from known transactions, or fetched |
//! | [`limits`] | every bound of this crate with its unit and its reason |
//! | `sentence` | an error and its causes in one sentence |

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod engine;
pub mod exchange;
pub mod export;
mod export_base;
pub mod headers;
pub mod isolation;
pub mod jobs;
pub mod journal;
pub mod limits;
pub mod pool_block;
pub mod pool_window;
pub mod relay;
mod sentence;

pub use sentence::sentence;
