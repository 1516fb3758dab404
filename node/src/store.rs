//! Everything the node must not forget, in RocksDB: the only folder that knows RocksDB.
//!
//! The store keeps opaque bytes; what they mean is decided by who writes them.
//!
//! ```text
//! record.rs   kinds, records, and their checked binary form
//! layout.rs   column families, keys, memory-bounded options
//! lock.rs     whether another process has it open
//! open.rs     schema and network checked before anything is written
//! store.rs    append, look up, replay
//! history.rs  rows that can be made again from the records
//! error.rs    what can be wrong, in words for the operator
//! ```
//!
//! # Durability
//! [`Store::append`] returns once the whole batch stands in the write-ahead log of the operating
//! system: it survives `kill -9` and a panic of the program. A batch with a [`RecordKind::Block`]
//! or [`RecordKind::Meta`] record is also flushed to the disk and survives a power cut; the last
//! seconds of other records may then be missing, as a whole and from the end, and peers still have
//! those. [`Store::flush`] forces everything to the disk.

mod error;
mod history;
mod layout;
mod lock;
mod open;
mod record;
#[expect(clippy::module_inception, reason = "the store itself")]
mod store;
#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use history::Row;
pub use node_core::journal::{Journal, Record, RecordKind};
pub use record::Entry;
pub use store::Store;
