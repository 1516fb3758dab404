//! `shoal db backup` and `restore`: everything that a node needs to continue, in one folder.
//!
//! ```text
//! error.rs   why there is no backup, or none is restored
//! ```

pub(crate) mod error;

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::config::Config;
use crate::error::NodeError;
use crate::store;
use error::BackupError;

/// Name of the database in a backup.
const STORE: &str = "store";

/// Copies the database and the other files of the data folder to a new folder, also while the node runs.
///
/// # Errors
/// See [`BackupError`] and [`store::backup`].
pub(crate) fn backup(config: &Config, folder: &Path) -> Result<(), NodeError> {
    if folder.exists() {
        return Err(BackupError::Exists(folder.to_owned()).into());
    }
    private_folder(folder)?;
    let (records, files) = fill(config, folder).inspect_err(|_| {
        // An incomplete backup is useless, and would block the next one. If removal fails, creating the folder will say
        // so.
        let _ = fs::remove_dir_all(folder);
    })?;
    let shown = folder.display();
    let mut out = io::stdout();
    writeln!(out, "{records} records and {} files are in {shown}: {}", files.len(), files.join(", "))?;
    writeln!(out, "The node's secret key is among them, so keep it as safe as the node itself.")?;
    Ok(())
}

/// Copies a backup to the data folder.
///
/// # Errors
/// See [`BackupError`]; also if the backup is damaged, or of another share-chain. The data folder then has no database.
pub(crate) fn restore(config: &Config, folder: &Path) -> Result<(), NodeError> {
    let from = folder.join(STORE);
    if !from.is_dir() {
        return Err(BackupError::NoBackup(folder.to_owned()).into());
    }
    if config.store_path().exists() {
        return Err(BackupError::NotEmpty(config.data_dir.clone()).into());
    }
    let folder_error = |source| NodeError::DataDir { path: config.data_dir.clone(), source };
    fs::create_dir_all(&config.data_dir).map_err(folder_error)?;
    let mut files = Vec::new();
    let records = store::backup(&from, &config.store_path(), &config.chain_params(), || {
        // A link in a foreign backup could lead to a file of this machine.
        files = copy_files(folder, &config.data_dir, |path| !path.is_symlink())?;
        Ok::<_, NodeError>(())
    })?;
    let mut out = io::stdout();
    let shown = config.data_dir.display();
    writeln!(out, "{records} records and {} files are restored to {shown}: {}", files.len(), files.join(", "))?;
    writeln!(out, "Never start the original node again: two nodes with one key push each other out.")?;
    Ok(())
}

/// Copies the database and the other files. Returns the number of records and the names of the files.
fn fill(config: &Config, folder: &Path) -> Result<(u64, Vec<String>), NodeError> {
    let mut files = Vec::new();
    let records = store::backup(&config.store_path(), &folder.join(STORE), &config.chain_params(), || {
        files = copy_files(&config.data_dir, folder, |_| true)?;
        Ok::<_, NodeError>(())
    })?;
    Ok((records, files))
}

fn private_folder(folder: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Copy { path: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)
}

/// Copies the files of a folder, except folders, temporary files, and those that `take` rejects. Returns their names.
fn copy_files(from: &Path, to: &Path, take: impl Fn(&Path) -> bool) -> Result<Vec<String>, BackupError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Copy { path, source }
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let path = entry.map_err(failed(from))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        let is_unfinished = path.extension().is_some_and(|extension| extension == "unfinished");
        if path.is_file() && !is_unfinished && take(&path) {
            copy_for_owner(&path, &to.join(&name)).map_err(failed(&path))?;
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Copies a file so that only its owner can read it, whatever its mode: the backup's disk may have no file modes.
fn copy_for_owner(from: &Path, to: &Path) -> io::Result<()> {
    const OWNER: u32 = 0o600;
    let mut copy = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER).open(to)?;
    // The file may have existed.
    copy.set_permissions(Permissions::from_mode(OWNER))?;
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.sync_all()
}

#[cfg(test)]
mod tests;
