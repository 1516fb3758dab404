//! `shoal db check`: reads every record, and compares base chunks with the proofs of their links.

use std::path::Path;

use node_core::engine::prune::base_id;
use node_core::journal::{Journal, RecordKind};
use rocksdb::IteratorMode;
use sharechain::base::{BaseCheck, Chunk};
use sharechain::{ChainParams, Proof};

use super::error::StoreError;
use super::layout::{BASES, BLOCKS, HISTORY, INDEX, JOURNAL, LINKS, META, NUMBERED, REFUSED, WINDOWS};
use super::store::Store;

/// Result of a check of the database.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Checked {
    /// Number of records and rows that were read.
    pub records: u64,
    /// Number of deep links that were compared with their proofs.
    pub links: u64,
    /// Faults, at most [`FAULTS_MAX`]. Empty if the database is sound.
    pub faults: Vec<String>,
}

/// Maximum number of faults that a check reports. More would say nothing new.
pub const FAULTS_MAX: usize = 20;

/// The families besides the bases, in the order in which they are read.
const READ: [&str; 8] = [META, JOURNAL, BLOCKS, WINDOWS, REFUSED, INDEX, HISTORY, LINKS];

impl Checked {
    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

/// Checks the database at `path` while no node uses it. Does not change its content.
///
/// # Errors
/// The database cannot be opened; the error says what to do.
pub fn check(path: &Path, params: &ChainParams) -> Result<Checked, StoreError> {
    // Opening would create one.
    if !Store::inspect(path, params.consensus_id())? {
        return Err(StoreError::Absent { path: path.to_owned() });
    }
    let store = Store::open(path, params.consensus_id())?;
    let mut checked = Checked::default();
    for family in READ {
        store.read_all(family, |read| match read {
            Ok(()) => checked.records += 1,
            Err(error) => checked.fault(format!("in `{family}`: {error}")),
        });
    }
    store.check_bases(params, &mut checked);
    Ok(checked)
}

/// Reads the database at `path` without writing anything, while no node uses it. Returns the number of its records; none
/// if there is no database.
///
/// # Errors
/// It cannot be opened, or a record in it is damaged.
pub fn read_through(path: &Path, network_id: [u8; 32]) -> Result<Option<u64>, StoreError> {
    if !Store::inspect(path, network_id)? {
        return Ok(None);
    }
    let store = Store::open_read_only(path)?;
    let mut records = Ok(0);
    for family in READ.into_iter().chain([BASES]).filter(|family| store.has(family)) {
        store.read_all(family, |read| {
            records = std::mem::replace(&mut records, Ok(0)).and_then(|count: u64| read.map(|()| count + 1));
        });
    }
    records.map(Some)
}

impl Store {
    /// Reads a whole family. RocksDB compares each block with its checksum, and records have checksums of their own.
    fn read_all(&self, family: &str, note: impl FnMut(Result<(), StoreError>)) {
        if NUMBERED.contains(&family) {
            self.entries(family, IteratorMode::Start).map(|entry| entry.map(|_| ())).for_each(note);
        } else {
            let items = self.db.iterator_cf(self.family(family), IteratorMode::Start);
            items.map(|item| item.map(|_| ()).map_err(|error| self.explain(error))).for_each(note);
        }
    }

    fn check_bases(&self, params: &ChainParams, checked: &mut Checked) {
        let mut check = BaseCheck::new(params.clone());
        for record in self.bases() {
            let chunk = match record.map(|record| Chunk::decode(&record.bytes)) {
                Ok(Ok(chunk)) => chunk,
                Ok(Err(error)) => return checked.fault(format!("a base chunk: {error}")),
                Err(error) => return checked.fault(format!("a base chunk: {error}")),
            };
            if let Err(fault) = self.check_chunk(&chunk, &mut check, checked) {
                return checked.fault(fault);
            }
        }
    }

    fn check_chunk(&self, chunk: &Chunk, check: &mut BaseCheck, checked: &mut Checked) -> Result<(), String> {
        check.begin(chunk).map_err(|fault| fault.to_string())?;
        for link in &chunk.links {
            let bytes = self.get(RecordKind::Proof, &link.facts.id.0).map_err(|error| error.to_string())?;
            let proof = bytes.and_then(|bytes| Proof::decode(&bytes).ok());
            let proof = proof.ok_or_else(|| format!("the proof of link {} is missing", link.facts.id))?;
            check.link(link, proof).map_err(|fault| fault.to_string())?;
            checked.links += 1;
        }
        Ok(())
    }

    /// Number of the lowest base chunk that disagrees with the proofs of its links, or cannot be read.
    pub(super) fn first_bad_base(&self, params: &ChainParams) -> Option<[u8; 32]> {
        let mut check = BaseCheck::new(params.clone());
        let mut number = None;
        for record in self.bases() {
            let chunk = record.ok().and_then(|record| Chunk::decode(&record.bytes).ok());
            let sound = chunk.as_ref().is_some_and(|chunk| {
                number = Some(Chunk::number_of(chunk.start.height.child()));
                self.check_chunk(chunk, &mut check, &mut Checked::default()).is_ok()
            });
            if !sound {
                return Some(base_id(if chunk.is_some() { number? } else { number.map_or(0, |number| number + 1) }));
            }
        }
        None
    }
}
