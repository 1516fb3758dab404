//! A Stratum v1 server for ASICs: it knows jobs and submissions, never the share-chain.
//!
//! The crate sits between mining hardware and a [`Pool`], which says who may mine, what there is to
//! mine, and takes what was found. The contract, in the order things happen:
//!
//! 1. A miner authorizes as `address.worker`; [`Pool::authorize`] turns that into an [`Account`],
//!    opaque bytes to this crate, or into a [`Refusal`] whose sentence the miner reads.
//! 2. [`Pool::work`] hands out the current [`Work`] of that account. `None` means that there is none
//!    now (a node that still syncs); the miner stays connected and waits.
//! 3. [`Pool::changes`] wakes every connection when work changed; each asks for its work again. The
//!    miner is told to drop its older jobs (`clean_jobs`) exactly when `prev_block` changed.
//! 4. Each proof that meets the work's share target or Bitcoin's own goes to [`Pool::submit`] as a
//!    [`Found`]. Late proofs on older work of the same Bitcoin tip are ordinary; those of the tip
//!    before it pass for [`limits::TIP_GRACE`]; a hash that meets Bitcoin's target always passes.
//!
//! Map of the modules, from the pure to the shell:
//!
//! | module | what it is for |
//! |---|---|
//! | [`limits`] | every bound of the crate with its reason |
//! | [`pool`] | the contract above |
//! | [`difficulty`] | Stratum difficulty, exact, and never harder than a target |
//! | [`proof`] | from a job and a miner's choices to a block header |
//! | [`message`] | lines to typed requests, and answers to lines |
//! | [`vardiff`], `meter`, `jobs`, `bucket` | parts of a session, one decision each |
//! | [`session`] | the state machine: line or work and time in, actions out |
//! | [`stats`] | what the server can say about its connections |
//! | [`server`] | sockets and timers around sessions |
//! | [`client`] | the miner's half, for the test network's CPU miner and the tests |

pub mod client;
pub mod difficulty;
pub mod limits;
pub mod message;
pub mod pool;
pub mod proof;
pub mod server;
pub mod session;
pub mod stats;
pub mod vardiff;

mod admission;
mod bucket;
mod connection;
mod jobs;
mod meter;

pub use client::{Client, ClientError, Job};
pub use difficulty::Difficulty;
pub use pool::{Account, Change, EXTRANONCE_BYTES, Found, Pool, Refusal, Work, WorkParts};
pub use server::{BindError, Config, Server};
pub use stats::{ConnectionSnapshot, Rejected, Snapshot, Stats, Totals};
