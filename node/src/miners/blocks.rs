//! Sends Bitcoin blocks found by this node's miners to bitcoind and to peers at once, regardless of the share-chain.

use std::sync::Arc;

use p2p_proto::Gossip;
use tokio::sync::mpsc;
use tracing::debug;

use crate::consensus::FoundWork;
use crate::peers::Publisher;
use crate::submissions::{Submissions, Whose};

/// Destinations of found blocks.
#[derive(Clone, Debug)]
pub struct FoundBlocks {
    /// Submits blocks to bitcoind.
    pub submissions: Submissions,
    /// Publishes blocks to peers.
    pub publisher: Publisher,
}

impl FoundBlocks {
    /// Submits and publishes blocks until the Stratum server is gone.
    pub async fn run(self, mut found: mpsc::UnboundedReceiver<FoundWork>) {
        while let Some(work) = found.recv().await {
            self.block(&work);
        }
    }

    /// Submits a block, and publishes it to peers, which submit it too. The two run concurrently.
    fn block(&self, work: &FoundWork) {
        let bytes: Arc<[u8]> = work.job.block(&work.found.header, &work.found.extranonce).into();
        let (hash, height) = (work.found.hash, work.found.work.bitcoin_height);
        debug!(%hash, height, worker = %work.found.worker, "a miner of this node found a Bitcoin block");
        self.publisher.publish(Gossip::BitcoinBlock(bytes.to_vec()));
        let submissions = self.submissions.clone();
        tokio::spawn(async move { submissions.submit(hash, height, bytes, Whose::Own).await });
    }
}
