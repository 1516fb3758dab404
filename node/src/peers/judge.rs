//! Gossip: nothing is forwarded that was not fully judged.

use bitcoin::Block;
use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, deserialize_partial};
use p2p::sync::Input;
use p2p::{Gossip, Misbehaviour, PeerId, Verdict, VerdictToken};
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Proof, ShareId};
use tracing::debug;

use super::Peers;
use crate::clock::now;
use crate::engine::EngineStopped;
use crate::limits::BLOCK_DEPTH_MAX;
use crate::submissions::Whose;

impl Peers {
    /// Judges a message for everybody. No verdict yet while the chain holds it: it is forwarded as soon as it is valid.
    pub(super) async fn judge_gossip(
        &mut self,
        token: VerdictToken,
        peer: PeerId,
        message: Gossip,
    ) -> Result<Option<Verdict>, EngineStopped> {
        match message {
            Gossip::Share(proof) => self.judge_proof(token, peer, *proof, None).await,
            Gossip::Link { proof, list } => self.judge_proof(token, peer, *proof, Some(list)).await,
            Gossip::BitcoinBlock(bytes) => self.judge_block(bytes).await.map(Some),
        }
    }

    async fn judge_proof(
        &mut self,
        token: VerdictToken,
        peer: PeerId,
        proof: Proof,
        list: Option<Vec<ShareId>>,
    ) -> Result<Option<Verdict>, EngineStopped> {
        let id = proof.id();
        Ok(match self.insert(peer, proof, list).await? {
            Outcome::Accepted(_) => Some(Verdict::Accept),
            Outcome::Known(_) | Outcome::Unlistable => Some(Verdict::Ignore),
            Outcome::Held(missing) => {
                self.want(missing, Some(peer));
                self.tell_sync(Input::Hint(peer));
                self.leave_undecided(id, token);
                None
            }
            Outcome::Invalid(rule) => {
                debug!(%peer, %id, %rule, "a peer forwarded an invalid proof");
                Some(Verdict::Reject(Misbehaviour::InvalidItem))
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
                let chain = engine.chain();
                let floor = chain.params().easiest_share_target;
                let work = proof.id().as_number();
                // What is plausible follows from this node's own tip: after a long partition an honest peer's share may
                // lie outside, and costs nobody. Only what no tip of this network could admit is invalid.
                if work <= floor && work > chain.easiest_plausible_target(now) {
                    return Outcome::Unlistable;
                }
                match BoundProof::bind(proof, floor, chain.consensus_id()) {
                    Ok(bound) => engine.insert(bound, list, source, now),
                    Err(rule) => Outcome::Invalid(rule),
                }
            })
            .await
    }

    /// A Bitcoin block: submitted and forwarded when its header has Bitcoin's work on a block that is known here and not
    /// long past. The header is judged first, since it is the part that cost something.
    async fn judge_block(&mut self, bytes: Vec<u8>) -> Result<Verdict, EngineStopped> {
        let Ok((header, _)) = deserialize_partial::<Header>(&bytes) else {
            return Ok(Verdict::Reject(Misbehaviour::Garbage));
        };
        let place = self
            .links
            .engine
            .call(move |engine| {
                let bitcoin = engine.chain().bitcoin();
                let height = bitcoin.get(&header.prev_blockhash)?.height.checked_add(1)?;
                let recent = height.saturating_add(BLOCK_DEPTH_MAX) >= engine.own_bitcoin_height();
                recent.then_some((height, bitcoin.next_bits(&header.prev_blockhash)?))
            })
            .await?;
        let Some((height, bits)) = place else { return Ok(Verdict::Ignore) };
        if header.bits != bits || header.validate_pow(header.target()).is_err() {
            return Ok(Verdict::Reject(Misbehaviour::InvalidItem));
        }
        let whole = deserialize::<Block>(&bytes).is_ok_and(|block| block.check_merkle_root());
        if !whole {
            return Ok(Verdict::Reject(Misbehaviour::InvalidItem));
        }
        let hash = header.block_hash();
        debug!(%hash, height, "a peer found a Bitcoin block");
        let submissions = self.links.submissions.clone();
        tokio::spawn(async move { submissions.submit(hash, height, bytes.into(), Whose::Peer).await });
        Ok(Verdict::Accept)
    }
}
