//! Models of parts of the pool, where the simulator would take too long or lacks the part.
//!
//! ```text
//! baseline.rs  the classic share-chains, as nodes of the simulated world
//! pay.rs       pay over years, with the real window and selection
//! scale.rs     up to 90,000 nodes: the traffic is modeled, the computation is not
//! ```
//!
//! The model of the best attack is [`sim::mdp`], because the simulator's strategy `mdp` plays its policy.

pub mod baseline;
pub mod pay;
pub mod scale;
