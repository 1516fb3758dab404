//! The one owner of the share-chain; what it accepts is on disk before anybody hears of it.
//!
//! ```text
//! replay.rs    from the journal back to the chain
//! finality.rs  the final link outlives the process
//! ```

mod finality;
mod replay;

use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::serialize;
use sharechain::chain::{Chain, Outcome};
use sharechain::change_set::{AcceptedProof, ChangeSet, Source};
use sharechain::check::binding::BoundProof;
use sharechain::{RuleError, ShareId, Timestamp, encode};
use tracing::error;

use crate::journal::{Journal, Record, RecordKind};
use crate::pool_block::PoolBlock;

pub use finality::forget_final;

/// What others react to.
#[derive(Clone, Debug)]
pub enum ChainEvent {
    /// Something changed; it is on disk.
    Changed(Arc<ChangeSet>),
    /// The pool found a Bitcoin block.
    Block(Arc<PoolBlock>),
}

/// What changes with the tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TipView {
    /// The newest link of the main chain.
    pub tip: ShareId,
    /// The link to build on; the tip as a rule.
    pub build_on: ShareId,
    /// Its height.
    pub height: u32,
    /// A heavier branch that would undo final links: no work until the operator chose, see [`forget_final`].
    pub conflict: Option<ShareId>,
}

/// The chain and its store. It has no thread and no clock: its caller runs it, and asks [`Engine::take_events`] after every call.
#[derive(Debug)]
pub struct Engine<J: Journal> {
    chain: Chain,
    store: Arc<J>,
    /// What changed and was not asked for yet.
    events: Vec<ChainEvent>,
    /// Whether the chain may differ from what [`Engine::take_changed`] saw last.
    changed: bool,
    own_bitcoin_height: u32,
    /// The final link that the store knows.
    stored_final: Option<ShareId>,
    fatal: Option<J::Error>,
}

impl<J: Journal> Engine<J> {
    /// Rebuilds the chain from the store's journal: every proof passes every check again.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(chain: Chain, store: Arc<J>, now: Timestamp) -> Result<Self, J::Error> {
        let stored_final = finality::stored_final(&*store)?;
        let mut engine =
            Self { chain, store, events: Vec::new(), changed: true, own_bitcoin_height: 0, stored_final, fatal: None };
        if let Some(id) = stored_final {
            // Before the replay, so that a branch which conflicted with it does again.
            engine.chain.restore_final(id);
        }
        engine.replay(now)?;
        Ok(engine)
    }

    /// What changed since this was last asked, oldest first; all of it is in the store. Whoever runs the engine asks
    /// after every call: until then it is kept, whatever its size.
    #[must_use]
    pub fn take_events(&mut self) -> Vec<ChainEvent> {
        std::mem::take(&mut self.events)
    }

    /// Whether the chain may have changed since this was last asked, in something that makes no event as well: what is
    /// held, what is final, what is remembered. Whoever publishes the chain asks after every call.
    #[must_use]
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Takes the reason why the store did not take a record: the caller stops with it.
    pub fn take_failure(&mut self) -> Option<J::Error> {
        self.fatal.take()
    }

    /// Why the store did not take a record. Nothing that the engine answers from then on may be told to anybody.
    #[must_use]
    pub fn failure(&self) -> Option<&J::Error> {
        self.fatal.as_ref()
    }

    /// What new work depends on.
    #[must_use]
    pub fn tip(&self) -> TipView {
        let chain = &self.chain;
        let conflict = chain.finality().conflict;
        TipView { tip: chain.tip(), build_on: chain.build_on(), height: chain.height().0, conflict }
    }

    /// The chain, to look at.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The chain, for questions that remember their answers. Use the engine's own methods to change it.
    pub fn chain_mut(&mut self) -> &mut Chain {
        self.changed = true;
        &mut self.chain
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<J> {
        &self.store
    }

    /// Takes a proof, with its list when the sender gave one. What is accepted is stored before this returns.
    pub fn insert(&mut self, proof: BoundProof, list: Option<Vec<ShareId>>, source: Source, now: Timestamp) -> Outcome {
        let id = proof.id();
        self.changed = true;
        let outcome = self.chain.insert(proof, list, source, now);
        match &outcome {
            Outcome::Accepted(changes) | Outcome::Known(changes) => self.commit(changes.clone()),
            // Other rules say something about what came with the proof, or about who brought it.
            Outcome::Invalid(rule) if rule.invalidates_id() => self.store_refusals(&[(id, *rule)]),
            Outcome::Invalid(_) | Outcome::Held(_) | Outcome::Unlistable => {}
        }
        outcome
    }

    /// Takes the list of a link that came without it.
    ///
    /// # Errors
    /// It is not the list that the link commits to.
    pub fn supply_list(&mut self, id: ShareId, list: Vec<ShareId>, now: Timestamp) -> Result<(), RuleError> {
        self.changed = true;
        let changes = self.chain.supply_list(id, list, now)?;
        self.commit(changes);
        Ok(())
    }

    /// Takes Bitcoin headers that the own bitcoind vouches for, or that lie far enough below its tip. They are stored, so
    /// that what was built on them can be judged after a restart, whichever branch bitcoind follows then.
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
        // Before what waited for them, so that a replay finds them first.
        self.append(&new);
        for changes in changed {
            self.commit(changes);
        }
    }

    /// Tells the height of the own bitcoind's tip, and whether the node is in sync with its peers; see
    /// [`Chain::note_own_bitcoin_height`].
    pub fn note_own_bitcoin_height(&mut self, height: u32, in_sync: bool) {
        self.changed = true;
        self.own_bitcoin_height = height;
        self.chain.note_own_bitcoin_height(in_sync.then_some(height));
        self.store_final();
    }

    /// Height of the own bitcoind's tip, as last told.
    #[must_use]
    pub fn own_bitcoin_height(&self) -> u32 {
        self.own_bitcoin_height
    }

    /// Lets time pass for what is held.
    pub fn tick(&mut self, now: Timestamp) {
        self.changed = true;
        let changes = self.chain.tick(now);
        self.commit(changes);
    }

    /// Writes what changed, then notes it for everybody.
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
        self.append(&batch);
        if self.fatal.is_some() {
            return;
        }
        let refused: Vec<_> = changes.refused.iter().map(|refusal| (refusal.id, refusal.rule)).collect();
        self.store_refusals(&refused);
        if let Some(conflict) = changes.conflict {
            error!(
                link = %conflict,
                "a heavier branch would undo final links: this node hands out no work; to follow that branch, stop the \
                 node and start it once with `shoal run --follow-heaviest`"
            );
        }
        if !changes.tips.is_empty() {
            self.store_final();
        }
        self.events.push(ChainEvent::Changed(Arc::new(changes)));
        self.events.extend(blocks.into_iter().map(|block| ChainEvent::Block(Arc::new(block))));
    }

    fn pool_blocks(&mut self, changes: &ChangeSet) -> Vec<PoolBlock> {
        let is_block = |accepted: &&AcceptedProof| PoolBlock::is_block(&accepted.proof, &accepted.id);
        let proofs: Vec<_> = changes.accepted.iter().filter(is_block).collect();
        proofs.into_iter().filter_map(|accepted| PoolBlock::of(&accepted.proof, &mut self.chain)).collect()
    }

    /// Writes records to the journal, all or none. When the journal does not take them, the engine has failed: see
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
