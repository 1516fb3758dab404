//! Forgets what the journal no longer needs, in a bounded step at each tick.
//!
//! A deep link moves to a base chunk, from which the node starts. Its proof stays as long as newcomers may request it.
//! Other proofs and the lists are dropped a day after this node last needs them, since newcomers fetch them while the
//! chain grows.

use sharechain::base::Chunk;
use sharechain::limits::MEMORY_DEPTH;
use sharechain::{Height, Proof, ShareId};
use tracing::{debug, warn};

use super::Engine;
use crate::journal::{Forgotten, Journal, Record, RecordKind};
use crate::limits::{FORGET_RECORDS, KEEP_LINKS};

/// The data that a node keeps on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The data that payouts, newcomers, and a restart need.
    #[default]
    Window,
    /// The whole share-chain.
    All,
}

/// Id of the record of a base chunk.
#[must_use]
pub fn base_id(number: u32) -> [u8; 32] {
    let mut id = [0; 32];
    for (to, byte) in id.iter_mut().zip(number.to_le_bytes()) {
        *to = byte;
    }
    id
}

impl<J: Journal> Engine<J> {
    /// Takes one step: writes a base chunk that is complete, and forgets what is no longer needed.
    pub(super) fn forget(&mut self) {
        if let Some(chunk) = self.chain.base_chunk(self.next_base) {
            let bytes = chunk.encode();
            debug!(number = self.next_base, bytes = bytes.len(), "deep links were written to a base chunk");
            self.append(&[Record { kind: RecordKind::Base, id: base_id(self.next_base), bytes }]);
            self.lowest_base = self.lowest_base.or(Some(self.next_base));
            self.next_base = self.next_base.saturating_add(1);
        }
        if self.keep == Keep::Window && self.fatal.is_none() {
            let step = self.forget_records().and_then(|()| self.forget_chunk()).and_then(|()| self.forget_windows());
            if let Err(error) = step {
                self.fatal = Some(error);
            }
        }
    }

    /// Forgets the oldest records of the journal that nothing needs anymore.
    fn forget_records(&mut self) -> Result<(), J::Error> {
        let tip = self.chain.height();
        // Forget nothing until a base chunk holds what a restart needs of it.
        let in_base = Chunk::heights(self.next_base).map_or(Height(0), |(first, _)| first.below(1));
        let bound = tip.below(KEEP_LINKS).min(in_base.below(MEMORY_DEPTH));
        if bound == Height(0) || self.forgotten_at == tip {
            return Ok(());
        }
        let mut forgotten = Forgotten::default();
        for oldest in self.store.oldest().take(FORGET_RECORDS) {
            let (sequence, record) = oldest?;
            if self.height_of(&record).is_some_and(|height| height > bound) {
                self.forgotten_at = tip;
                break;
            }
            forgotten.through = Some(sequence);
            if record.kind == RecordKind::Proof && self.is_shown(&ShareId(record.id)) {
                forgotten.kept.push(record.id);
            }
        }
        if forgotten.through.is_some() { self.store.forget(&forgotten) } else { Ok(()) }
    }

    /// Height of a proof, or of the link that a list belongs to. `None` if it is so old that its height is no longer
    /// known.
    fn height_of(&self, record: &Record) -> Option<Height> {
        let id = match record.kind {
            RecordKind::Proof => match Proof::decode(&record.bytes) {
                Ok(proof) => return Some(self.chain.link(&proof.share.parent)?.height.child()),
                Err(_) => return None,
            },
            _ => ShareId(record.id),
        };
        self.chain.link(&id).map(|link| link.height)
    }

    /// True if newcomers may ask for the proof of this link.
    fn is_shown(&self, id: &ShareId) -> bool {
        let height = self.chain.link(id).map(|link| link.height);
        height.is_some_and(|height| height >= self.chain.lowest_shown() && self.chain.main_at(height) == Some(*id))
    }

    /// Forgets the lowest base chunk, and the proofs of its links, once newcomers need none of it. The proofs of Bitcoin
    /// blocks that the pool found stay.
    fn forget_chunk(&mut self) -> Result<(), J::Error> {
        let Some(number) = self.lowest_base else { return Ok(()) };
        let is_needed = Chunk::heights(number).is_none_or(|(_, last)| last >= self.chain.lowest_shown());
        // The lowest link's chunk is the lowest one needed.
        if is_needed || number >= Chunk::number_of(self.chain.bottom()) {
            return Ok(());
        }
        let id = base_id(number);
        let mut forgotten = Forgotten { bases: vec![id], ..Forgotten::default() };
        if let Some(bytes) = self.store.get(RecordKind::Base, &id)? {
            match Chunk::decode(&bytes) {
                Ok(chunk) => {
                    for link in chunk.links {
                        if self.store.get(RecordKind::Block, &link.facts.id.0)?.is_none() {
                            forgotten.proofs.push(link.facts.id.0);
                        }
                    }
                }
                Err(error) => warn!(number, %error, "a base chunk that is no longer needed cannot be read"),
            }
        }
        self.lowest_base = Some(number.saturating_add(1));
        self.store.forget(&forgotten)
    }
}
