//! What can be wrong with the database: each variant says what, and what the operator can do.

use std::path::PathBuf;

/// What is wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A newer version of the program wrote it.
    #[error(
        "the database {path} has schema version {found} and this program knows versions up to \
         {known}; run the newer program, or give this one another `data_dir`", path = path.display()
    )]
    Newer {
        /// The database's folder.
        path: PathBuf,
        /// The version found.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// It belongs to another share-chain.
    #[error(
        "the database {path} belongs to another share-chain ({found}…, not {expected}…); \
         check `network`, or set another `data_dir`", path = path.display()
    )]
    OtherNetwork {
        /// The database's folder.
        path: PathBuf,
        /// First bytes of the network id found, in hex.
        found: String,
        /// First bytes of the expected network id, in hex.
        expected: String,
    },
    /// Another process uses it.
    #[error(
        "the database {path} is in use by another process; is `shoal run` running already?",
        path = path.display()
    )]
    Locked {
        /// The database's folder.
        path: PathBuf,
    },
    /// The folder holds something else.
    #[error(
        "the folder {path} holds files but no database of this program; set another `data_dir`",
        path = path.display()
    )]
    NotADatabase {
        /// The folder.
        path: PathBuf,
    },
    /// Files of the database are damaged or missing.
    #[error(
        "the database {path} is damaged; move that folder away and start again, the node then \
         fetches the share-chain from its peers", path = path.display()
    )]
    Corrupt {
        /// The database's folder.
        path: PathBuf,
        /// What RocksDB says.
        source: rocksdb::Error,
    },
    /// A record is not what was written.
    #[error(
        "record {sequence} of the database {path} is damaged; move that folder away and start \
         again, the node then fetches the share-chain from its peers", path = path.display()
    )]
    CorruptRecord {
        /// The database's folder.
        path: PathBuf,
        /// The record's sequence number.
        sequence: u64,
    },
    /// The record is larger than any the program needs.
    #[error("a record of {size_bytes} bytes is more than the {limit_bytes} a record may have")]
    RecordTooLarge {
        /// Its size.
        size_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// The folder cannot be made, read or renamed.
    #[error("the folder {path} cannot be used; check its permissions and the space on its disk", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Reading or writing failed.
    #[error("the database {path} cannot be read or written; check the space on its disk", path = path.display())]
    Io {
        /// The database's folder.
        path: PathBuf,
        /// What RocksDB says.
        source: rocksdb::Error,
    },
}
