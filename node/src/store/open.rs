//! Opens or creates a database, and inspects it before writing.
//!
//! A new database is created in a temporary folder and renamed when it is complete. So a folder with files but without
//! this program's keys is never an incomplete database. An existing database is first opened read-only: one of another
//! version or of another network stays unchanged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bitcoin::hex::DisplayHex;
use rocksdb::{DB, ErrorKind, Options, WriteOptions};

use super::error::StoreError;
use super::layout::{META, NETWORK_KEY, SCHEMA, SCHEMA_KEY, database_options, families};
use super::lock;

/// Opens the database at `path`, or creates it if nothing is there.
///
/// # Errors
/// See [`StoreError`]; the database is then unchanged.
pub(super) fn open(path: &Path, network_id: [u8; 32]) -> Result<DB, StoreError> {
    if !inspect(path, network_id)? {
        create(path, network_id)?;
    }
    let mut options = database_options();
    // Families that are newer than the database.
    options.create_missing_column_families(true);
    DB::open_cf_descriptors(&options, path, families()).map_err(|error| explain(path, error))
}

/// Opens those families of a database that it has, without writing.
///
/// # Errors
/// It cannot be read.
pub(super) fn read_only(path: &Path) -> Result<DB, StoreError> {
    let there = DB::list_cf(&Options::default(), path).map_err(|error| explain(path, error))?;
    let families = families().into_iter().filter(|family| there.iter().any(|name| name == family.name()));
    DB::open_cf_descriptors_read_only(&database_options(), path, families, false).map_err(|error| explain(path, error))
}

/// Inspects a database without writing. Returns whether there is one.
///
/// # Errors
/// See [`StoreError`].
pub(super) fn inspect(path: &Path, network_id: [u8; 32]) -> Result<bool, StoreError> {
    if is_vacant(path).map_err(|source| StoreError::Folder { path: path.to_owned(), source })? {
        return Ok(false);
    }
    // The file that RocksDB needs to read anything.
    if !path.join("CURRENT").exists() {
        let path = path.to_owned();
        return Err(if has_tables(&path) { StoreError::NoCurrent { path } } else { StoreError::NotADatabase { path } });
    }
    verify(path, network_id)?;
    if lock::is_held(path) {
        return Err(StoreError::Locked { path: path.to_owned() });
    }
    Ok(true)
}

/// True if a folder has files that only RocksDB writes.
fn has_tables(path: &Path) -> bool {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("MANIFEST-") || path.extension().is_some_and(|extension| extension == "sst")
    })
}

fn is_vacant(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn create(path: &Path, network_id: [u8; 32]) -> Result<(), StoreError> {
    let folder = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Folder { path, source }
    };
    let unfinished = unfinished(path);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(folder(&unfinished))?;
    }
    fs::create_dir_all(&unfinished).map_err(folder(&unfinished))?;
    let failed = |source| StoreError::Io { path: path.to_owned(), source };
    let mut options = database_options();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    let db = DB::open_cf_descriptors(&options, &unfinished, families()).map_err(failed)?;
    let meta = db.cf_handle(META).expect("it was just created");
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    db.put_cf_opt(meta, NETWORK_KEY, network_id, &synced).map_err(failed)?;
    db.put_cf_opt(meta, SCHEMA_KEY, SCHEMA.to_be_bytes(), &synced).map_err(failed)?;
    drop(db);
    fs::rename(&unfinished, path).map_err(folder(path))
}

/// Temporary folder of a new database, before it is renamed to `path`.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    PathBuf::from(name)
}

/// Checks schema and network of an existing database.
fn verify(path: &Path, network_id: [u8; 32]) -> Result<(), StoreError> {
    let not_ours = || StoreError::NotADatabase { path: path.to_owned() };
    let db = DB::open_cf_for_read_only(&Options::default(), path, [META], false).map_err(|error| {
        // RocksDB's message for a missing family: a database of another program.
        if error.as_ref().contains("olumn family") { not_ours() } else { explain(path, error) }
    })?;
    let meta = db.cf_handle(META).ok_or_else(not_ours)?;
    let read = |key| db.get_cf(meta, key).map_err(|error| explain(path, error));
    let (schema, network) = (read(SCHEMA_KEY)?, read(NETWORK_KEY)?);
    if schema.is_none() || network.is_none() {
        return Err(not_ours());
    }
    verify_owner(path, schema, network, network_id)
}

/// Checks the schema and network that a database states, if it states them.
pub(super) fn verify_owner(
    path: &Path,
    schema: Option<Vec<u8>>,
    network: Option<Vec<u8>>,
    network_id: [u8; 32],
) -> Result<(), StoreError> {
    let path = path.to_owned();
    if let Some(schema) = schema {
        match schema.try_into().map(u32::from_be_bytes) {
            Ok(SCHEMA) => {}
            Ok(found) if found > SCHEMA => return Err(StoreError::Newer { path, found, known: SCHEMA }),
            Ok(_) => return Err(StoreError::Older { path }),
            Err(_) => return Err(StoreError::NotADatabase { path }),
        }
    }
    match network {
        Some(network) if network != network_id => {
            let start = |id: &[u8]| id.iter().take(4).copied().collect::<Vec<u8>>().to_lower_hex_string();
            Err(StoreError::OtherNetwork { path, found: start(&network), expected: start(&network_id) })
        }
        _ => Ok(()),
    }
}

/// Classifies a failure of RocksDB.
pub(super) fn explain(path: &Path, source: rocksdb::Error) -> StoreError {
    let path = path.to_owned();
    let words = source.as_ref();
    if words.contains("LOCK") || words.contains("lock hold by current process") {
        return StoreError::Locked { path };
    }
    // RocksDB reports a listed but missing file as an I/O error.
    let missing = words.contains("No such file or directory");
    match source.kind() {
        ErrorKind::Corruption | ErrorKind::InvalidArgument | ErrorKind::NotFound => {
            StoreError::Corrupt { path, source }
        }
        _ if missing => StoreError::Corrupt { path, source },
        _ => StoreError::Io { path, source },
    }
}
