//! The node's durable data in RocksDB. Only this folder uses RocksDB.
//!
//! The store keeps opaque bytes; their writers define what they mean.
//!
//! ```text
//! record.rs   kinds, records, and their checked binary form
//! layout.rs   column families, keys, memory-bounded options
//! lock.rs     checks whether another process has the database open
//! open.rs     opens or creates a database; checks schema and network before it writes
//! reading.rs  the engine's progress in reading it
//! closing.rs  waits until all databases are closed
//! store.rs    append, look up, replay
//! find.rs     ids by their first bytes, and all Bitcoin headers
//! forget.rs   removes records that are no longer needed
//! backup.rs   a copy, also of a database in use
//! check.rs    reads everything and reports all faults
//! repair.rs   copies sound records into a new database
//! history.rs  rows that can be rebuilt from the records
//! error.rs    errors, with advice for the operator
//! ```
//!
//! # Durability
//! [`Store::append`] returns once the operating system has the whole batch in the write-ahead log: it survives `kill
//! -9` and a panic of the program. A batch with a [`RecordKind::Block`] or [`RecordKind::Meta`] record is also flushed
//! to the disk and survives a power cut. A power cut may lose the last seconds of other records, in whole batches from
//! the end; peers still have those. [`Store::flush`] forces everything to the disk.

mod backup;
mod check;
mod closing;
mod error;
mod find;
mod forget;
mod history;
mod layout;
mod lock;
mod open;
mod reading;
mod record;
mod repair;
#[expect(clippy::module_inception, reason = "the store itself")]
mod store;
#[cfg(test)]
mod tests;

pub use backup::backup;
pub use check::{Checked, FAULTS_MAX, check, read_through};
pub use closing::wait_until_closed;
pub use error::StoreError;
pub use history::Row;
pub use layout::SCHEMA;
pub use node_core::journal::{Journal, Record, RecordKind};
pub use record::Entry;
pub use repair::{Repaired, repair};
pub use store::Store;
