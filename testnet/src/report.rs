//! The report of a run, JSON as `README.md` beside this crate describes it: what every node ends with, every Bitcoin
//! block with all that its payouts follow from, and what became of every share.

mod blocks;
mod gather;
mod model;
mod shares;

pub use blocks::payouts;
pub use gather::{GatherError, Gathered, Sources, gather};
pub use model::{BlockReport, MinerReport, NodeReport, Output, Report, SharesReport, Weight, WindowRow};
pub use shares::{Known, Tally};
