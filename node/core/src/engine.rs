//! The one owner of the share-chain. Everything it accepts is on disk before it announces it.
//!
//! ```text
//! headers.rs  keeps the Bitcoin headers that proofs are built on
//! prune.rs    forgets what the journal no longer needs
//! replay.rs   rebuilds the chain from the journal
//! settled.rs  stores the settled and the trusted link across restarts
//! start.rs    replaces the chain with one that starts from verified rows
//! warn.rs     logs what the operator must know about the chain
//! windows.rs  keeps the windows that payout proofs need
//! ```

mod headers;
pub mod prune;
mod replay;
mod settled;
mod start;
mod warn;
mod windows;

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::serialize;
use sharechain::chain::{Chain, Outcome};
use sharechain::change_set::{AcceptedProof, ChangeSet, Source, TipChange};
use sharechain::check::binding::BoundProof;
use sharechain::{Height, RuleError, ShareId, Timestamp, encode};

use crate::journal::{Journal, Record, RecordKind};
use crate::pool_block::PoolBlock;

pub use prune::Keep;
pub use settled::forget_settled;

/// A change of the chain that other parts of the node react to.
#[derive(Clone, Debug)]
pub enum ChainEvent {
    /// The chain changed. The change is on disk.
    Changed(Arc<ChangeSet>),
    /// The pool found a Bitcoin block.
    Block(Arc<PoolBlock>),
}

/// A summary of the main chain's tip: everything about it that jobs depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TipView {
    /// The newest link of the main chain.
    pub tip: ShareId,
    /// The link to build on, usually the tip.
    pub build_on: ShareId,
    /// Height of the tip.
    pub height: u32,
}

/// The chain and its store. It has no thread and no clock. Its caller runs it and calls [`Engine::take_events`] after
/// every call.
#[derive(Debug)]
pub struct Engine<J: Journal> {
    chain: Chain,
    store: Arc<J>,
    /// Events that [`Engine::take_events`] has not returned yet.
    events: Vec<ChainEvent>,
    /// The newest changes of the tip of the replay.
    replayed: VecDeque<TipChange>,
    /// True when the chain may have changed since the last [`Engine::take_changed`].
    changed: bool,
    own_bitcoin_height: u32,
    /// The settled link in the store.
    stored_settled: Option<ShareId>,
    /// True once the log says that the pool has upgraded to rules that this program does not know.
    said_too_old: bool,
    keep: Keep,
    /// Number of the next base chunk to write.
    next_base: u32,
    /// Number of the lowest base chunk in the store.
    lowest_base: Option<u32>,
    /// Height of the tip when nothing more could be forgotten.
    forgotten_at: Height,
    /// True if windows of blocks were stored since their total size was last checked.
    windows_grew: bool,
    fatal: Option<J::Error>,
}

impl<J: Journal> Engine<J> {
    /// Rebuilds the chain from the store: from its base chunks, if there are any, and then from the journal, every proof
    /// of which passes every check again. `chain` holds only genesis and Bitcoin's headers.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(chain: Chain, store: Arc<J>, now: Timestamp) -> Result<Self, J::Error> {
        let stored_settled = settled::stored_settled(&*store)?;
        let mut engine = Self {
            chain,
            store,
            events: Vec::new(),
            replayed: VecDeque::new(),
            changed: true,
            own_bitcoin_height: 0,
            stored_settled,
            said_too_old: false,
            keep: Keep::default(),
            next_base: 0,
            lowest_base: None,
            forgotten_at: Height(0),
            windows_grew: true,
            fatal: None,
        };
        start::forget_unfinished(&*engine.store)?;
        engine.start_from_bases()?;
        if let Some(id) = stored_settled {
            // Before the replay, so that a conflicting branch conflicts again.
            engine.chain.restore_settled(id);
        }
        engine.replay(now)?;
        engine.warn_if_too_old();
        Ok(engine)
    }

    /// Sets what the store keeps. It keeps [`Keep::Window`] at first.
    pub fn set_keep(&mut self, keep: Keep) {
        self.keep = keep;
    }

    /// Returns the events since the last call, oldest first. All of them are in the store. The caller must take them
    /// after every call of the engine: until then, events are kept without a bound.
    #[must_use]
    pub fn take_events(&mut self) -> Vec<ChainEvent> {
        std::mem::take(&mut self.events)
    }

    /// Returns the newest changes of the tip during the replay with which the engine opened, oldest first: what happened
    /// before the node stopped. At most [`REPLAYED_TIPS_MAX`](crate::limits::REPLAYED_TIPS_MAX).
    pub fn take_replayed(&mut self) -> Vec<TipChange> {
        std::mem::take(&mut self.replayed).into()
    }

    /// Returns whether the chain may have changed since the last call. This includes changes without an event: held
    /// proofs, settled links, caches. The chain's publisher calls this after every call of the engine.
    #[must_use]
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Takes the error with which the store rejected a record. The caller stops with it.
    pub fn take_failure(&mut self) -> Option<J::Error> {
        self.fatal.take()
    }

    /// The error with which the store rejected a record. Once set, no answer of the engine may leave this node.
    #[must_use]
    pub fn failure(&self) -> Option<&J::Error> {
        self.fatal.as_ref()
    }

    /// The current tip, which new work depends on.
    #[must_use]
    pub fn tip(&self) -> TipView {
        let chain = &self.chain;
        TipView { tip: chain.tip(), build_on: chain.build_on(), height: chain.height().0 }
    }

    /// The chain, read-only.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The chain, for queries that cache their answers. Change it only through the engine's own methods.
    pub fn chain_mut(&mut self) -> &mut Chain {
        self.changed = true;
        &mut self.chain
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<J> {
        &self.store
    }

    /// Judges a proof, with its list if the sender gave one. An accepted proof is stored before this returns.
    pub fn insert(&mut self, proof: BoundProof, list: Option<Vec<ShareId>>, source: Source, now: Timestamp) -> Outcome {
        let id = proof.id();
        let outcome = self.chain.insert(proof, list, source, now);
        self.took(id, &outcome);
        outcome
    }

    /// Like [`Engine::insert`], for a proof that this node requested from a peer, or that its own miners found: its
    /// list is kept even if its branch is light.
    pub fn insert_requested(
        &mut self,
        proof: BoundProof,
        list: Option<Vec<ShareId>>,
        source: Source,
        now: Timestamp,
    ) -> Outcome {
        let id = proof.id();
        let outcome = self.chain.insert_requested(proof, list, source, now);
        self.took(id, &outcome);
        outcome
    }

    fn took(&mut self, id: ShareId, outcome: &Outcome) {
        self.changed = true;
        match outcome {
            Outcome::Accepted(changes) | Outcome::Known(changes) => self.commit(changes.clone()),
            // Other rules concern the list that came with the proof, or its sender.
            Outcome::Invalid(rule) if rule.invalidates_id() => self.store_refusals(&[(id, *rule)]),
            Outcome::Invalid(_) | Outcome::Held(_) | Outcome::Unlistable => {}
        }
    }

    /// Supplies the list of a link that arrived without one.
    ///
    /// # Errors
    /// The link does not commit to this list.
    pub fn supply_list(&mut self, id: ShareId, list: Vec<ShareId>, now: Timestamp) -> Result<(), RuleError> {
        self.changed = true;
        let changes = self.chain.supply_list(id, list, now)?;
        self.commit(changes);
        Ok(())
    }

    /// Inserts Bitcoin headers that this node's bitcoind has on its active chain, or that are deep enough below its
    /// tip. They are stored, so that proofs built on them can be judged after a restart, even if bitcoind then follows
    /// another branch.
    pub fn insert_bitcoin_headers(&mut self, headers: &[Header], now: Timestamp) {
        self.changed = true;
        let mut new = Vec::new();
        let mut changed = Vec::new();
        for header in headers {
            let hash = header.block_hash();
            let known = self.chain.bitcoin().get(&hash).is_some();
            let changes = self.chain.insert_bitcoin_header(*header, now);
            if !known && self.chain.bitcoin().get(&hash).is_some() {
                new.push(Record { kind: RecordKind::Header, id: ShareId::from(hash).0, bytes: serialize(header) });
            }
            changed.push(changes);
        }
        // Before the proofs that waited for them, so that a replay finds the headers first.
        self.append(&new);
        for changes in changed {
            self.commit(changes);
        }
    }

    /// Sets the height of the tip of this node's bitcoind, and whether the node is in sync with its peers; see
    /// [`Chain::note_own_bitcoin_height`].
    pub fn note_own_bitcoin_height(&mut self, height: u32, in_sync: bool) {
        self.changed = true;
        self.own_bitcoin_height = height;
        self.chain.note_own_bitcoin_height(in_sync.then_some(height));
        self.store_settled();
    }

    /// Height of the tip of this node's bitcoind, as last set.
    #[must_use]
    pub fn own_bitcoin_height(&self) -> u32 {
        self.own_bitcoin_height
    }

    /// Advances the clock: releases proofs that were held for their time, and forgets what is no longer needed.
    pub fn tick(&mut self, now: Timestamp) {
        self.changed = true;
        let changes = self.chain.tick(now);
        self.commit(changes);
        self.forget();
    }

    /// Writes a change set to the store, then queues its events.
    fn commit(&mut self, changes: ChangeSet) {
        if changes.is_empty() {
            return;
        }
        let mut batch = Vec::with_capacity(changes.accepted.len() + changes.lists.len());
        for accepted in &changes.accepted {
            batch.push(Record { kind: RecordKind::Proof, id: accepted.id.0, bytes: accepted.proof.encode() });
        }
        for (id, list) in &changes.lists {
            batch.push(Record { kind: RecordKind::List, id: id.0, bytes: encode::encode_list(list) });
        }
        let blocks = self.pool_blocks(&changes);
        batch.extend(blocks.iter().map(PoolBlock::to_record));
        batch.extend(self.window_records(&changes));
        self.append(&batch);
        if self.fatal.is_some() {
            return;
        }
        let refused: Vec<_> = changes.refused.iter().map(|refusal| (refusal.id, refusal.rule)).collect();
        self.store_refusals(&refused);
        if let Some(conflict) = changes.conflict {
            warn::conflict(conflict);
        }
        if !changes.tips.is_empty() {
            self.store_settled();
            self.warn_if_too_old();
        }
        self.events.push(ChainEvent::Changed(Arc::new(changes)));
        self.events.extend(blocks.into_iter().map(|block| ChainEvent::Block(Arc::new(block))));
    }

    fn pool_blocks(&mut self, changes: &ChangeSet) -> Vec<PoolBlock> {
        let is_block = |accepted: &&AcceptedProof| PoolBlock::is_block(&accepted.proof, &accepted.id);
        let proofs: Vec<_> = changes.accepted.iter().filter(is_block).collect();
        proofs.into_iter().filter_map(|accepted| PoolBlock::of(&accepted.proof, &mut self.chain)).collect()
    }

    /// Writes records to the journal, all or none. If the journal rejects them, the engine has failed; see
    /// [`Engine::failure`].
    pub fn append(&mut self, batch: &[Record]) {
        if batch.is_empty() || self.fatal.is_some() {
            return;
        }
        if let Err(error) = self.store.append(batch) {
            self.fatal = Some(error);
        }
    }

    fn store_refusals(&mut self, refused: &[(ShareId, RuleError)]) {
        let records: Vec<Record> = refused
            .iter()
            .map(|(id, rule)| Record { kind: RecordKind::Refusal, id: id.0, bytes: rule.to_string().into_bytes() })
            .collect();
        self.append(&records);
    }
}
