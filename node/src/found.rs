//! What miners find: Bitcoin blocks go to bitcoind and to peers at once, whatever the share-chain says; shares go into
//! the chain, and to peers once they are stored.

use p2p::Gossip;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, U256};
use tracing::{debug, info, warn};

use crate::clock::now;
use crate::engine::EngineHandle;
use crate::peers::Publisher;
use crate::submissions::Submissions;
use crate::work::{FoundReceiver, FoundWork};

/// Where found work goes.
#[derive(Clone, Debug)]
pub struct Finds {
    /// The share-chain.
    pub engine: EngineHandle,
    /// bitcoind.
    pub submissions: Submissions,
    /// Peers.
    pub publisher: Publisher,
}

impl Finds {
    /// Handles what comes until the Stratum server is gone.
    pub async fn run(self, found: FoundReceiver) {
        let FoundReceiver { mut shares, mut blocks } = found;
        loop {
            tokio::select! {
                biased;
                Some(block) = blocks.recv() => self.block(&block),
                share = shares.recv() => match share {
                    Some(share) => self.share(share).await,
                    None => return,
                },
            }
        }
    }

    /// Submits a block and pushes it to peers, who submit it too; neither waits for the other.
    fn block(&self, work: &FoundWork) {
        let bytes = work.order.block(&work.found.header, &work.found.extranonce);
        let (hash, height) = (work.found.hash, work.found.work.bitcoin_height);
        info!(%hash, height, worker = %work.found.worker, "a miner of this node found a Bitcoin block");
        self.publisher.publish(Gossip::BitcoinBlock(bytes.clone()));
        let submissions = self.submissions.clone();
        tokio::spawn(async move { submissions.submit(hash, height, &bytes, "own").await });
    }

    async fn share(&self, work: FoundWork) {
        let FoundWork { order, found } = work;
        let proof = order.proof(found.header, found.extranonce);
        let list = order.list().to_vec();
        let result = self
            .engine
            .call(move |engine| {
                let bound = BoundProof::bind(proof.clone(), U256::MAX, engine.chain().consensus_id());
                let outcome = match bound {
                    Ok(bound) => engine.insert(bound, Some(list.clone()), Source::default(), now()),
                    Err(rule) => Outcome::Invalid(rule),
                };
                (outcome, proof, list)
            })
            .await;
        let Ok((outcome, proof, list)) = result else { return };
        let id = found.hash;
        match outcome {
            Outcome::Accepted(changes) => {
                let is_link = changes.accepted.first().is_some_and(|accepted| accepted.is_link);
                debug!(%id, worker = %found.worker, is_link, "share found");
                let proof = Box::new(proof);
                let message = if is_link { Gossip::Link { proof, list } } else { Gossip::Share(proof) };
                self.publisher.publish(message);
            }
            Outcome::Known(_) => debug!(%id, "share found twice"),
            Outcome::Held(missing) => debug!(%id, ?missing, "own share cannot be judged yet"),
            Outcome::Unlistable => warn!(%id, worker = %found.worker, "own share came too late to be listed"),
            Outcome::Invalid(rule) => warn!(%id, worker = %found.worker, %rule, "own share is invalid"),
        }
    }
}
