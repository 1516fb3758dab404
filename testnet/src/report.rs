//! The report of a run, in the JSON format that `README.md` beside this crate describes: the final state of every node,
//! every Bitcoin block with all data that determine its payouts, and the fate of every share.

mod blocks;
mod gather;
mod model;
mod propagation;
mod shares;

pub use blocks::payouts;
pub use gather::{GatherError, Gathered, Sources, gather};
pub use model::{BlockReport, MinerReport, NodeReport, Output, Report, SharesReport, Weight, WindowRow};
pub use propagation::{LinkReport, Propagation};
pub use shares::{Known, Tally};
