//! Models of parts of the pool, where the simulator would take too long or has no such part.
//!
//! ```text
//! baseline.rs  the classic share-chains, as nodes of the simulated world
//! pay.rs       pay over years, with the real window and selection
//! scale.rs     up to 90,000 nodes: what is sent, not what is computed
//! ```

pub mod baseline;
pub mod pay;
pub mod scale;
