//! Proposes blocks of job templates to bitcoind, so that an invalid template is noticed before a miner finds a block.
//!
//! Verdicts count in the order of the templates, whatever bitcoind answers first, and at most one is on its way.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use node_core::jobs::JobTemplate;
use node_core::sentence;
use tokio::sync::{Mutex, watch};
use tracing::{debug, error};

use crate::bitcoind::{Bitcoind, ProposalVerdict};

/// Why bitcoind would reject a block of the newest proposed template; none if it would not.
pub(super) type Rejected = Option<Arc<str>>;

/// The proposals, and what bitcoind says of them.
#[derive(Debug)]
pub struct Proposals {
    rejected: watch::Sender<Rejected>,
    /// Number of the next proposal.
    next: AtomicU64,
    /// Highest number whose turn has come.
    newest: AtomicU64,
    turn: Mutex<()>,
}

impl Proposals {
    /// No proposals yet. Verdicts go to `rejected`.
    pub fn new(rejected: watch::Sender<Rejected>) -> Arc<Self> {
        Arc::new(Self { rejected, next: AtomicU64::new(1), newest: AtomicU64::new(0), turn: Mutex::default() })
    }

    /// Why bitcoind would reject a block of the newest proposed template.
    pub(super) fn rejected(&self) -> Rejected {
        self.rejected.borrow().clone()
    }

    /// Signals each change of [`Self::rejected`].
    pub(super) fn changes(&self) -> watch::Receiver<Rejected> {
        self.rejected.subscribe()
    }

    /// The number of another proposal.
    pub(super) fn begin(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Proposes a block of this template.
    pub(super) async fn propose(&self, number: u64, bitcoind: &Bitcoind, template: &Arc<JobTemplate>) {
        self.settle(number, verdict(bitcoind, template)).await;
    }

    /// Waits for a verdict, and publishes it if there is one. A proposal that a newer one has overtaken is left out.
    async fn settle(&self, number: u64, verdict: impl Future<Output = Option<Rejected>>) {
        self.newest.fetch_max(number, Ordering::Relaxed);
        let _turn = self.turn.lock().await;
        if self.newest.load(Ordering::Relaxed) > number {
            return;
        }
        let Some(rejected) = verdict.await else { return };
        self.rejected.send_if_modified(|old| {
            let changed = *old != rejected;
            *old = rejected;
            changed
        });
    }
}

/// Asks bitcoind. `None` if it gives no verdict on the block.
async fn verdict(bitcoind: &Bitcoind, template: &Arc<JobTemplate>) -> Option<Rejected> {
    let height = template.block.height;
    match bitcoind.propose_block(&template.proposal()).await {
        Ok(ProposalVerdict::Valid) => Some(None),
        Ok(ProposalVerdict::Rejected { reason }) => {
            error!(reason, height, "bitcoind would reject a block of this node's job template");
            let advice = if reason == "time-too-new" { "; its clock is behind this block's time" } else { "" };
            let words = format!("bitcoind would reject a block of this work, with the reason {reason}{advice}");
            Some(Some(words.into()))
        }
        // Neither is a verdict on the block.
        Ok(ProposalVerdict::NotOnTip) => None,
        Err(error) => {
            debug!(error = sentence(&error), "the job template could not be proposed to bitcoind");
            None
        }
    }
}

#[cfg(test)]
mod tests;
