//! `shoal db repair`: copies sound records into a new database, which replaces the damaged one.
//!
//! The journal is cut at its first damaged record; peers still have what came after. Records keep their sequence numbers,
//! so that the rows of the history still fit, and the index is rebuilt from them. The damaged folder stays beside the new
//! one.

use std::fs;
use std::path::{Path, PathBuf};

use node_core::journal::Journal;
use rocksdb::{DB, DBRecoveryMode, IteratorMode, Options};
use sharechain::ChainParams;

use super::error::StoreError;
use super::layout::{
    self, BASES, BLOCKS, FAMILIES, HISTORY, JOURNAL, LINKS, META, NETWORK_KEY, NUMBERED, REFUSED, SCHEMA_KEY, WINDOWS,
};
use super::record::{self, Entry};
use super::store::Store;
use super::{lock, open};

/// Records that are copied in one write.
const BATCH: usize = 1_000;

/// Bytes of records after which they are written even if they are fewer.
const BATCH_BYTES: usize = 8 << 20;

/// Sequence numbers that are skipped after a repair, since the last ones may be those that cannot be read.
const REUSE_GAP: u64 = 1_000_000;

/// Result of a repair.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Repaired {
    /// Number of records that were copied.
    pub copied: u64,
    /// True if the journal was cut: a record was damaged.
    pub cut: bool,
    /// Number of records outside the journal that could not be read.
    pub lost: u64,
    /// Number of base chunks that were dropped.
    pub bases_dropped: u64,
    /// Where the damaged database is now.
    pub damaged: PathBuf,
}

/// Repairs the database at `path` while no node uses it.
///
/// # Errors
/// Nothing there can be read, or the disk rejects the new database. The damaged one is then unchanged.
pub fn repair(path: &Path, params: &ChainParams) -> Result<Repaired, StoreError> {
    if lock::is_held(path) {
        return Err(StoreError::Locked { path: path.to_owned() });
    }
    if !path.exists() {
        return Err(StoreError::Absent { path: path.to_owned() });
    }
    let failed = |source| StoreError::Folder { path: path.to_owned(), source };
    let (salvaged, fresh) = (beside(path, "salvaged"), beside(path, "repaired"));
    for folder in [&salvaged, &fresh] {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(failed)?;
        }
    }
    // RocksDB's own repair rewrites files, so it works on a copy.
    copy_folder(path, &salvaged).map_err(failed)?;
    let old = open_damaged(&salvaged)?;
    if let Some(family) = old.cf_handle(META) {
        let read = |key| old.get_cf(family, key).ok().flatten();
        open::verify_owner(path, read(SCHEMA_KEY), read(NETWORK_KEY), params.consensus_id())?;
    }
    let new = Store::open(&fresh, params.consensus_id())?;
    let mut repaired = copy(&old, &new)?;
    drop(old);
    repaired.bases_dropped = drop_bad_bases(&new, params)?;
    new.flush()?;
    drop(new);
    repaired.damaged = free_name(path);
    fs::rename(path, &repaired.damaged).map_err(failed)?;
    fs::rename(&fresh, path).map_err(failed)?;
    fs::remove_dir_all(&salvaged).map_err(failed)?;
    Ok(repaired)
}

pub(super) fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    PathBuf::from(name)
}

/// An unused name beside the database.
fn free_name(path: &Path) -> PathBuf {
    let numbered = (1_u32..).map(|number| beside(path, &format!("damaged-{number}")));
    numbered.into_iter().find(|name| !name.exists()).unwrap_or_else(|| beside(path, "damaged"))
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name() != "LOCK" {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Opens a damaged database as far as it can be read.
fn open_damaged(path: &Path) -> Result<DB, StoreError> {
    let mut options = Options::default();
    options.set_paranoid_checks(false);
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.create_missing_column_families(true);
    let open = |options: &Options| DB::open_cf(options, path, FAMILIES);
    open(&options)
        .or_else(|_| {
            // The files that list the others are missing: RocksDB finds the others again.
            DB::repair(&options, path)?;
            open(&options)
        })
        .map_err(|error| open::explain(path, error))
}

/// Records of a family, each with its sequence number: 0 where it has none. `None` for one that cannot be read.
fn records<'a>(old: &'a DB, family: &str) -> impl Iterator<Item = Option<Entry>> + use<'a> {
    let numbered = NUMBERED.contains(&family);
    let items = old.cf_handle(family).map(|family| old.iterator_cf(family, IteratorMode::Start));
    items.into_iter().flatten().map(move |item| {
        let (key, value) = item.ok()?;
        let sequence = if numbered { layout::sequence_of(&key)? } else { 0 };
        Some(Entry { sequence, record: record::decode(sequence, &value)? })
    })
}

/// Records not yet written to the new database.
struct Copy<'a> {
    new: &'a Store,
    batch: Vec<Entry>,
    batch_bytes: usize,
    repaired: Repaired,
    newest: u64,
}

impl Copy<'_> {
    fn add(&mut self, entry: Entry) -> Result<(), StoreError> {
        self.newest = self.newest.max(entry.sequence);
        self.repaired.copied += 1;
        self.batch_bytes += entry.record.bytes.len();
        self.batch.push(entry);
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.batch_bytes = 0;
        self.new.restore(&std::mem::take(&mut self.batch))
    }
}

/// Copies everything that can be read, and counts the rest.
pub(super) fn copy(old: &DB, new: &Store) -> Result<Repaired, StoreError> {
    let mut copy = Copy { new, batch: Vec::new(), batch_bytes: 0, repaired: Repaired::default(), newest: 0 };
    for family in [META, BLOCKS, WINDOWS, REFUSED, BASES] {
        for entry in records(old, family) {
            match entry {
                Some(entry) => copy.add(entry)?,
                // The rows of `meta` that identify the database are not records.
                None if family == META => {}
                None => copy.repaired.lost += 1,
            }
        }
    }
    for entry in records(old, JOURNAL) {
        match entry {
            Some(entry) => copy.add(entry)?,
            None => {
                copy.repaired.cut = true;
                break;
            }
        }
    }
    copy.write()?;
    for entry in records(old, LINKS) {
        match entry {
            Some(entry) => new.keep_proof(&entry.record)?,
            None => copy.repaired.lost += 1,
        }
    }
    copy_history(old, new)?;
    // Numbers of cut records are not reused: rows of the history name records by number.
    let last = old.cf_handle(JOURNAL).and_then(|family| old.iterator_cf(family, IteratorMode::End).next());
    let last = last.and_then(Result::ok).and_then(|(key, _)| layout::sequence_of(&key));
    new.set_sequence_floor(last.unwrap_or(0).max(copy.newest).saturating_add(REUSE_GAP))?;
    Ok(copy.repaired)
}

/// Copies the rows of the history that can be read.
fn copy_history(old: &DB, new: &Store) -> Result<(), StoreError> {
    let Some(family) = old.cf_handle(HISTORY) else { return Ok(()) };
    let mut batch = Vec::new();
    for (key, value) in old.iterator_cf(family, IteratorMode::Start).map_while(Result::ok) {
        batch.push((key.into_vec(), value.into_vec()));
        if batch.len() >= BATCH {
            new.write_history(&std::mem::take(&mut batch), &[])?;
        }
    }
    new.write_history(&batch, &[])
}

/// Drops the first base chunk that its own proofs contradict, and all above it: the node fetches those links again.
fn drop_bad_bases(new: &Store, params: &ChainParams) -> Result<u64, StoreError> {
    let Some(bad) = new.first_bad_base(params) else { return Ok(0) };
    let number = |id: &[u8; 32]| layout::base_key(id);
    let ids: Vec<[u8; 32]> = new.bases().filter_map(|record| Some(record.ok()?.id)).collect();
    let bases: Vec<_> = ids.into_iter().filter(|id| number(id) >= number(&bad)).collect();
    let dropped = u64::try_from(bases.len()).unwrap_or(u64::MAX);
    new.forget(&node_core::journal::Forgotten { bases, ..Default::default() })?;
    Ok(dropped)
}
