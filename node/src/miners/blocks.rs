//! Sends Bitcoin blocks found by this node's miners to bitcoind at once, regardless of the share-chain. The consensus thread
//! announces them to peers, once the share is valid.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::debug;

use crate::bitcoind::SubmitVerdict;
use crate::consensus::FoundWork;
use crate::submissions::{Submissions, Whose};

/// Submits found blocks to bitcoind.
#[derive(Clone, Debug)]
pub struct FoundBlocks {
    /// Submits blocks to bitcoind.
    pub submissions: Submissions,
    /// Sends solo blocks, which the share-chain never sees, to the event log.
    pub solo: mpsc::Sender<FoundWork>,
}

impl FoundBlocks {
    /// Submits blocks until the Stratum server is gone.
    pub async fn run(self, mut found: mpsc::UnboundedReceiver<FoundWork>) {
        while let Some(work) = found.recv().await {
            self.block(work);
        }
    }

    /// Submits a block. A solo block is not a block of the pool, so peers do not get it.
    fn block(&self, work: FoundWork) {
        let bytes: Arc<[u8]> = work.job.block(&work.found.header, &work.found.extranonce).into();
        let (hash, height) = (work.found.hash, work.found.work.bitcoin_height);
        debug!(%hash, height, worker = %work.found.worker, "a miner of this node found a Bitcoin block");
        let submissions = self.submissions.clone();
        if work.job.template.is_solo() {
            let told = self.solo.clone();
            tokio::spawn(async move {
                let verdict = submissions.submit(hash, height, bytes, Whose::Own).await;
                if verdict == Some(SubmitVerdict::Accepted) {
                    // If the queue is full, the event log misses some.
                    let _ = told.try_send(work);
                }
            });
            return;
        }
        tokio::spawn(async move { submissions.submit(hash, height, bytes, Whose::Own).await });
    }
}
