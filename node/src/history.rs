//! What happened, by address and by time, so that no answer has to look through everything.
//!
//! ```text
//! keys.rs      where each row stands
//! rows.rs      what stands there
//! indexer.rs   from the journal to rows: one batch after the other, from where it stopped
//! task.rs      runs the indexer behind the chain, away from the threads that serve miners
//! read.rs      what the API asks for
//! events.rs    the node's event_log: found blocks, reorganisations, refusals, troubles
//! observer.rs  writes it, from what the parts of the node tell
//! silence.rs   which miners fell silent
//! ```
//!
//! Rows are made from the journal, behind the share-chain: what they lack after a crash is made again from there. The
//! event log alone cannot be made again.

mod events;
mod indexer;
mod keys;
mod observer;
mod read;
mod rows;
mod silence;
mod task;
#[cfg(test)]
mod tests;

pub use events::{Event, EventKind, EventLog, Paid, Refused, Reorganised};
pub use observer::Observer;
pub use read::{Page, PaymentRow, PointRow, ShareRow};
pub use rows::{Effort, Step};
pub use task::History;

/// Seconds of the steps that sums are kept for: the last hours, the last days, the last weeks, for ever.
pub const STEPS_S: [u32; 4] = [60, 600, 3_600, 86_400];
