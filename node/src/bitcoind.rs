//! bitcoind's JSON-RPC, the only interface to Bitcoin in this program.
//!
//! ```text
//! transport.rs   one HTTP request: credentials, time limit, size limit, JSON-RPC envelope
//! client.rs      the calls that the node uses, typed
//! template.rs    a block template, decoded and checked
//! status.rs      checks before the node uses a bitcoind: network, sync
//! feed.rs        follows bitcoind's template
//! error.rs       errors, with advice for the operator
//! ```
//!
//! bitcoind belongs to the operator and is trusted to judge Bitcoin's rules, but not to be healthy: it may be starting,
//! syncing, on another network, hung, or not bitcoind at all.

mod client;
mod error;
mod feed;
mod status;
mod template;
#[cfg(test)]
mod tests;
mod transport;

pub use client::{Bitcoind, HeaderInfo, ProposalVerdict, SubmitVerdict};
pub use error::{BitcoindError, ConnectionError};
pub use feed::{FeedState, TemplateFeed};
pub use status::{ChainStatus, NodeInfo};
pub use template::TemplateError;
