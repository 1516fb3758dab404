//! bitcoind, over its JSON-RPC: the only door to Bitcoin in this program.
//!
//! ```text
//! transport.rs   one HTTP request: credentials, time limit, size limit, JSON-RPC envelope
//! client.rs      the calls the node uses, typed
//! template.rs    a block template, decoded and checked
//! status.rs      what the node asks before it trusts a bitcoind: network, synced
//! feed.rs        follows the template for as long as the program runs
//! error.rs       what can go wrong, in words for the operator
//! ```
//!
//! bitcoind belongs to the operator and is trusted to judge Bitcoin's rules, but not to be well:
//! it may be starting, syncing, of another network, hung, or something else altogether.

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
