//! Keeps the Bitcoin headers that proofs are built on, also those of blocks that Bitcoin left.
//!
//! At the start, bitcoind gives its active chain alone. A proof on a block that has left it can be judged only with the stored
//! header, and everything above that proof waits for it.

use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, serialize};
use sharechain::{ShareId, Timestamp};

use super::Engine;
use crate::journal::{Journal, Record, RecordKind};
use crate::limits::HEADERS_KEPT;

impl<J: Journal> Engine<J> {
    /// Inserts all stored headers. A proof may be built on a block that came long before its parent, so this is done before any
    /// proof is judged.
    pub(super) fn replay_headers(&mut self, now: Timestamp) -> Result<(), J::Error> {
        let stored = self.store.headers()?;
        // Their checksums are valid, so they decode.
        let mut waiting: Vec<Header> = stored.iter().filter_map(|record| deserialize(&record.bytes).ok()).collect();
        loop {
            let before = waiting.len();
            waiting.retain(|header| {
                let changes = self.chain.restore_bitcoin_header(*header, now);
                self.note_replayed(changes);
                self.chain.bitcoin().get(&header.block_hash()).is_none()
            });
            // A header that was stored again comes after those on top of it.
            if waiting.is_empty() || waiting.len() == before {
                return Ok(());
            }
        }
    }

    /// Stores the newest headers with which the node started, at most [`HEADERS_KEPT`] deep: any of them may leave Bitcoin's active
    /// chain while proofs are built on it.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn keep_headers(&mut self) -> Result<(), J::Error> {
        let mut new = Vec::new();
        let mut at = Some(self.chain.bitcoin().best());
        while let Some(known) = at.filter(|_| new.len() < HEADERS_KEPT) {
            let id = ShareId::from(known.header.block_hash()).0;
            if self.store.get(RecordKind::Header, &id)?.is_some() {
                break;
            }
            new.push(Record { kind: RecordKind::Header, id, bytes: serialize(&known.header) });
            at = self.chain.bitcoin().get(&known.header.prev_blockhash);
        }
        new.reverse();
        self.store.append(&new)
    }
}
