//! Errors of the database. Each variant says what is wrong and what the operator can do.

use std::path::PathBuf;

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A newer version of the program wrote the database.
    #[error(
        "the database {path} has schema version {found}, but this program knows versions up to {known}; install a \
         newer version, or set another `data_dir`", path = path.display()
    )]
    Newer {
        /// The database's folder.
        path: PathBuf,
        /// Schema version of the database.
        found: u32,
        /// Newest schema version that this program knows.
        known: u32,
    },
    /// An older version of the program wrote the database.
    #[error(
        "the database {path} holds a share-chain of version 1 of the protocol, which this program cannot continue; move \
         that folder away, or set another `data_dir`; the node then starts with the share-chain of version 2",
        path = path.display()
    )]
    Older {
        /// The database's folder.
        path: PathBuf,
    },
    /// The database belongs to another share-chain.
    #[error(
        "the database {path} belongs to another share-chain ({found}…, not {expected}…); \
         check `network`, or set another `data_dir`", path = path.display()
    )]
    OtherNetwork {
        /// The database's folder.
        path: PathBuf,
        /// First bytes of the database's consensus id, hex.
        found: String,
        /// First bytes of the expected consensus id, hex.
        expected: String,
    },
    /// Another process uses the database.
    #[error(
        "the database {path} is in use by another process; check whether a node is already running",
        path = path.display()
    )]
    Locked {
        /// The database's folder.
        path: PathBuf,
    },
    /// The folder has files of something else.
    #[error(
        "the folder {path} has files but no database of this program; set another `data_dir`",
        path = path.display()
    )]
    NotADatabase {
        /// Path of the folder.
        path: PathBuf,
    },
    /// There is no database.
    #[error("there is no database at {path} yet; `shoal run` creates it", path = path.display())]
    Absent {
        /// Where it would be.
        path: PathBuf,
    },
    /// The file that names the others is missing.
    #[error(
        "the database {path} lacks its file CURRENT, so its other files cannot be read; `shoal db repair` finds them again",
        path = path.display()
    )]
    NoCurrent {
        /// The database's folder.
        path: PathBuf,
    },
    /// Files of the database are damaged or missing.
    #[error(
        "the database {path} is damaged; `shoal db repair` keeps what is sound, and peers send the rest again", path = path.display()
    )]
    Corrupt {
        /// The database's folder.
        path: PathBuf,
        /// Cause from RocksDB.
        source: rocksdb::Error,
    },
    /// A record is damaged.
    #[error(
        "record {sequence} of the database {path} is damaged; `shoal db repair` keeps what is sound, and peers send the \
         rest again", path = path.display()
    )]
    CorruptRecord {
        /// The database's folder.
        path: PathBuf,
        /// The record's sequence number.
        sequence: u64,
    },
    /// A backup would lack something.
    #[error(
        "the database {path} has damaged records, so there is no backup of it; stop the node and run `shoal db repair`",
        path = path.display()
    )]
    Unsound {
        /// The database's folder.
        path: PathBuf,
    },
    /// A record is larger than the program allows.
    #[error("a record has {size_bytes} bytes, more than the maximum of {limit_bytes}")]
    RecordTooLarge {
        /// Its size, bytes.
        size_bytes: usize,
        /// Maximum size, bytes.
        limit_bytes: usize,
    },
    /// The folder cannot be created, read or renamed.
    #[error(
        "the folder {path} cannot be used; check its permissions and the free space on its disk",
        path = path.display()
    )]
    Folder {
        /// Path of the folder.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// Reading or writing failed.
    #[error("the database {path} cannot be read or written; check its permissions and the free space on its disk", path = path.display())]
    Io {
        /// The database's folder.
        path: PathBuf,
        /// Cause from RocksDB.
        source: rocksdb::Error,
    },
}
