//! `shoal db check`: reads every record, and compares base chunks with the proofs of their links.

use std::path::Path;

use node_core::engine::prune::base_id;
use node_core::journal::{Journal, RecordKind};
use rocksdb::IteratorMode;
use sharechain::base::{BaseCheck, Chunk};
use sharechain::{ChainParams, Proof};

use super::error::StoreError;
use super::layout::{BLOCKS, HISTORY, INDEX, JOURNAL, LINKS, META, NUMBERED, REFUSED, WINDOWS};
use super::store::Store;

/// What a check of the database found.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Checked {
    /// Number of records and rows that were read.
    pub records: u64,
    /// Number of deep links that were compared with their proofs.
    pub links: u64,
    /// What is wrong, at most [`FAULTS_MAX`]. Empty if the database is sound.
    pub faults: Vec<String>,
}

/// Maximum number of faults that a check tells. More of them say nothing new.
pub const FAULTS_MAX: usize = 20;

impl Checked {
    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

/// Checks the database at `path` while no node uses it. Changes nothing that it says.
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
    for family in [META, JOURNAL, BLOCKS, WINDOWS, REFUSED, INDEX, HISTORY, LINKS] {
        store.read_all(family, &mut checked);
    }
    store.check_bases(params, &mut checked);
    Ok(checked)
}

impl Store {
    /// Reads a whole family. RocksDB compares each block with its checksum, and records have checksums of their own.
    fn read_all(&self, family: &str, checked: &mut Checked) {
        let has_records = NUMBERED.contains(&family);
        if has_records {
            for entry in self.entries(family, IteratorMode::Start) {
                match entry {
                    Ok(_) => checked.records += 1,
                    Err(error) => checked.fault(format!("in `{family}`: {error}")),
                }
            }
            return;
        }
        for item in self.db.iterator_cf(self.family(family), IteratorMode::Start) {
            match item {
                Ok(_) => checked.records += 1,
                Err(error) => checked.fault(format!("in `{family}`: {}", self.explain(error))),
            }
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
