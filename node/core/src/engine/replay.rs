//! Rebuilds the chain from the journal: the same records in the same order, judged by the same rules.

use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Proof, RuleError, ShareId, Timestamp, encode};
use tracing::warn;

use super::Engine;
use crate::journal::{Journal, Record, RecordKind};

/// Result of replaying a stored record.
enum Replayed {
    Taken,
    /// It depends on a record that may come later in the journal.
    Waits,
}

impl<J: Journal> Engine<J> {
    /// Replays all stored records. One past call wrote its proofs before its lists, so a proof may wait for a list that
    /// comes later. Waiting records are retried until none makes progress. The bounds on proofs held for peers do not
    /// apply here.
    pub(super) fn replay(&mut self, now: Timestamp) -> Result<(), J::Error> {
        let store = Arc::clone(&self.store);
        let mut refused = 0_u64;
        let mut waiting = Vec::new();
        for record in store.replay() {
            self.replay_into(record?, now, &mut waiting, &mut refused);
        }
        loop {
            let left = std::mem::take(&mut waiting);
            let before = left.len();
            for record in left {
                self.replay_into(record, now, &mut waiting, &mut refused);
            }
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        if refused > 0 {
            warn!(refused, "some stored proofs are not valid under this program's rules and are ignored");
        }
        if !waiting.is_empty() {
            warn!(proofs = waiting.len(), "some stored proofs cannot be judged because their ancestors are missing");
        }
        Ok(())
    }

    fn replay_into(&mut self, record: Record, now: Timestamp, waiting: &mut Vec<Record>, refused: &mut u64) {
        match self.replay_record(&record, now) {
            Ok(Replayed::Taken) => {}
            Ok(Replayed::Waits) => waiting.push(record),
            Err(_) => *refused += 1,
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
                self.chain.supply_list(ShareId(record.id), list, now)?;
            }
            RecordKind::Header => {
                // Its checksum is valid, so it decodes. Its rules were checked on arrival and are checked again here.
                if let Ok(header) = deserialize::<Header>(&record.bytes) {
                    self.chain.insert_bitcoin_header(header, now);
                }
            }
            RecordKind::Block | RecordKind::Refusal | RecordKind::Meta => {}
        }
        Ok(Replayed::Taken)
    }

    fn replay_proof(&mut self, bytes: &[u8], now: Timestamp) -> Result<Replayed, RuleError> {
        let proof = Proof::decode(bytes)?;
        let easiest = self.chain.params().easiest_share_target;
        let bound = BoundProof::bind(proof, easiest, self.chain.consensus_id())?;
        match self.chain.insert(bound, None, Source::default(), now) {
            Outcome::Accepted(_) | Outcome::Known(_) | Outcome::Unlistable => Ok(Replayed::Taken),
            Outcome::Held(_) => Ok(Replayed::Waits),
            Outcome::Invalid(rule) => Err(rule),
        }
    }
}
