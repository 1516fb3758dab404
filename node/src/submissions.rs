//! What the node's own bitcoind said to Bitcoin blocks that the pool found.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backon::{ExponentialBuilder, Retryable};
use bitcoin::BlockHash;
use tracing::{error, info, warn};

use crate::bitcoind::{Bitcoind, BitcoindError, SubmitVerdict};
use crate::error::sentence;
use crate::limits::{RETRY_PAUSE, SUBMISSIONS_MAX, SUBMIT_ATTEMPTS};

/// Submits blocks and remembers the answers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Submissions {
    bitcoind: Bitcoind,
    verdicts: Arc<Mutex<VecDeque<(BlockHash, SubmitVerdict)>>>,
}

impl Submissions {
    /// Nothing submitted yet.
    #[must_use]
    pub fn new(bitcoind: Bitcoind) -> Self {
        Self { bitcoind, verdicts: Arc::default() }
    }

    /// Submits a serialized block. `whose` is shown to the operator: a block of this node's miners, or of a peer's.
    ///
    /// Tries again for as long as bitcoind cannot be reached and the block may still matter.
    pub async fn submit(&self, hash: BlockHash, height: u32, block: &[u8], whose: &'static str) -> Option<SubmitVerdict> {
        if let Some(verdict) = self.verdict(&hash) {
            return Some(verdict);
        }
        let attempts = ExponentialBuilder::new().with_min_delay(RETRY_PAUSE.0).with_max_delay(RETRY_PAUSE.1);
        let submit = || self.bitcoind.submit_block(block);
        let verdict = match submit.retry(attempts.with_max_times(SUBMIT_ATTEMPTS)).when(BitcoindError::is_passing).await {
            Ok(verdict) => verdict,
            Err(error) => {
                error!(%hash, height, whose, error = sentence(&error), "bitcoind did not take a Bitcoin block");
                return None;
            }
        };
        match &verdict {
            SubmitVerdict::Accepted => info!(%hash, height, whose, "Bitcoin block found and accepted"),
            SubmitVerdict::Duplicate => info!(%hash, height, whose, "Bitcoin block found; bitcoind had it already"),
            SubmitVerdict::Inconclusive => warn!(%hash, height, whose, "Bitcoin block found, but another is the tip"),
            SubmitVerdict::Rejected { reason } => error!(%hash, height, whose, reason, "bitcoind refused a Bitcoin block"),
        }
        self.remember(hash, verdict.clone());
        Some(verdict)
    }

    /// What bitcoind said to a block.
    #[must_use]
    pub fn verdict(&self, hash: &BlockHash) -> Option<SubmitVerdict> {
        self.lock().iter().rev().find(|(known, _)| known == hash).map(|(_, verdict)| verdict.clone())
    }

    fn remember(&self, hash: BlockHash, verdict: SubmitVerdict) {
        let mut verdicts = self.lock();
        if verdicts.len() >= SUBMISSIONS_MAX {
            verdicts.pop_front();
        }
        verdicts.push_back((hash, verdict));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(BlockHash, SubmitVerdict)>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
