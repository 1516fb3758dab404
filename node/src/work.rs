//! From a template of bitcoind and a place in the share-chain to work for miners, and from what they find to proofs and
//! blocks.

mod draft;
mod maker;
mod pool;
mod trim;

pub use draft::{Draft, DraftError, Order, Place};
pub use maker::{Maker, WorkState};
pub use pool::{FoundReceiver, FoundWork, Miners};
pub use trim::Body;
