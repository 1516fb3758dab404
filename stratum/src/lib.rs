//! A Stratum server for ASICs, v1 and v2. It knows jobs and submissions, but not the share-chain.
//!
//! The crate connects mining hardware to a [`Pool`]. The pool authorizes miners, provides their work,
//! and receives the proofs of work that they find:
//!
//! 1. A miner authorizes as `address.worker`. [`Pool::authorize`] returns its [`Account`], which is
//!    opaque bytes to this crate, or a [`Refusal`] with a sentence for the miner.
//! 2. [`Pool::work`] returns the current [`Work`] of that account. `None` means there is no work at the
//!    moment. [`Pool::readiness`] says whether miners may wait: new ones are refused at once, and connected
//!    ones leave when the pool gives up, so that each turns to its next pool.
//! 3. [`Pool::changes`] wakes every connection when work changes, and each fetches its work again. The
//!    server tells the miner to drop its older jobs (`clean_jobs`) if and only if `prev_block` changed.
//! 4. [`Pool::submit`] receives a [`Found`] for each proof of work that meets the share target or
//!    Bitcoin's target. The server accepts late submissions for older work on the same Bitcoin tip, and
//!    for work on the previous tip until [`limits::TIP_GRACE`] ends. It passes a hash that meets
//!    Bitcoin's target to the pool in any case.
//!
//! # Modules
//!
//! Pure modules come first, I/O last. Each module imports only modules above it. The same holds for the
//! files of [`message`] and [`session`], whose docs list them.
//!
//! | module | content |
//! |---|---|
//! | [`limits`] | every limit of the crate, with its reason |
//! | [`difficulty`] | Stratum difficulty and its exact target, and ranges of difficulties |
//! | `tally` | counts accepted work |
//! | [`proof`] | builds block headers from a job and a miner's choices |
//! | [`pool`] | the interface to the pool, as described above |
//! | [`message`] | parses lines from miners, and formats lines to miners |
//! | `batch` | lines that go out to a miner together |
//! | `agents` | what the server knows of programs from their user agents |
//! | `bucket` | limits the rate of lines and of invalid requests from a miner |
//! | `meter` | estimates a connection's hashrate |
//! | [`vardiff`] | chooses a connection's difficulty from its share rate |
//! | `jobs` | the jobs that a session has issued and still accepts |
//! | [`totals`] | counters of submissions |
//! | `report` | what a session publishes about itself for the statistics |
//! | `channel` | the jobs of one extranonce, and how shares are judged and counted |
//! | [`session`] | one connection as a state machine: lines, work and time in, actions out |
//! | [`stats`] | statistics of a server and its connections |
//! | `extranonce` | issues the extranonces of connections, no two of which meet |
//! | `learnt` | what the server learned from devices: the coinbases that they cannot hold |
//! | `paces` | the difficulties of devices that left, for those that come back |
//! | `admission` | limits the open connections, in total and per address |
//! | `budgets` | limits encrypted handshakes per address, and messages that no work pays for |
//! | [`proxy`] | reads the PROXY header of a load balancer |
//! | [`tls`] | the certificate of a server |
//! | `listen` | a listening socket with a long queue and bounded buffers |
//! | `partial` | notices a message whose rest does not arrive |
//! | `socket` | the socket of a connection, and what it waits for |
//! | `connection` | runs one session on one socket |
//! | [`v2`] | Stratum v2: connections with channels, over Noise |
//! | [`server`] | the listening socket |
//! | [`client`] | a Stratum v1 client, for the test network's CPU miner and the tests |

pub mod client;
pub mod difficulty;
pub mod limits;
pub mod message;
pub mod pool;
pub mod proof;
pub mod proxy;
pub mod server;
pub mod session;
pub mod stats;
pub mod tls;
pub mod totals;
pub mod v2;
pub mod vardiff;

mod admission;
mod agents;
mod batch;
mod bucket;
mod budgets;
mod channel;
mod connection;
mod extranonce;
mod jobs;
mod learnt;
mod listen;
mod meter;
mod paces;
mod partial;
mod report;
mod socket;
mod tally;

pub use agents::{CoinbaseLimit, CoinbaseLimits};
pub use client::{Client, ClientError, Job};
pub use difficulty::{Difficulty, DifficultyRange};
pub use pool::{Account, Change, EXTRANONCE_BYTES, Found, Pool, Readiness, Refusal, Work, WorkParts};
pub use proxy::Balancers;
pub use report::Protocol;
pub use server::{BindError, Config, Limits, Listener, Server};
pub use stats::{ConnectionSnapshot, Snapshot, Stats};
pub use tally::Tally;
pub use tls::{Tls, TlsError};
pub use totals::{Rejected, Totals};
pub use v2::{Authority, NotAKey};
