//! bitcoind's JSON-RPC, the only interface to Bitcoin in this program.
//!
//! ```text
//! transport.rs   one HTTP request: credentials, time limit, size limit, JSON-RPC envelope
//! client.rs      the calls that the node uses, typed
//! header.rs      block headers
//! verdict.rs     verdicts on blocks
//! template.rs    a block template, decoded and checked
//! status.rs      checks before the node uses a bitcoind: network, sync
//! feed.rs        bitcoind's newest template, for as long as the program runs
//! state.rs       a bitcoind's newest template, or its problem
//! follower.rs    follows the template of one bitcoind
//! choice.rs      which of several bitcoinds is used
//! claim.rs       checks the tips that bitcoinds claim
//! zmq.rs         new blocks, from bitcoind's ZMQ
//! empty.rs       a template without transactions, until the full one comes
//! error.rs       errors, with advice for the operator
//! ```
//!
//! bitcoind belongs to the operator and is trusted to judge Bitcoin's rules, but not to be healthy: it may be starting,
//! syncing, on another network, hung, or not bitcoind at all.

mod choice;
mod claim;
mod client;
mod empty;
mod error;
mod feed;
mod follower;
mod header;
mod state;
mod status;
mod template;
#[cfg(test)]
mod tests;
mod transport;
mod verdict;
mod zmq;

pub use claim::Prover;
pub use client::Bitcoind;
pub use error::{BitcoindError, ConnectionError};
pub use feed::TemplateFeed;
pub use header::HeaderInfo;
pub use state::FeedState;
pub use status::{ChainStatus, NodeInfo};
pub use template::TemplateError;
pub use verdict::{ProposalVerdict, SubmitVerdict};
