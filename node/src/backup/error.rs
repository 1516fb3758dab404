//! Errors of backups. Each says what is wrong and what the operator can do.

use std::io;
use std::path::PathBuf;

/// Why a backup cannot be made or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder already exists.
    #[error("{0} already exists; name a new folder, so that no backup is overwritten")]
    Exists(PathBuf),
    /// The folder is not a backup.
    #[error("{0} has no folder `store`, so `shoal db backup` did not make it")]
    NoBackup(PathBuf),
    /// The data folder is in use.
    #[error("{0} has a database; move it away, or set another `data_dir`, so that nothing is overwritten")]
    NotEmpty(PathBuf),
    /// A file cannot be copied.
    #[error("{path} cannot be copied; check its permissions and the free space", path = path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// Cause from the system.
        source: io::Error,
    },
}
