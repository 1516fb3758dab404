//! What miners find: Bitcoin blocks go to bitcoind and to peers at once, whatever the share-chain says; shares go into
//! the chain, and to peers once they are stored.

use std::sync::Arc;

use bitcoin::block::Header;
use p2p::Gossip;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Timestamp, U256};
use stratum::EXTRANONCE_BYTES;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::clock::now;
use crate::engine::{Engine, EngineHandle};
use crate::exchange::RefusedProof;
use crate::peers::Publisher;
use crate::store::Journal;
use crate::submissions::{Submissions, Whose};
use crate::work::{FoundReceiver, FoundWork, Order};

/// Gives what an own miner found to the chain. What is accepted is stored, and is to be sent to peers; see
/// [`crate::exchange`].
pub fn judge_found<J: Journal>(
    engine: &mut Engine<J>,
    order: &Order,
    header: Header,
    extranonce: [u8; EXTRANONCE_BYTES],
    now: Timestamp,
) -> Outcome {
    match BoundProof::bind(order.proof(header, extranonce), U256::MAX, engine.chain().consensus_id()) {
        Ok(bound) => engine.insert(bound, Some(order.list().to_vec()), Source::default(), now),
        Err(rule) => Outcome::Invalid(rule),
    }
}

/// Where found work goes.
#[derive(Clone, Debug)]
pub struct Finds {
    /// The share-chain. What it accepts of this node's own, the peers' task sends on.
    pub engine: EngineHandle,
    /// bitcoind.
    pub submissions: Submissions,
    /// Peers, for blocks.
    pub publisher: Publisher,
    /// The diary, for own shares that break a rule.
    pub refused: mpsc::Sender<RefusedProof>,
}

impl Finds {
    /// Handles what comes until the Stratum server is gone. Blocks do not wait behind shares.
    pub async fn run(self, found: FoundReceiver) {
        let FoundReceiver { mut shares, mut blocks } = found;
        let submitting = async {
            while let Some(block) = blocks.recv().await {
                self.block(&block);
            }
        };
        let judging = async {
            while let Some(share) = shares.recv().await {
                self.share(share).await;
            }
        };
        tokio::join!(submitting, judging);
    }

    /// Submits a block and pushes it to peers, who submit it too; neither waits for the other.
    fn block(&self, work: &FoundWork) {
        let bytes: Arc<[u8]> = work.order.block(&work.found.header, &work.found.extranonce).into();
        let (hash, height) = (work.found.hash, work.found.work.bitcoin_height);
        debug!(%hash, height, worker = %work.found.worker, "a miner of this node found a Bitcoin block");
        self.publisher.publish(Gossip::BitcoinBlock(bytes.to_vec()));
        let submissions = self.submissions.clone();
        tokio::spawn(async move { submissions.submit(hash, height, bytes, Whose::Own).await });
    }

    async fn share(&self, work: FoundWork) {
        let FoundWork { order, found } = work;
        let outcome =
            self.engine.call(move |engine| judge_found(engine, &order, found.header, found.extranonce, now()));
        let Ok(outcome) = outcome.await else { return };
        let (id, worker) = (found.hash, found.worker);
        if let Outcome::Invalid(rule) = outcome {
            // When more come than are read, the diary lacks some.
            let _ = self.refused.try_send(RefusedProof { id: id.into(), rule, peer: None });
        }
        match outcome {
            Outcome::Accepted(_) => debug!(%id, %worker, "share found"),
            Outcome::Known(_) => debug!(%id, %worker, "share found twice"),
            Outcome::Held(missing) => debug!(%id, %worker, ?missing, "own share cannot be judged yet"),
            Outcome::Unlistable => warn!(%id, %worker, "own share came too late to be listed"),
            Outcome::Invalid(rule) => warn!(%id, %worker, %rule, "own share is invalid"),
        }
    }
}
