//! What bitcoind said to the newest Bitcoin blocks, on disk: it is part of what a found block is known by.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::BlockHash;

use crate::bitcoind::SubmitVerdict;
use crate::limits::SUBMISSIONS_MAX;
use crate::store::{Record, RecordKind, Store, StoreError};

/// Name under which they are stored, all in one record.
const NAME: [u8; 32] = *b"what bitcoind said, oldest first";

/// The verdicts kept, oldest first.
#[derive(Debug)]
pub(super) struct Verdicts {
    store: Arc<Store>,
    told: VecDeque<(BlockHash, SubmitVerdict)>,
    counts: VerdictCounts,
}

/// What bitcoind said to blocks since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// Valid, and its new tip.
    pub accepted: u64,
    /// Known already.
    pub duplicate: u64,
    /// Valid as far as it looked, but another block is its tip.
    pub inconclusive: u64,
    /// Invalid.
    pub rejected: u64,
}

impl VerdictCounts {
    fn add(&mut self, verdict: &SubmitVerdict) {
        let count = match verdict {
            SubmitVerdict::Accepted => &mut self.accepted,
            SubmitVerdict::Duplicate => &mut self.duplicate,
            SubmitVerdict::Inconclusive => &mut self.inconclusive,
            SubmitVerdict::Rejected { .. } => &mut self.rejected,
        };
        *count = count.saturating_add(1);
    }
}

impl Verdicts {
    pub(super) fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let bytes = store.get(RecordKind::Meta, &NAME)?;
        // Not worth a node that does not start: only pages and reports tell what was said.
        let told = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(Self { store, told, counts: VerdictCounts::default() })
    }

    pub(super) fn of(&self, hash: &BlockHash) -> Option<&SubmitVerdict> {
        self.told.iter().rev().find(|(known, _)| known == hash).map(|(_, verdict)| verdict)
    }

    pub(super) fn counts(&self) -> VerdictCounts {
        self.counts
    }

    /// Keeps the newest verdict on a block; the oldest goes when there are more than [`SUBMISSIONS_MAX`].
    pub(super) fn keep(&mut self, hash: BlockHash, verdict: SubmitVerdict) -> Result<(), StoreError> {
        self.counts.add(&verdict);
        self.told.retain(|(known, _)| *known != hash);
        if self.told.len() >= SUBMISSIONS_MAX {
            self.told.pop_front();
        }
        self.told.push_back((hash, verdict));
        let bytes = serde_json::to_vec(&self.told).expect("pairs of strings are JSON");
        self.store.append(&[Record { kind: RecordKind::Meta, id: NAME, bytes }]).map(|_| ())
    }
}

#[cfg(test)]
mod tests;
