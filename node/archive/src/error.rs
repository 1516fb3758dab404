//! Errors of the archive. None holds the URL, which may have a password.

use std::path::PathBuf;

use recording::ReadError;
use sharechain::ShareId;
use tokio_postgres::error::SqlState;

use crate::month::Month;

/// Why something cannot be archived.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The URL cannot be read.
    #[error(
        "the archive's URL is not one of PostgreSQL; write it like postgres://USER:PASSWORD@HOST/DATABASE?sslmode=require"
    )]
    Url,
    /// The certificates of the system cannot be used.
    #[error("the certificates of this system cannot be used to check the database server's")]
    Certificates(#[source] tokio_rustls::rustls::Error),
    /// The server has no TLS.
    #[error(
        "the archive's database server has no TLS, without which its password could be read on the way; turn TLS on there \
         (`ssl = on`), or add ?sslmode=disable to [archive] url"
    )]
    NoTls,
    /// The server wants a password that the URL does not have, or refuses the user or the password.
    #[error(
        "the archive's database does not let this user in; check user and password in [archive] url, and the server's pg_hba.conf"
    )]
    Login(#[source] tokio_postgres::Error),
    /// The server cannot be reached, or refuses.
    #[error("the archive's database cannot be reached; check [archive] url, and that the server runs")]
    Connect(#[source] tokio_postgres::Error),
    /// The server cannot be reached, or does not answer.
    #[error("the archive's database does not answer; check [archive] url, and that the server runs")]
    Silent(#[source] std::io::Error),
    /// The server rejects a statement.
    #[error("the archive's database rejects a statement")]
    Database(#[from] tokio_postgres::Error),
    /// The schema cannot be brought up to date.
    #[error("the archive's schema cannot be brought up to date")]
    Schema(#[from] refinery::Error),
    /// The database is another pool's.
    #[error(
        "the database holds the history of the pool with consensus id {found}, and this is {expected}; use another database"
    )]
    OtherPool {
        /// Consensus id in the database.
        found: ShareId,
        /// Consensus id of what was to be loaded.
        expected: ShareId,
    },
    /// The database that is read is another pool's.
    #[error(
        "the archive is of the pool \"{pool}\" on the network {network} with consensus id {found}, and this is {expected}; set \
         network, pool and outputs, or another [archive] url"
    )]
    ReadOther {
        /// Consensus id in the database.
        found: ShareId,
        /// Name of its network.
        network: String,
        /// Name of its pool.
        pool: String,
        /// Consensus id of what is configured.
        expected: ShareId,
    },
    /// The schema is of another version of this program.
    #[error(
        "the archive's schema has version {found}, and this program reads version {known}; install the version of the loader, or let \
         a node of this version load first"
    )]
    Version {
        /// Version in the database.
        found: i64,
        /// Version of this program.
        known: i64,
    },
    /// The schema is of a newer version of this program.
    #[error(
        "the archive's schema has version {found}, and this program writes version {known}; install the version that brought the \
         schema up to date, or a newer one"
    )]
    Newer {
        /// Version in the database.
        found: i64,
        /// Version of this program.
        known: i64,
    },
    /// Nothing was loaded yet, or the user may not read. The server tells both in the same way.
    #[error(
        "the archive's database holds no history yet, or does not show it to this user; a node with [archive] url, or shoal archive \
         load, writes it, and `grant shoal_reader to USER` shows it"
    )]
    Empty,
    /// A connection failed a moment ago.
    #[error("the archive's database is away; try again in a moment")]
    Away,
    /// All connections are in use.
    #[error("the archive's database is too busy to answer now; try again in a moment")]
    Busy,
    /// A value does not fit its column.
    #[error("{what} does not fit the archive")]
    Range {
        /// Name of the value.
        what: &'static str,
    },
    /// A file cannot be read.
    #[error("the file {path} cannot be read", path = path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{path} cannot be written", path = path.display())]
    Write {
        /// Path of the file or folder.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// A Parquet file cannot be written.
    #[error("the Parquet file cannot be written")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A month of which the archive has nothing.
    #[error("the archive has nothing of {month}; it has {has}", has = range(has))]
    NoMonth {
        /// The month.
        month: Month,
        /// Its first and its last month.
        has: Option<(Month, Month)>,
    },
    /// A file is not a recording.
    #[error("{path} is not a recording that can be loaded", path = path.display())]
    Recording {
        /// Path of the file.
        path: PathBuf,
        /// Its problem.
        source: ReadError,
    },
    /// A recording without a valid proof.
    #[error(
        "{path} has nothing to load: none of its {lines} lines has a valid proof; `shoal verify` checks each line, and \
         `shoal export` on a node in sync writes a complete recording",
        path = path.display()
    )]
    NothingValid {
        /// Path of the file.
        path: PathBuf,
        /// Number of its lines.
        lines: u64,
    },
    /// A part of the program ended unexpectedly.
    #[error("the program stopped while loading")]
    Stopped,
    /// A PostgreSQL server of this program cannot be started.
    #[error("no PostgreSQL server could be started: {0}")]
    Server(String),
}

impl ArchiveError {
    /// The error for a failed login.
    pub(crate) fn of_login(error: tokio_postgres::Error) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let refusals = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
        match error.code() {
            Some(code) if refusals.contains(code) => Self::Login(error),
            None if cause == PASSWORD_MISSING => Self::Login(error),
            None if cause == TLS_MISSING => Self::NoTls,
            _ => Self::Connect(error),
        }
    }

    /// The error for a failed read of tables that migrations make.
    pub(crate) fn of_first_read(error: tokio_postgres::Error) -> Self {
        if error.code() == Some(&SqlState::UNDEFINED_TABLE) { Self::Empty } else { Self::Database(error) }
    }

    /// True if the same may succeed in a moment: the server went away, or restarts.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Away | Self::Busy => true,
            Self::Connect(error) | Self::Database(error) => is_away(error),
            Self::Silent(_) => true,
            Self::Schema(error) => {
                let cause = std::error::Error::source(error);
                cause.and_then(|cause| cause.downcast_ref::<tokio_postgres::Error>()).is_some_and(is_away)
            }
            _ => false,
        }
    }

    /// True if a row is there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        let Self::Database(error) = self else { return false };
        error.code() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// True if the server gave up a transaction because of another one.
    pub(crate) fn is_conflict(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let codes = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        error.code().is_some_and(|code| codes.contains(code))
    }
}

/// Texts of tokio-postgres for errors without a kind of their own. Tests check both.
const PASSWORD_MISSING: &str = "password missing";
const TLS_MISSING: &str = "server does not support TLS";

/// Names the first and the last month.
fn range(has: &Option<(Month, Month)>) -> String {
    has.map_or_else(|| "nothing at all".to_owned(), |(first, last)| format!("{first} to {last}"))
}

/// True if the connection is gone, or the server starts, stops or has no room. Other answers will not change.
fn is_away(error: &tokio_postgres::Error) -> bool {
    let states = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    error.code().is_none_or(|code| states.contains(code))
}
