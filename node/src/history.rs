//! History by address and by time, indexed so that answers need no full scan, and the event log.
//!
//! ```text
//! keys.rs      the keys of the rows
//! rows.rs      the values of the rows
//! indexer.rs   turns the journal into rows, batch by batch, from where it stopped
//! task.rs      runs the indexer behind the chain, off the threads that serve miners
//! prune.rs     removes old rows of other miners, step by step
//! own.rs       the payees of this node's miners
//! read.rs      queries of the API
//! events.rs    the event log: found blocks, reorganizations, rejected shares, problems
//! observer.rs  watches the parts of the node and writes the event log
//! ```
//!
//! Rows are derived from the journal, behind the share-chain. Rows lost in a crash are rebuilt from it. The event log
//! cannot be rebuilt, nor can rows whose records the journal has forgotten.

mod events;
mod indexer;
mod keys;
pub(crate) mod observer;
mod own;
mod prune;
mod read;
mod rows;
mod task;
#[cfg(test)]
mod tests;

pub use crate::event_kind::EventKind;
pub(crate) use events::events_up;
pub use events::{Changed, Event, EventLog, Found, Paid, Refused, Reorganised};
pub use observer::Observer;
pub(crate) use read::observed_hashrate;
pub use read::{Page, PaymentRow, PointRow, ShareRow};
pub use rows::{Effort, Step};
pub use task::{History, Keeper};

/// Lengths of the time steps that sums are kept for, seconds: a minute, ten minutes, an hour, a day.
pub const STEPS_S: [u32; 4] = [60, 600, 3_600, 86_400];
