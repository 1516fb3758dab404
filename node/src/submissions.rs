//! Submits the pool's Bitcoin blocks to this node's bitcoinds, and keeps their verdicts.

mod kept;
mod verdicts;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backon::{ExponentialBuilder, Retryable};
use bitcoin::BlockHash;
use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use crate::bitcoind::{Bitcoind, BitcoindError, FeedState, SubmitVerdict};
use crate::limits::{RETRY_PAUSE, SUBMIT_ATTEMPTS, SUBMITTING_MAX};
use crate::store::{Store, StoreError};
use node_core::sentence;

pub use verdicts::VerdictCounts;

use kept::Kept;
use verdicts::Verdicts;

/// Origin of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A miner of this node found it.
    Own,
    /// A peer sent it; the finder's node keeps the full block.
    Peer,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "own",
            Self::Peer => "peer",
        })
    }
}

/// Submits blocks and keeps the verdicts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Submissions {
    bitcoind: Bitcoind,
    kept: Arc<Mutex<Kept>>,
    verdicts: Arc<Mutex<Verdicts>>,
    under_way: Arc<Mutex<BTreeSet<BlockHash>>>,
}

impl Submissions {
    /// Loads earlier verdicts, and full blocks of this node's miners, from the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn new(bitcoind: Bitcoind, store: Arc<Store>) -> Result<Self, StoreError> {
        let verdicts = Arc::new(Mutex::new(Verdicts::open(Arc::clone(&store))?));
        let kept = Arc::new(Mutex::new(Kept::open(store)?));
        Ok(Self { bitcoind, kept, verdicts, under_way: Arc::default() })
    }

    /// Index of the bitcoind in use; 0 is the first, fallbacks follow.
    pub fn bitcoind_in_use(&self) -> usize {
        self.bitcoind.used()
    }

    /// Submits a serialized block, and stores it meanwhile if a miner of this node found it.
    ///
    /// Retries while bitcoind cannot be reached and the block may still matter. Returns none if bitcoind stays
    /// unreachable, or if the block is already being submitted.
    pub async fn submit(&self, hash: BlockHash, height: u32, block: Arc<[u8]>, whose: Whose) -> Option<SubmitVerdict> {
        if let Some(verdict) = self.verdict(&hash).filter(|verdict| whose == Whose::Peer || !verdict.may_change()) {
            return Some(verdict);
        }
        if !self.begin(hash, whose) {
            return None;
        }
        let keeping = async {
            if whose == Whose::Own {
                self.keep(hash, height, Arc::clone(&block)).await;
            }
        };
        let ((), verdict) = tokio::join!(keeping, self.ask(&self.bitcoind, hash, height, &block, whose));
        self.end(hash, verdict.clone()).await;
        verdict
    }

    /// Resubmits blocks of this node's miners to each bitcoind at each new tip and whenever it comes back: a killed
    /// bitcoind may have lost a block that it accepted, one that was down may have no other source, and a rejected
    /// block may be valid once bitcoind has its parent.
    pub async fn resubmit(self, feeds: Vec<(Bitcoind, watch::Receiver<FeedState>)>) {
        futures::future::join_all(feeds.into_iter().map(|(bitcoind, feed)| self.resubmit_to(bitcoind, feed))).await;
    }

    async fn resubmit_to(&self, bitcoind: Bitcoind, mut feed: watch::Receiver<FeedState>) {
        // The tip at which all were compared; none after an outage of bitcoind.
        let mut compared = None;
        loop {
            let tip = {
                let state = feed.borrow_and_update();
                state.template.as_ref().filter(|_| state.trouble.is_none()).map(|template| template.prev_block)
            };
            if tip.is_none() {
                compared = None;
            } else if compared != tip {
                match self.resubmit_lost(&bitcoind).await {
                    Ok(()) => compared = tip,
                    Err(error) => {
                        debug!(error = sentence(&error), "this node's blocks could not be compared with bitcoind's");
                    }
                }
            }
            if feed.changed().await.is_err() {
                return;
            }
        }
    }

    async fn resubmit_lost(&self, bitcoind: &Bitcoind) -> Result<(), BitcoindError> {
        let kept = self.kept().list();
        for (hash, height) in kept {
            let known = self.verdict(&hash);
            let active = bitcoind.header(hash).await?.is_some_and(|info| info.confirmations.is_some());
            if active {
                // bitcoind has changed its verdict, or the node was killed before it stored the answer.
                if !matches!(known, Some(SubmitVerdict::Accepted | SubmitVerdict::Duplicate)) {
                    self.end(hash, Some(SubmitVerdict::Duplicate)).await;
                }
                continue;
            }
            if matches!(&known, Some(verdict @ SubmitVerdict::Rejected { .. }) if !verdict.may_change()) {
                continue;
            }
            let shelf = Arc::clone(&self.kept);
            let reading = tokio::task::spawn_blocking(move || lock(&shelf).get(&hash));
            match reading.await.expect("reading the store does not panic") {
                Ok(Some(block)) => {
                    let verdict = self.ask(bitcoind, hash, height, &block, Whose::Own).await;
                    self.end(hash, self.of_all(&hash, verdict, bitcoind)).await;
                }
                Ok(None) => {}
                Err(error) => error!(%hash, %error, "a block of this node cannot be read"),
            }
        }
        Ok(())
    }

    /// The verdict to keep: that of the bitcoind in use, or one better than the known verdict.
    fn of_all(&self, hash: &BlockHash, new: Option<SubmitVerdict>, from: &Bitcoind) -> Option<SubmitVerdict> {
        match (self.verdict(hash), new) {
            (Some(known), Some(new)) if from.url() != self.bitcoind.url() => Some(known.or_better(new)),
            (_, new) => new,
        }
    }

    async fn keep(&self, hash: BlockHash, height: u32, block: Arc<[u8]>) {
        let shelf = Arc::clone(&self.kept);
        let keeping = tokio::task::spawn_blocking(move || lock(&shelf).keep(hash, height, &block));
        if let Err(error) = keeping.await.expect("writing the store does not panic") {
            error!(%hash, %error, "a block of this node could not be stored");
        }
    }

    async fn ask(
        &self,
        bitcoind: &Bitcoind,
        hash: BlockHash,
        height: u32,
        block: &[u8],
        whose: Whose,
    ) -> Option<SubmitVerdict> {
        let attempts = ExponentialBuilder::new().with_min_delay(RETRY_PAUSE.0).with_max_delay(RETRY_PAUSE.1);
        let submit = || bitcoind.submit_block(block);
        let verdict = match submit.retry(attempts.with_max_times(SUBMIT_ATTEMPTS)).when(BitcoindError::is_passing).await
        {
            Ok(verdict) => verdict,
            Err(error) => {
                error!(%hash, height, %whose, error = sentence(&error), "a Bitcoin block could not be submitted");
                return None;
            }
        };
        if self.verdict(&hash).as_ref() == Some(&verdict) {
            debug!(%hash, height, ?verdict, "bitcoind's verdict on a Bitcoin block is unchanged");
            return Some(verdict);
        }
        match &verdict {
            SubmitVerdict::Accepted => info!(%hash, height, %whose, "Bitcoin block found and accepted"),
            SubmitVerdict::Duplicate => info!(%hash, height, %whose, "Bitcoin block found; bitcoind already had it"),
            SubmitVerdict::Inconclusive => warn!(%hash, height, %whose, "Bitcoin block found, but another is the tip"),
            SubmitVerdict::Rejected { reason } if verdict.may_change() => {
                warn!(%hash, height, %whose, reason, "bitcoind cannot accept a Bitcoin block yet");
            }
            SubmitVerdict::Rejected { reason } => {
                error!(%hash, height, %whose, reason, "bitcoind rejected a Bitcoin block");
            }
        }
        Some(verdict)
    }

    /// Marks a block as being submitted. Returns false if it already is, or if too many blocks of peers are.
    fn begin(&self, hash: BlockHash, whose: Whose) -> bool {
        let mut under_way = lock(&self.under_way);
        if whose == Whose::Peer && under_way.len() >= SUBMITTING_MAX {
            return false;
        }
        under_way.insert(hash)
    }

    async fn end(&self, hash: BlockHash, verdict: Option<SubmitVerdict>) {
        if let Some(verdict) = verdict {
            let shelf = Arc::clone(&self.verdicts);
            let keeping = tokio::task::spawn_blocking(move || lock(&shelf).keep(hash, verdict));
            if let Err(error) = keeping.await.expect("writing the store does not panic") {
                error!(%hash, %error, "bitcoind's verdict on a block could not be stored");
            }
        }
        lock(&self.under_way).remove(&hash);
    }

    /// Counts of bitcoind's verdicts since the node started.
    #[must_use]
    pub fn counts(&self) -> VerdictCounts {
        lock(&self.verdicts).counts()
    }

    /// bitcoind's verdict on a block; none if unknown.
    #[must_use]
    pub fn verdict(&self, hash: &BlockHash) -> Option<SubmitVerdict> {
        lock(&self.verdicts).of(hash).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data behind these locks is consistent even after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
