//! The share-chain's whole history in PostgreSQL, for explorers, auditors and researchers; see `specs/archive.md`.
//!
//! ```text
//! socket.rs   sockets to the server, whose answers are counted
//! connect.rs  the database's URL, and connections to it
//! schema.rs   migrations, the pool whose history it is, partitions by month
//! value.rs    integers and times in PostgreSQL's binary format
//! batch.rs    the rows of one transaction, as the share-chain has them
//! gather.rs   turns what changes in a share-chain into rows
//! tables.rs   the tables that loaders write
//! copy.rs     binary COPY, and which rows are new
//! rows.rs     each kind of row into its table
//! writer.rs   writes batches, each together with how far its source was read
//! patient.rs  a writer that outlives its connection
//! load.rs     loads a recording, and goes on where it stopped
//! encode.rs   batches as bytes
//! export.rs   writes the archive as Parquet, by month
//! queue.rs    the queue on disk between a node and its archive
//! read.rs     reads the archive
//! server.rs   a PostgreSQL server of its own, for tests and test networks
//! error.rs    why something cannot be archived
//! month.rs    months of partitions and files
//! limits.rs   every bound, with its reason
//! ```
//!
//! Data flows one way: [`gather::Gatherer`] makes a [`batch::Batch`] of what a chain accepted, and [`writer::Writer`] writes
//! it. Nothing that the database answers changes the share-chain or the payouts.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod batch;
pub mod connect;
mod copy;
mod encode;
pub mod error;
pub mod export;
pub mod gather;
pub mod limits;
pub mod load;
mod month;
pub mod patient;
pub mod queue;
pub mod read;
mod rows;
pub mod schema;
pub mod server;
mod socket;
mod tables;
pub mod value;
pub mod writer;

pub use connect::ArchiveUrl;
pub use error::ArchiveError;
pub use export::export;
pub use load::{Loaded, load};
pub use month::Month;
pub use server::LocalServer;
