//! `shoal db backup`: a copy of the database, also while a node uses it.
//!
//! RocksDB lets a second process read a consistent snapshot of a database. Its records are checked and written into a
//! new database one by one, so damage is not copied.

use std::fs;
use std::path::Path;

use rocksdb::DB;
use sharechain::ChainParams;

use super::error::StoreError;
use super::layout::{database_options, families};
use super::repair::{beside, copy};
use super::store::Store;
use super::{lock, open};

/// Copies the database at `path` to `to`, which must not exist. Calls `beside_it` before the copy appears there, so that no
/// copy lacks what belongs to it. Returns the number of records.
///
/// # Errors
/// There is no database, a record in it is damaged, the copy cannot be written, or `beside_it` fails. `to` then does not exist.
pub fn backup<E: From<StoreError>>(
    path: &Path,
    to: &Path,
    params: &ChainParams,
    beside_it: impl FnOnce() -> Result<(), E>,
) -> Result<u64, E> {
    let is_used = lock::is_held(path);
    if !is_used && !Store::inspect(path, params.consensus_id())? {
        return Err(StoreError::Absent { path: path.to_owned() }.into());
    }
    let (unfinished, notes) = (beside(to, "unfinished"), beside(to, "notes"));
    let clean = || {
        for folder in [&unfinished, &notes] {
            // The next use of the folder reports an error.
            let _ = fs::remove_dir_all(folder);
        }
    };
    clean();
    let old = if is_used { of_running(path, &notes)? } else { open::read_only(path)? };
    let new = Store::open(&unfinished, params.consensus_id())?;
    let copied = copy(&old, &new)?;
    new.flush()?;
    drop((old, new));
    if copied.cut || copied.lost > 0 {
        clean();
        return Err(StoreError::Unsound { path: path.to_owned() }.into());
    }
    beside_it().inspect_err(|_| clean())?;
    let failed = |source| StoreError::Folder { path: to.to_owned(), source };
    fs::rename(&unfinished, to).map_err(failed)?;
    clean();
    Ok(copied.copied)
}

/// Opens a database that another process writes, as it is now. RocksDB puts its log into `notes`.
fn of_running(path: &Path, notes: &Path) -> Result<DB, StoreError> {
    let mut options = database_options();
    // The other process may remove a file that is not open.
    options.set_max_open_files(-1);
    DB::open_cf_descriptors_as_secondary(&options, path, notes, families()).map_err(|error| open::explain(path, error))
}
