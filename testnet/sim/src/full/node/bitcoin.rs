//! This node's bitcoind: blocks that it hears of, and headers that proofs wait for.

use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Wtxid};
use node_core::headers::{HeaderWalk, counts};
use node_core::jobs::{BlockTemplate, TemplateTransaction};
use node_core::relay::WholeBlock;

use rand::Rng;

use super::{Context, SimNode};
use crate::bitcoin::bitcoind::Health;
use crate::ids::NodeId;
use crate::rng::{SimRng, derive};
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
    pub(super) fn on_peer_block(&mut self, block: &WholeBlock, context: &mut Context<'_>) {
        if context.environment.bitcoin.block(&block.hash).is_none() {
            context.environment.submit(block.bytes(), context.schedule);
        }
        context.environment.ledger.relayed(block.hash, context.id, context.schedule.now());
        self.on_block(block.hash, context);
    }

    /// The transactions that this node's bitcoind offers on top of a block: those of the template, except for the part that
    /// has not reached it.
    pub(super) fn known(&self, previous: &BlockHash, context: &mut Context<'_>) -> Vec<Arc<BlockTemplate>> {
        let Some(template) = context.environment.bitcoin.template(previous) else { return Vec::new() };
        if self.lacks <= 0.0 {
            return vec![template];
        }
        let mut part = (*template).clone();
        let has = |transaction: &&Arc<TemplateTransaction>| !self.lacks_transaction(context.id, &transaction.wtxid);
        part.transactions = part.transactions.iter().filter(has).cloned().collect();
        vec![Arc::new(part)]
    }

    /// Draws whether a transaction has not reached this node's bitcoind: always the same for one transaction.
    fn lacks_transaction(&self, own: NodeId, wtxid: &Wtxid) -> bool {
        let drawn = derive(u64::from(own.0), &wtxid.to_string(), 0) % 1_000_000;
        u32::try_from(drawn).is_ok_and(|drawn| f64::from(drawn) < self.lacks * 1e6)
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
