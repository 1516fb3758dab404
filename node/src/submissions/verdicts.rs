//! Stores bitcoind's verdicts on the newest Bitcoin blocks, which are shown with each found block.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::BlockHash;

use crate::bitcoind::SubmitVerdict;
use crate::limits::SUBMISSIONS_MAX;
use crate::store::{Record, RecordKind, Store, StoreError};

/// Record id of the verdicts, all in one record.
const NAME: [u8; 32] = *b"what bitcoind said, oldest first";

/// The kept verdicts, oldest first.
#[derive(Debug)]
pub(super) struct Verdicts {
    store: Arc<Store>,
    told: VecDeque<(BlockHash, SubmitVerdict)>,
    counts: VerdictCounts,
}

/// Counts of bitcoind's verdicts on blocks since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// Blocks that are valid and became bitcoind's tip.
    pub accepted: u64,
    /// Blocks that bitcoind already had.
    pub duplicate: u64,
    /// Blocks that bitcoind stored although another block is its tip.
    pub inconclusive: u64,
    /// Invalid blocks.
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
        // An unreadable record must not stop the node: verdicts are only displayed.
        let told = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(Self { store, told, counts: VerdictCounts::default() })
    }

    pub(super) fn of(&self, hash: &BlockHash) -> Option<&SubmitVerdict> {
        self.told.iter().rev().find(|(known, _)| known == hash).map(|(_, verdict)| verdict)
    }

    pub(super) fn counts(&self) -> VerdictCounts {
        self.counts
    }

    /// Stores the newest verdict on a block. Drops the oldest if there are more than [`SUBMISSIONS_MAX`].
    pub(super) fn keep(&mut self, hash: BlockHash, verdict: SubmitVerdict) -> Result<(), StoreError> {
        if self.of(&hash) != Some(&verdict) {
            self.counts.add(&verdict);
        }
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
