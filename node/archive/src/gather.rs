//! Turns what changes in a share-chain into rows.

use std::collections::BTreeMap;

use bitcoin::BlockHash;
use node_core::pool_block::PoolBlock;
use sharechain::chain::{Chain, Link};
use sharechain::change_set::{AcceptedProof, ChangeSet, TipChange};
use sharechain::payout_proof::BlockWindow;
use sharechain::{Height, Proof, ShareId, Weight, Work, target};

use crate::batch::{Batch, CreditRow, EventRow, HeaderRow, LinkRow, ReorganizationRow, ShareRow};
use crate::limits::BLOCKS_AWAITED_MAX;

/// Turns change sets into rows. It sees every change, in order, with the chain as it is right after it.
#[derive(Debug, Default)]
pub struct Gatherer {
    batch: Batch,
    /// Bitcoin blocks of the pool whose links are not complete yet.
    awaited: BTreeMap<ShareId, Proof>,
}

impl Gatherer {
    /// The rows so far.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Takes the rows so far. `chain` is the chain after the last change.
    #[must_use]
    pub fn take(&mut self, chain: &Chain) -> Batch {
        self.batch.set_tip(chain.tip());
        std::mem::take(&mut self.batch)
    }

    /// Adds what a call changed.
    pub fn changed(&mut self, changes: &ChangeSet, chain: &Chain) {
        for accepted in &changes.accepted {
            self.accepted(accepted, chain);
        }
        for id in &changes.completed {
            self.completed(id, chain);
        }
        for tip in changes.tips.iter().filter(|tip| !tip.disconnected.is_empty()) {
            self.reorganized(tip, chain);
        }
    }

    /// Adds a Bitcoin header that the chain knows. False if it does not know it.
    pub fn bitcoin_header(&mut self, hash: &BlockHash, chain: &Chain) -> bool {
        let Some(known) = chain.bitcoin().get(hash) else { return false };
        self.batch.header(HeaderRow { header: known.header, height: known.height, chain_work: known.chain_work });
        true
    }

    /// Adds the links of the main chain, as a chain that does not begin with the first link has them at its beginning.
    pub fn beginning(&mut self, chain: &Chain) {
        for height in chain.lowest_shown().0..=chain.height().0 {
            let Some(id) = chain.main_at(Height(height)) else { continue };
            self.link(&id, None, chain);
        }
    }

    fn accepted(&mut self, accepted: &AcceptedProof, chain: &Chain) {
        let AcceptedProof { id, proof, .. } = accepted;
        self.proof(id, proof, chain);
        if !PoolBlock::is_block(proof, id) {
            return;
        }
        // A clone is cheap, and what it computes is not kept.
        if let Some(block) = PoolBlock::of(proof, &mut chain.clone()) {
            self.batch.block(block, proof.encode());
        }
        if chain.link(id).is_some() {
            if self.awaited.len() >= BLOCKS_AWAITED_MAX {
                self.awaited.pop_first();
            }
            self.awaited.insert(*id, proof.clone());
        }
    }

    /// Adds a valid proof. Nothing if the chain has forgotten its parent.
    pub fn proof(&mut self, id: &ShareId, proof: &Proof, chain: &Chain) {
        let Some(parent) = chain.link(&proof.share.parent) else { return };
        let credit = chain.credit(id);
        let is_link = credit.map_or_else(|| chain.link(id).is_some(), |credit| credit.is_link);
        let Some(weight) = weight(id, proof, chain) else { return };
        let row = ShareRow {
            id: *id,
            parent: proof.share.parent,
            time: proof.share.time.0,
            height: parent.height.child().0,
            bitcoin_height: proof.share.bitcoin_height,
            coinbase_value: proof.share.coinbase_value,
            script: self.batch.script(&proof.share.payout),
            weight: weight.0,
            hashes: Work::of_target(parent.position.share_target).to_hashes_saturating_u128(),
            is_link,
            is_block: PoolBlock::is_block(proof, id),
        };
        self.batch.share(row);
    }

    /// Adds a link if it is complete. `list` are the ids that it lists, which a chain drops after a while.
    pub fn link(&mut self, id: &ShareId, list: Option<Vec<ShareId>>, chain: &Chain) {
        if let Some(row) = chain.link(id).and_then(|link| link_row(&mut self.batch, *id, link, chain)) {
            self.batch.link(LinkRow { list: row.list.or(list), ..row });
        }
    }

    /// Adds a block of the pool with its encoded proof.
    pub fn block(&mut self, block: PoolBlock, proof: Vec<u8>) {
        self.batch.block(block, proof);
    }

    /// Adds what payout proofs of a block are made from.
    pub fn window(&mut self, window: &BlockWindow) {
        self.batch.window(window.proof.id(), window.encode());
    }

    /// Adds an event of the node's event log.
    pub fn event(&mut self, row: EventRow) {
        self.batch.event(row);
    }

    fn completed(&mut self, id: &ShareId, chain: &Chain) {
        self.link(id, None, chain);
        if let Some(proof) = self.awaited.remove(id)
            && let Some(window) = chain.clone().block_window(&proof)
        {
            self.window(&window);
        }
    }

    /// Adds a change of the tip by which links lost their places.
    pub fn reorganized(&mut self, change: &TipChange, chain: &Chain) {
        let time = chain.link(&change.new).map_or(0, |link| link.time.0);
        self.batch.reorganization(ReorganizationRow {
            old: change.old,
            new: change.new,
            time,
            fork_height: change.fork_height.0,
            left: change.disconnected.len(),
            entered: change.connected.len(),
        });
    }
}

/// Weight that a proof earns if it is listed in time. As the chain has it; of a proof that it has forgotten, by the rules. A
/// link's bonus is not part of it.
fn weight(id: &ShareId, proof: &Proof, chain: &Chain) -> Option<Weight> {
    if let Some(credit) = chain.credit(id) {
        return Some(credit.weight);
    }
    let position = &chain.link(&proof.share.parent)?.position;
    let bits = chain.bitcoin().next_bits(&proof.header.prev_blockhash)?;
    Some(target::weight_of_share(position.share_target, bits, chain.params()))
}

fn link_row(batch: &mut Batch, id: ShareId, link: &Link, chain: &Chain) -> Option<LinkRow> {
    let complete = link.complete()?;
    let credits = complete.rows.iter().filter_map(|row| {
        let script = batch.script(chain.scripts().script(row.script)?);
        Some(CreditRow { script, proofs: row.shares, weight: row.weight.0 })
    });
    let credits = credits.collect();
    Some(LinkRow {
        id,
        parent: link.parent,
        time: link.time.0,
        height: link.height.0,
        bitcoin_height: link.bitcoin_height,
        previous_block: link.previous_block.into(),
        state_root: link.state_root,
        chain_work: link.chain_work.0,
        link_hashes: Work::of_target(link.target).0,
        share_hashes: Work::of_target(link.position.share_target).0,
        // It was dropped if the link is deep, or never came.
        list: (complete.list.len() == usize::from(link.shares_count)).then(|| complete.list.as_slice().to_vec()),
        credits,
    })
}
