//! The own bitcoind: blocks that it hears of, and headers that proofs wait for.

use bitcoin::BlockHash;
use node::exchange::PeerBlock;
use node::headers::is_settled;
use p2p::Verdict;

use super::{Context, SimNode};

impl SimNode {
    /// The bitcoind hears of a block.
    pub(super) fn on_block(&mut self, hash: BlockHash, context: &mut Context<'_>) {
        let bitcoin = &context.environment.bitcoin;
        let moved = self.bitcoind.hear(hash, bitcoin);
        if let Some(alive) = &mut self.alive {
            alive.desk.bitcoin_tips = self.bitcoind.competing_tips(bitcoin);
            alive.desk.dirty |= moved;
        }
    }

    /// A peer found a Bitcoin block: the own bitcoind gets it, too.
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

    /// Brings a header that a proof waits for from the bitcoind into the share-chain, if it may count: see
    /// `HeaderSource::fetch` in `node/src/headers.rs`. True if the share-chain has it now.
    pub(super) fn look_up(&mut self, hash: BlockHash, context: &mut Context<'_>) -> bool {
        let Some(alive) = &self.alive else { return false };
        if alive.engine.chain().bitcoin().get(&hash).is_some() {
            return true;
        }
        let Some(info) = self.bitcoind.header(&hash, &context.environment.bitcoin) else { return false };
        if !info.active && !is_settled(info.height, alive.engine.own_bitcoin_height()) {
            return false;
        }
        self.follow(hash, context)
    }

    /// Brings a block's header and what leads to it into the share-chain. True if it is there now.
    pub(super) fn follow(&mut self, tip: BlockHash, context: &mut Context<'_>) -> bool {
        let time = self.time(context.schedule.now());
        let Some(alive) = &mut self.alive else { return false };
        let mut unknown = Vec::new();
        let mut at = tip;
        while alive.engine.chain().bitcoin().get(&at).is_none() {
            let Some(info) = self.bitcoind.header(&at, &context.environment.bitcoin) else { break };
            unknown.push(info.header);
            at = info.header.prev_blockhash;
        }
        unknown.reverse();
        if !unknown.is_empty() {
            alive.engine.insert_bitcoin_headers(&unknown, time);
        }
        alive.engine.chain().bitcoin().get(&tip).is_some()
    }
}
