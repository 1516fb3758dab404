//! The classic share-chains, as nodes of the same simulated world. One node type follows rules that are data. A share
//! is an entry of a table that all nodes can read but learn of only by messages. Nothing is hashed or signed, because
//! no node forges.
//!
//! ```text
//! rules.rs     the three rule sets, and the source of each fact
//! tree.rs      all shares ever found, and the rules for uncles
//! view.rs      a node's knowledge of them, and the tip that it follows
//! device.rs    devices that keep working on an old job for a while
//! strategy.rs  a miner's decisions about its shares: honest, selfish, stubborn
//! node.rs      the node: events in, messages out
//! ledger.rs    the final credits
//! run.rs       a whole pool, from its miners to the tallies
//! ```

pub mod device;
pub mod ledger;
pub mod node;
pub mod rules;
pub mod run;
pub mod strategy;
pub mod tree;
pub mod view;

#[cfg(test)]
mod tests;
