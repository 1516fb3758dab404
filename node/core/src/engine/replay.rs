//! Rebuilds the chain from the journal: the same records in the same order, judged by the same rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use sharechain::base::Chunk;
use sharechain::chain::Link;
use sharechain::change_set::{ChangeSet, Source};
use sharechain::check::binding::BoundProof;
use sharechain::{Chain, Height, Outcome, Proof, RuleError, ShareId, Timestamp, encode};
use tracing::warn;

use super::Engine;
use crate::journal::{Journal, Record, RecordKind};
use crate::limits::REPLAYED_TIPS_MAX;

/// Result of replaying a stored record.
enum Replayed {
    Taken,
    /// It depends on a record that may come later in the journal.
    Waits,
    /// No link can list it anymore, unless one later in the journal did: a share as deep as the base.
    Late,
}

/// Records left over from a replay.
#[derive(Default)]
struct Left {
    waiting: Vec<Record>,
    /// Shares as deep as the base, by id: those of at most the listing depth's links.
    late: BTreeMap<[u8; 32], Record>,
    refused: u64,
}

impl<J: Journal> Engine<J> {
    /// Replays all stored records. One past call wrote its proofs before its lists, so a proof may wait for a list that
    /// comes later. Waiting records are retried until none makes progress. The bounds on proofs held for peers do not
    /// apply here.
    pub(super) fn replay(&mut self, now: Timestamp) -> Result<(), J::Error> {
        let store = Arc::clone(&self.store);
        self.replay_headers(now)?;
        let first = self.first_to_replay()?;
        let base = self.chain.height();
        let mut left = Left::default();
        for record in store.replay_from(first.as_ref().map(|id| &id.0)) {
            let record = record?;
            // The base is complete: its proofs are known, and its lists were added.
            let in_base = |link: &Link| record.kind == RecordKind::List && link.height <= base;
            if !self.chain.link(&ShareId(record.id)).is_some_and(in_base) {
                self.replay_into(record, now, &mut left);
            }
        }
        loop {
            let again = std::mem::take(&mut left.waiting);
            let before = again.len();
            for record in again {
                self.replay_into(record, now, &mut left);
            }
            if left.waiting.is_empty() || left.waiting.len() == before {
                break;
            }
        }
        let Left { waiting, refused, .. } = left;
        if refused > 0 {
            warn!(refused, "some stored proofs are not valid under this program's rules and are ignored");
        }
        if !waiting.is_empty() {
            warn!(proofs = waiting.len(), "some stored proofs cannot be judged because their ancestors are missing");
        }
        Ok(())
    }

    /// Starts from the base chunks in the store.
    pub(super) fn start_from_bases(&mut self) -> Result<(), J::Error> {
        let store = Arc::clone(&self.store);
        let (mut failed, mut any) = (None, false);
        let chunks = store.bases().map_while(|record| match record {
            Ok(record) => {
                any = true;
                Some(record.bytes)
            }
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        let started = Chain::from_base(self.chain.params().clone(), self.chain.bitcoin().clone(), chunks);
        if let Some(error) = failed {
            return Err(error);
        }
        match started {
            Ok(chain) if any => {
                let (lowest, highest) = (chain.bottom().max(Height(1)), chain.height());
                let last = Chunk::number_of(highest);
                // A node that began as a newcomer may have written a part of its last chunk.
                let is_whole = Chunk::heights(last).is_some_and(|(_, last)| last == highest);
                self.chain = chain;
                self.next_base = last.saturating_add(u32::from(is_whole));
                self.lowest_base = Some(Chunk::number_of(lowest));
            }
            Ok(_) => {}
            Err(error) => {
                warn!(%error, "the base chunks cannot be used, so peers must send the share-chain again");
            }
        }
        Ok(())
    }

    /// Adds the lists of the last links to a chain from base chunks. Returns the proof after which the journal may hold
    /// records above the base: proofs of higher links were accepted after their ancestors on the main chain, and side
    /// branches split off within the listing depth.
    fn first_to_replay(&mut self) -> Result<Option<ShareId>, J::Error> {
        if self.lowest_base.is_none() {
            return Ok(None);
        }
        let mut lists = Vec::new();
        for height in self.chain.base_lists_from().0..=self.chain.height().0 {
            let Some(id) = self.chain.main_at(Height(height)) else { continue };
            let bytes = self.store.get(RecordKind::List, &id.0)?;
            lists.extend(bytes.and_then(|bytes| Some((id, encode::decode_list(&bytes).ok()?))));
        }
        self.chain.note_base_lists(lists);
        let depth = self.chain.params().listing_depth;
        Ok(self.chain.main_at(self.chain.height().below(depth)))
    }

    /// Replays a record, and after a list the late shares that it names.
    fn replay_into(&mut self, record: Record, now: Timestamp, left: &mut Left) {
        match self.replay_record(&record, now) {
            Ok(Replayed::Taken) if record.kind == RecordKind::List => {
                for id in encode::decode_list(&record.bytes).unwrap_or_default() {
                    if let Some(share) = left.late.remove(&id.0) {
                        self.replay_into(share, now, left);
                    }
                }
            }
            Ok(Replayed::Taken) => {}
            Ok(Replayed::Waits) => left.waiting.push(record),
            Ok(Replayed::Late) => drop(left.late.insert(record.id, record)),
            Err(_) => left.refused += 1,
        }
    }

    fn replay_record(&mut self, record: &Record, now: Timestamp) -> Result<Replayed, RuleError> {
        match record.kind {
            RecordKind::Proof => return self.replay_proof(&record.bytes, now),
            RecordKind::List => {
                let list = encode::decode_list(&record.bytes)?;
                if self.chain.link(&ShareId(record.id)).is_none() {
                    return Ok(Replayed::Waits);
                }
                let changes = self.chain.supply_list(ShareId(record.id), list, now)?;
                self.note_replayed(changes);
            }
            // Headers came first.
            RecordKind::Header
            | RecordKind::Block
            | RecordKind::Refusal
            | RecordKind::Meta
            | RecordKind::Base
            | RecordKind::Window => {}
        }
        Ok(Replayed::Taken)
    }

    fn replay_proof(&mut self, bytes: &[u8], now: Timestamp) -> Result<Replayed, RuleError> {
        let proof = Proof::decode(bytes)?;
        let easiest = self.chain.params().easiest_share_target;
        let bound = BoundProof::bind(proof, easiest, self.chain.consensus_id())?;
        match self.chain.insert_requested(bound, None, Source::default(), now) {
            Outcome::Accepted(changes) | Outcome::Known(changes) => {
                self.note_replayed(changes);
                Ok(Replayed::Taken)
            }
            Outcome::Unlistable => Ok(Replayed::Late),
            Outcome::Held(_) => Ok(Replayed::Waits),
            Outcome::Invalid(rule) => Err(rule),
        }
    }
    pub(super) fn note_replayed(&mut self, changes: ChangeSet) {
        for change in changes.tips {
            if self.replayed.len() >= REPLAYED_TIPS_MAX {
                self.replayed.pop_front();
            }
            self.replayed.push_back(change);
        }
    }
}
