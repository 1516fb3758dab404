//! The classic share-chains, as nodes of the same world: one node that follows rules which are data. A share is an entry
//! of a table that all nodes can read but know of only by messages; nothing is hashed or signed, for nothing here forges.
//!
//! ```text
//! rules.rs     the three rule sets, and where each fact was read
//! tree.rs      all shares that were ever found, and which may be listed as uncles
//! view.rs      what one node knows of them, and which tip it follows
//! device.rs    hash rate that goes on with its old job for a while
//! strategy.rs  what a miner does with its finds: honest, selfish, stubborn
//! node.rs      the node: events in, messages out
//! ledger.rs    who was credited with what in the end
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
