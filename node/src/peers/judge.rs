//! Gossip: nothing is forwarded that was not fully judged.

use bitcoin::Block;
use bitcoin::consensus::encode::deserialize;
use p2p::sync::Input;
use p2p::{Gossip, Misbehaviour, PeerId, Verdict};
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Proof, ShareId};
use tracing::{debug, info};

use super::Peers;
use crate::clock::now;
use crate::engine::EngineStopped;

impl Peers {
    /// Judges a message for everybody.
    pub(super) async fn judge_gossip(&mut self, peer: PeerId, message: Gossip) -> Result<Verdict, EngineStopped> {
        match message {
            Gossip::Share(proof) => self.judge_proof(peer, *proof, None).await,
            Gossip::Link { proof, list } => self.judge_proof(peer, *proof, Some(list)).await,
            Gossip::BitcoinBlock(bytes) => self.judge_block(bytes).await,
        }
    }

    async fn judge_proof(
        &mut self,
        peer: PeerId,
        proof: Proof,
        list: Option<Vec<ShareId>>,
    ) -> Result<Verdict, EngineStopped> {
        let outcome = self.insert(peer, proof, list).await?;
        Ok(match outcome {
            Outcome::Accepted(_) => Verdict::Accept,
            Outcome::Known(_) | Outcome::Unlistable => Verdict::Ignore,
            Outcome::Held(missing) => {
                self.want(missing, Some(peer)).await?;
                self.tell_sync(Input::Hint(peer));
                Verdict::Ignore
            }
            Outcome::Invalid(rule) => {
                debug!(%peer, %rule, "a peer forwarded an invalid proof");
                Verdict::Reject(Misbehaviour::InvalidItem)
            }
        })
    }

    /// Binds a proof and gives it to the chain.
    pub(super) async fn insert(
        &mut self,
        peer: PeerId,
        proof: Proof,
        list: Option<Vec<ShareId>>,
    ) -> Result<Outcome, EngineStopped> {
        let source = self.sources.of(peer);
        self.links
            .engine
            .call(move |engine| {
                let now = now();
                let easiest = engine.chain().easiest_plausible_target(now);
                match BoundProof::bind(proof, easiest, engine.chain().consensus_id()) {
                    Ok(bound) => engine.insert(bound, list, source, now),
                    Err(rule) => Outcome::Invalid(rule),
                }
            })
            .await
    }

    /// A Bitcoin block: submitted when its header has Bitcoin's work on a block that is known here.
    async fn judge_block(&mut self, bytes: Vec<u8>) -> Result<Verdict, EngineStopped> {
        let Ok(block) = deserialize::<Block>(&bytes) else { return Ok(Verdict::Reject(Misbehaviour::Garbage)) };
        let header = block.header;
        let place = self
            .links
            .engine
            .call(move |engine| {
                let bitcoin = engine.chain().bitcoin();
                let height = bitcoin.get(&header.prev_blockhash)?.height.checked_add(1)?;
                Some((height, bitcoin.next_bits(&header.prev_blockhash)?))
            })
            .await?;
        let Some((height, bits)) = place else { return Ok(Verdict::Ignore) };
        if header.bits != bits || header.validate_pow(header.target()).is_err() || !block.check_merkle_root() {
            return Ok(Verdict::Reject(Misbehaviour::InvalidItem));
        }
        let hash = header.block_hash();
        info!(%hash, height, "a peer found a Bitcoin block");
        let submissions = self.links.submissions.clone();
        tokio::spawn(async move { submissions.submit(hash, height, &bytes, "peer").await });
        Ok(Verdict::Accept)
    }
}
