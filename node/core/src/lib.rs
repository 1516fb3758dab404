//! Every decision of a node, without sockets, clock, database or threads: the program `shoal` and the simulator run this
//! code as it is.
//!
//! | module | what it is for |
//! |---|---|
//! | [`engine`] | the one owner of the share-chain: what it accepts is in the journal before anyone hears of it |
//! | [`exchange`] | gossip, requests, responses and sync with peers |
//! | [`jobs`] | job templates and jobs: when to make one, on what, for whom; what miners found |
//! | [`headers`] | which Bitcoin headers the share-chain takes from bitcoind |
//! | [`journal`] | records, and what the engine needs of a database |
//! | [`pool_block`] | a Bitcoin block that the pool found |
//! | [`export`] | a journal as a recording |
//! | [`limits`] | every bound of this crate with its unit and its reason |

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod engine;
pub mod exchange;
pub mod export;
pub mod headers;
pub mod jobs;
pub mod journal;
pub mod limits;
pub mod pool_block;
mod sentence;

pub use sentence::sentence;
