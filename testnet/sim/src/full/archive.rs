//! The records of all simulated disks, each stored once. A hundred nodes store the same proofs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use node_core::journal::{Record, RecordKind};

/// A record's index in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordIndex(u32);

impl RecordIndex {
    /// Returns the index, counted from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// All records that any disk has stored, each once.
#[derive(Debug, Default)]
pub struct Archive {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    contents: Vec<Content>,
    /// The newest version for each kind and id. It points to the older ones. The map is only looked up, never iterated.
    newest: HashMap<(u8, [u8; 32]), RecordIndex>,
}

#[derive(Debug)]
struct Content {
    kind: RecordKind,
    id: [u8; 32],
    bytes: Box<[u8]>,
    /// The previous version with the same kind and id, such as a proof whose extranonce was altered in transit.
    older: Option<RecordIndex>,
}

impl Archive {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A world runs on one thread, so no change is left half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the index of a record. Adds the record if no disk has it yet.
    pub fn intern(&self, record: &Record) -> RecordIndex {
        let mut kept = self.kept();
        let key = (record.kind as u8, record.id);
        let newest = kept.newest.get(&key).copied();
        let mut at = newest;
        while let Some(place) = at {
            let content = &kept.contents[place.index()];
            if *content.bytes == *record.bytes {
                return place;
            }
            at = content.older;
        }
        let place = RecordIndex(u32::try_from(kept.contents.len()).expect("a world writes fewer than 2^32 records"));
        kept.newest.insert(key, place);
        let bytes = record.bytes.clone().into_boxed_slice();
        kept.contents.push(Content { kind: record.kind, id: record.id, bytes, older: newest });
        place
    }

    /// Returns the newest version of a record for which `has` returns true.
    pub fn find(&self, kind: RecordKind, id: &[u8; 32], has: impl Fn(RecordIndex) -> bool) -> Option<Vec<u8>> {
        let kept = self.kept();
        let mut at = kept.newest.get(&(kind as u8, *id)).copied();
        while let Some(place) = at {
            let content = &kept.contents[place.index()];
            if has(place) {
                return Some(content.bytes.to_vec());
            }
            at = content.older;
        }
        None
    }

    /// Returns the record at an index.
    #[must_use]
    pub fn record(&self, place: RecordIndex) -> Record {
        let kept = self.kept();
        let Content { kind, id, bytes, .. } = &kept.contents[place.index()];
        Record { kind: *kind, id: *id, bytes: bytes.to_vec() }
    }

    /// Returns the bytes of all records.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.kept().contents.iter().map(|content| content.bytes.len()).sum()
    }
}
