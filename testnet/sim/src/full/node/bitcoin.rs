//! This node's bitcoind: blocks that it hears of, and headers that proofs wait for.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use node_core::exchange::PeerBlock;
use node_core::headers::{HeaderWalk, counts};
use p2p_proto::Verdict;

use rand::Rng;

use super::{Context, SimNode};
use crate::bitcoin::bitcoind::Health;
use crate::rng::SimRng;
use crate::scenario::Claim;

impl SimNode {
    /// The bitcoind hears of a block.
    pub(super) fn on_block(&mut self, hash: BlockHash, context: &mut Context<'_>) {
        let bitcoin = &context.environment.bitcoin;
        let moved = self.bitcoind.hear(hash, bitcoin);
        if let Some(alive) = &mut self.alive {
            alive.bitcoin_tips = self.bitcoind.competing_tips(bitcoin);
            if moved {
                alive.jobs.note_change();
            }
        }
    }

    /// The bitcoind starts a false claim, or ends it.
    pub(super) fn on_claim(&mut self, claim: Option<Claim>, context: &mut Context<'_>) {
        let time = self.time(context.schedule.now());
        let bitcoin = &mut context.environment.bitcoin;
        match claim {
            Some(Claim::StaysBehind) => self.bitcoind.health = Health::Stuck,
            Some(Claim::MadeUpTip) => self.bitcoind.health = Health::Dreaming(made_up(&mut self.rng)),
            Some(Claim::InvalidBlock) => {
                let root = self.rng.random();
                let invalid = bitcoin.mine_on(self.bitcoind.tip(), root, time, false);
                self.bitcoind.health = Health::Credulous;
                if let Some(hash) = invalid {
                    self.bitcoind.hear(hash, bitcoin);
                }
            }
            None => self.bitcoind.recover(bitcoin),
        }
        if let Some(alive) = &mut self.alive {
            alive.bitcoin_tips = self.bitcoind.competing_tips(bitcoin);
            alive.jobs.note_change();
        }
    }

    /// A peer found a Bitcoin block. This node's bitcoind gets it too.
    pub(super) fn on_peer_block(&mut self, block: &PeerBlock, context: &mut Context<'_>) {
        let verdict = block.verdict();
        if verdict == Verdict::Accept {
            if context.environment.bitcoin.block(&block.hash).is_none() {
                context.environment.submit(&block.bytes, context.schedule);
            }
            self.on_block(block.hash, context);
        }
        self.on_verdict(block.token, verdict, context);
    }

    /// Brings a header that a proof waits for from the bitcoind into the share-chain, if it may count. Returns true if
    /// the share-chain then has it.
    pub(super) fn look_up(&mut self, hash: BlockHash, context: &mut Context<'_>) -> bool {
        let Some(alive) = &self.alive else { return false };
        if alive.engine.chain().bitcoin().get(&hash).is_some() {
            return true;
        }
        let Some(info) = self.bitcoind.header(&hash, &context.environment.bitcoin) else { return false };
        if !counts(info.active, info.height, alive.engine.own_bitcoin_height()) {
            return false;
        }
        self.follow(hash, context)
    }

    /// Brings a block's header and its ancestors into the share-chain. Returns true if the share-chain then has it.
    pub(super) fn follow(&mut self, tip: BlockHash, context: &mut Context<'_>) -> bool {
        let time = self.time(context.schedule.now());
        let Some(alive) = &mut self.alive else { return false };
        let mut walk = HeaderWalk::new(tip);
        while let Some(hash) = walk.next(alive.engine.chain().bitcoin()) {
            let Some(info) = self.bitcoind.header(&hash, &context.environment.bitcoin) else { break };
            walk.push(info.header);
        }
        if !walk.is_empty() {
            alive.engine.insert_bitcoin_headers(&walk.into_headers(), time);
        }
        alive.engine.chain().bitcoin().get(&tip).is_some()
    }
}

fn made_up(rng: &mut SimRng) -> BlockHash {
    BlockHash::from_byte_array(rng.random())
}
