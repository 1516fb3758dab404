//! The store: append, lookup, replay.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use node_core::journal::{Forgotten, Journal, Record, RecordKind};
use rocksdb::{ColumnFamily, DB, Direction, IteratorMode, WriteBatch, WriteOptions};

use super::closing::Open;
use super::error::StoreError;
use super::layout::{self, BASES, BLOCKS, INDEX, JOURNAL, LINKS, META, NUMBERED, REFUSED};
use super::open;
use super::reading::Reading;
use super::record::{self, Entry};
use crate::limits::{RECORD_BYTES_MAX, REFUSALS_MAX};

/// The node's database. Safe to share between threads; calls block for as long as the disk does.
#[derive(Debug)]
pub struct Store {
    pub(super) db: DB,
    path: PathBuf,
    refusals_max: usize,
    pub(super) writer: Mutex<Writer>,
    /// Sequence number before which the journal has no record. Without it, each search for the oldest record would pass
    /// over all that were removed since RocksDB's last compaction.
    pub(super) journal_from: AtomicU64,
    /// The engine's progress in reading it since it was opened.
    read: Reading,
    /// The last field, so that the database is closed by the time it goes.
    _open: Open,
}

/// State that the next write depends on.
#[derive(Debug)]
pub(super) struct Writer {
    next_sequence: u64,
    /// Bytes of the values of all windows.
    pub(super) windows_bytes: u64,
    /// Sequence numbers of the kept rejections, oldest first.
    refusals: VecDeque<u64>,
}

impl Store {
    /// Opens the database at `path`, or creates it if nothing is there.
    ///
    /// `network_id` is the consensus id of the share-chain. A database belongs to one share-chain forever.
    ///
    /// # Errors
    /// See [`StoreError`]; the database is then unchanged.
    pub fn open(path: &Path, network_id: [u8; 32]) -> Result<Self, StoreError> {
        Self::open_with(path, network_id, REFUSALS_MAX)
    }

    /// Inspects the database at `path` without changing it or disturbing a process that uses it. Returns whether there
    /// is one.
    ///
    /// # Errors
    /// The errors of [`Self::open`]. A database in use is detected on Linux only.
    pub fn inspect(path: &Path, network_id: [u8; 32]) -> Result<bool, StoreError> {
        open::inspect(path, network_id)
    }

    pub(super) fn open_with(path: &Path, network_id: [u8; 32], refusals_max: usize) -> Result<Self, StoreError> {
        let store = Self::over(open::open(path, network_id)?, path, refusals_max);
        let writer = Writer {
            next_sequence: store.newest_sequence()? + 1,
            windows_bytes: store.stored_windows_bytes()?,
            refusals: store.sequences(REFUSED)?,
        };
        *store.writer.lock().unwrap_or_else(PoisonError::into_inner) = writer;
        Ok(store)
    }

    /// Opens a database to read those families that it has.
    pub(super) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::over(open::read_only(path)?, path, REFUSALS_MAX))
    }

    fn over(db: DB, path: &Path, refusals_max: usize) -> Self {
        let writer = Mutex::new(Writer { next_sequence: 1, windows_bytes: 0, refusals: VecDeque::new() });
        let (journal_from, read) = (AtomicU64::new(0), Reading::default());
        Self { db, path: path.to_owned(), refusals_max, writer, journal_from, read, _open: Open::new() }
    }

    /// Writes all records or none, in order; see the module documentation for durability.
    ///
    /// A record whose kind and id already exist is written again, and lookups return the newer one. Returns the
    /// sequence number of the first record that got one, or the next free one if none did: [`RecordKind::Meta`] and
    /// [`RecordKind::Base`] have none.
    ///
    /// # Errors
    /// A record is too large, or the disk rejects the write.
    pub fn append(&self, batch: &[Record]) -> Result<u64, StoreError> {
        // `Writer` changes only after the write succeeded, so a panic leaves it consistent.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let first = writer.next_sequence;
        let mut next = first;
        let mut refusals = Vec::new();
        let mut windows_bytes = writer.windows_bytes;
        let mut changes = WriteBatch::default();
        for record in batch {
            let size_bytes = record.bytes.len();
            if size_bytes > RECORD_BYTES_MAX {
                let limit_bytes = RECORD_BYTES_MAX;
                return Err(StoreError::RecordTooLarge { size_bytes, limit_bytes });
            }
            let family = self.family(layout::family(record.kind));
            if let Some(key) = layout::own_key(record.kind, &record.id) {
                changes.put_cf(family, key, record::encode(record, 0));
                continue;
            }
            let value = record::encode(record, next);
            windows_bytes += windows_bytes_of(record, &value);
            changes.put_cf(family, next.to_be_bytes(), value);
            let key = layout::index_key(record.kind, &record.id);
            changes.put_cf(self.family(INDEX), key, next.to_be_bytes());
            if record.kind == RecordKind::Refusal {
                refusals.push((next, record.id));
            }
            next += 1;
        }
        let forgotten = self.forget_refusals(&writer.refusals, &refusals, &mut changes)?;
        if windows_bytes != writer.windows_bytes {
            self.put_windows_bytes(windows_bytes, &mut changes);
        }
        self.write(changes, batch)?;
        writer.next_sequence = next;
        writer.windows_bytes = windows_bytes;
        writer.refusals.extend(refusals.iter().map(|(sequence, _)| sequence));
        writer.refusals.drain(..forgotten);
        Ok(first)
    }

    fn write(&self, changes: WriteBatch, batch: &[Record]) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        let precious = |record: &Record| {
            matches!(record.kind, RecordKind::Block | RecordKind::Window | RecordKind::Meta | RecordKind::Base)
        };
        options.set_sync(batch.iter().any(precious));
        self.db.write_opt(changes, &options).map_err(|error| self.explain(error))
    }

    /// Adds the removal of the oldest rejections beyond the limit to `changes`. Returns their number.
    fn forget_refusals(
        &self,
        kept: &VecDeque<u64>,
        added: &[(u64, [u8; 32])],
        changes: &mut WriteBatch,
    ) -> Result<usize, StoreError> {
        let surplus = (kept.len() + added.len()).saturating_sub(self.refusals_max);
        for sequence in kept.iter().take(surplus) {
            let Some(entry) = self.read(REFUSED, *sequence)? else { continue };
            let key = layout::index_key(RecordKind::Refusal, &entry.record.id);
            // The same share may have been rejected again since.
            let again = added.iter().any(|(_, id)| *id == entry.record.id);
            if !again && self.indexed(&key)? == Some(*sequence) {
                changes.delete_cf(self.family(INDEX), key);
            }
            changes.delete_cf(self.family(REFUSED), sequence.to_be_bytes());
        }
        // A batch with more rejections than the limit keeps its own first ones until the next batch.
        Ok(surplus.min(kept.len()))
    }

    /// Looks up the newest record with this kind and id.
    ///
    /// # Errors
    /// The disk cannot be read, or the record is damaged.
    pub fn get(&self, kind: RecordKind, id: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let record = match kind {
            RecordKind::Meta => {
                let value = self.db.get_pinned_cf(self.family(META), layout::meta_key(id));
                let value = value.map_err(|error| self.explain(error))?;
                value.map(|value| self.decode(0, &value)).transpose()?
            }
            RecordKind::Base => self.read_at(BASES, &layout::base_key(id))?,
            RecordKind::Proof => match self.indexed(&layout::index_key(kind, id))? {
                None => self.read_at(LINKS, id)?,
                Some(sequence) => self.read(JOURNAL, sequence)?,
            },
            _ => match self.indexed(&layout::index_key(kind, id))? {
                None => None,
                Some(sequence) => self.read(layout::family(kind), sequence)?,
            },
        };
        Ok(record.map(|entry| entry.record.bytes))
    }

    /// Returns whether there is a record with this kind and id.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn contains(&self, kind: RecordKind, id: &[u8; 32]) -> Result<bool, StoreError> {
        match kind {
            RecordKind::Meta | RecordKind::Base | RecordKind::Proof => Ok(self.get(kind, id)?.is_some()),
            _ => Ok(self.indexed(&layout::index_key(kind, id))?.is_some()),
        }
    }

    /// Replays proofs, lists and Bitcoin headers from sequence number `from` on, as they were written.
    pub fn journal(&self, from: u64) -> impl Iterator<Item = Result<Entry, StoreError>> + '_ {
        let start = from.to_be_bytes();
        self.entries(JOURNAL, IteratorMode::From(&start, Direction::Forward))
    }

    /// The pool's Bitcoin blocks from sequence number `from` down, newest first.
    pub fn blocks_down(&self, from: u64) -> impl Iterator<Item = Result<Entry, StoreError>> + '_ {
        let start = from.to_be_bytes();
        self.entries(BLOCKS, IteratorMode::From(&start, Direction::Reverse))
    }

    /// The newest base chunk, encoded.
    ///
    /// # Errors
    /// The disk cannot be read, or the record is damaged.
    pub fn newest_base(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let newest = self.db.iterator_cf(self.family(BASES), IteratorMode::End).next();
        let Some(item) = newest else { return Ok(None) };
        let (_, value) = item.map_err(|error| self.explain(error))?;
        Ok(Some(self.decode(0, &value)?.record.bytes))
    }

    /// The kept rejections, newest first.
    pub fn refusals(&self) -> impl Iterator<Item = Result<Entry, StoreError>> + '_ {
        self.entries(REFUSED, IteratorMode::End)
    }

    /// Bytes that the engine has read since the store was opened, and the part of the journal that it has read, 0 to 1.
    pub fn read_so_far(&self) -> (u64, f64) {
        self.read.so_far(self.next_sequence())
    }

    /// The sequence number of the next record.
    pub fn next_sequence(&self) -> u64 {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).next_sequence
    }

    /// Forces everything written so far to the disk.
    ///
    /// # Errors
    /// The disk rejects the write.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.db.flush_wal(true).map_err(|error| self.explain(error))
    }

    pub(super) fn entries<'a>(
        &'a self,
        family: &str,
        mode: IteratorMode<'_>,
    ) -> impl Iterator<Item = Result<Entry, StoreError>> + use<'a> {
        self.db.iterator_cf(self.family(family), mode).map(|item| {
            let (key, value) = item.map_err(|error| self.explain(error))?;
            self.decode(layout::sequence_of(&key).unwrap_or(u64::MAX), &value)
        })
    }

    pub(super) fn read(&self, family: &str, sequence: u64) -> Result<Option<Entry>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(family), sequence.to_be_bytes());
        let value = value.map_err(|error| self.explain(error))?;
        value.map(|value| self.decode(sequence, &value)).transpose()
    }

    /// A record under a key of its own.
    fn read_at(&self, family: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(family), key).map_err(|error| self.explain(error))?;
        value.map(|value| self.decode(0, &value)).transpose()
    }

    pub(super) fn indexed(&self, key: &[u8; 33]) -> Result<Option<u64>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(INDEX), key);
        let value = value.map_err(|error| self.explain(error))?;
        Ok(value.and_then(|value| layout::sequence_of(&value)))
    }

    /// Writes records under the sequence numbers that they had in another database.
    ///
    /// # Errors
    /// The disk rejects the write.
    pub(super) fn restore(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut windows_bytes = writer.windows_bytes;
        let mut changes = WriteBatch::default();
        for Entry { sequence, record } in entries {
            let family = self.family(layout::family(record.kind));
            let value = record::encode(record, *sequence);
            windows_bytes += windows_bytes_of(record, &value);
            if let Some(key) = layout::own_key(record.kind, &record.id) {
                changes.put_cf(family, key, value);
                continue;
            }
            changes.put_cf(family, sequence.to_be_bytes(), value);
            changes.put_cf(self.family(INDEX), layout::index_key(record.kind, &record.id), sequence.to_be_bytes());
        }
        self.put_windows_bytes(windows_bytes, &mut changes);
        self.db.write(changes).map_err(|error| self.explain(error))?;
        writer.windows_bytes = windows_bytes;
        Ok(())
    }

    /// Makes later records have higher sequence numbers than this.
    ///
    /// # Errors
    /// The disk rejects the write.
    pub(super) fn set_sequence_floor(&self, floor: u64) -> Result<(), StoreError> {
        let written = self.db.put_cf(self.family(META), layout::FLOOR_KEY, floor.to_be_bytes());
        written.map_err(|error| self.explain(error))
    }

    fn newest_sequence(&self) -> Result<u64, StoreError> {
        let floor = self.db.get_cf(self.family(META), layout::FLOOR_KEY).map_err(|error| self.explain(error))?;
        let mut newest = floor.and_then(|bytes| layout::sequence_of(&bytes)).unwrap_or(0);
        for family in NUMBERED {
            if let Some(entry) = self.entries(family, IteratorMode::End).next() {
                newest = newest.max(entry?.sequence);
            }
        }
        Ok(newest)
    }

    fn sequences(&self, family: &str) -> Result<VecDeque<u64>, StoreError> {
        self.entries(family, IteratorMode::Start).map(|entry| Ok(entry?.sequence)).collect()
    }

    fn decode(&self, sequence: u64, value: &[u8]) -> Result<Entry, StoreError> {
        let record = record::decode(sequence, value)
            .ok_or_else(|| StoreError::CorruptRecord { path: self.path.clone(), sequence })?;
        Ok(Entry { sequence, record })
    }

    /// True if the database has a family; one that is open for writing has all of them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.db.cf_handle(name).is_some()
    }

    pub(super) fn family(&self, name: &str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("every family is opened with the database")
    }

    pub(super) fn explain(&self, error: rocksdb::Error) -> StoreError {
        open::explain(&self.path, error)
    }
}

/// Bytes that a value adds to those of all windows.
fn windows_bytes_of(record: &Record, value: &[u8]) -> u64 {
    if record.kind == RecordKind::Window { value.len() as u64 } else { 0 }
}

impl Journal for Store {
    type Error = StoreError;

    fn append(&self, batch: &[Record]) -> Result<(), StoreError> {
        Self::append(self, batch).map(|_| ())
    }

    fn get(&self, kind: RecordKind, id: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        Self::get(self, kind, id)
    }

    fn replay_from(&self, first: Option<&[u8; 32]>) -> impl Iterator<Item = Result<Record, StoreError>> + '_ {
        let indexed = first.map(|id| self.indexed(&layout::index_key(RecordKind::Proof, id)));
        let (from, failed) = match indexed.transpose() {
            Ok(sequence) => (sequence.flatten().unwrap_or(0), None),
            Err(error) => (u64::MAX, Some(Err(error))),
        };
        let entries = self.journal(from).inspect(|entry| entry.iter().for_each(|entry| self.read.note(entry)));
        failed.into_iter().chain(entries.map(|entry| entry.map(|entry| entry.record)))
    }

    fn headers(&self) -> Result<Vec<Record>, StoreError> {
        self.bitcoin_headers()
    }

    fn bases(&self) -> impl Iterator<Item = Result<Record, StoreError>> + '_ {
        self.db.iterator_cf(self.family(BASES), IteratorMode::Start).map(|item| {
            let (_, value) = item.map_err(|error| self.explain(error))?;
            let entry = self.decode(0, &value)?;
            self.read.note(&entry);
            Ok(entry.record)
        })
    }

    fn oldest(&self) -> impl Iterator<Item = Result<(u64, Record), StoreError>> + '_ {
        self.journal(self.journal_from.load(Ordering::Relaxed))
            .map(|entry| entry.map(|entry| (entry.sequence, entry.record)))
    }

    fn forget(&self, forgotten: &Forgotten) -> Result<(), StoreError> {
        Self::forget(self, forgotten)
    }
}
