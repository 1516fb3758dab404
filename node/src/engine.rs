//! The one owner of the share-chain. Everybody else sends it closures; what it accepts is on disk before anybody hears
//! of it.

mod replay;

use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::serialize;
use sharechain::chain::{Chain, Outcome};
use sharechain::change_set::{ChangeSet, Source};
use sharechain::check::binding::BoundProof;
use sharechain::{Height, RuleError, ShareId, Timestamp, encode};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::{error, warn};

use crate::limits::{ENGINE_QUEUE, EVENT_QUEUE};
use crate::pool_block::PoolBlock;
use crate::store::{Record, RecordKind, Store, StoreError};

/// Name under which the last final link is stored.
const FINAL_LINK: [u8; 32] = *b"last final link                 ";

/// Forgets the stored final link, so that the engine opened next follows the heaviest branch of all. Finality grows anew
/// from there.
///
/// # Errors
/// The store cannot be read or written.
pub fn forget_final(store: &Store) -> Result<(), StoreError> {
    match stored_final(store)? {
        Some(link) => warn!(%link, "the final link was forgotten as told: the heaviest branch wins"),
        None => warn!("no final link was stored that could be forgotten: the heaviest branch wins anyway"),
    }
    // A record without a link's id; meta records are replaced, never removed.
    store.append(&[Record { kind: RecordKind::Meta, id: FINAL_LINK, bytes: Vec::new() }])?;
    Ok(())
}

fn stored_final(store: &Store) -> Result<Option<ShareId>, StoreError> {
    let bytes = store.get(RecordKind::Meta, &FINAL_LINK)?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(ShareId))
}

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

/// The chain, its store, and who listens.
#[derive(Debug)]
pub struct Engine {
    chain: Chain,
    store: Arc<Store>,
    events: broadcast::Sender<ChainEvent>,
    tip: watch::Sender<TipView>,
    own_bitcoin_height: u32,
    /// The final link that the store knows.
    stored_final: Option<ShareId>,
    fatal: Option<StoreError>,
}

type Call = Box<dyn FnOnce(&mut Engine) + Send>;

/// A way to the engine; cheap to clone.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    calls: mpsc::Sender<Call>,
    events: broadcast::Sender<ChainEvent>,
    tip: watch::Receiver<TipView>,
}

/// The engine has stopped; its reason was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the share-chain's engine has stopped")]
pub struct EngineStopped;

impl EngineHandle {
    /// Runs `work` on the engine and returns its answer. Calls run one after the other, so keep them short.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn call<T, F>(&self, work: F) -> Result<T, EngineStopped>
    where
        T: Send + 'static,
        F: FnOnce(&mut Engine) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let call: Call = Box::new(move |engine| {
            let result = work(engine);
            // What the store did not take must not be announced by whoever asked, who may also have gone meanwhile.
            if engine.fatal.is_none() {
                let _ = answer.send(result);
            }
        });
        self.calls.send(call).await.map_err(|_| EngineStopped)?;
        answered.await.map_err(|_| EngineStopped)
    }

    /// Events from now on. A listener that falls behind by more than [`EVENT_QUEUE`] misses the oldest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ChainEvent> {
        self.events.subscribe()
    }

    /// The tip, and a way to wait for the next one.
    #[must_use]
    pub fn tip(&self) -> watch::Receiver<TipView> {
        self.tip.clone()
    }
}

impl Engine {
    /// Rebuilds the chain from the store's journal: every proof passes every check again.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(chain: Chain, store: Arc<Store>, now: Timestamp) -> Result<Self, StoreError> {
        let stored_final = stored_final(&store)?;
        let tip = watch::Sender::new(view_of(&chain));
        let events = broadcast::Sender::new(EVENT_QUEUE);
        let mut engine = Self { chain, store, events, tip, own_bitcoin_height: 0, stored_final, fatal: None };
        if let Some(id) = stored_final {
            // Before the replay, so that a branch which conflicted with it does again.
            engine.chain.restore_final(id);
        }
        engine.replay(now)?;
        engine.publish_tip();
        Ok(engine)
    }

    /// Starts the thread that runs calls, and returns the way to it. A thread of its own, since the store waits for the
    /// disk; one of the runtime, which waits for it when it ends: RocksDB aborts a process that ends while it is closed.
    /// The thread ends when all handles are gone or the store fails; then the returned receiver says why.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(mut self) -> (EngineHandle, oneshot::Receiver<StoreError>) {
        let (calls, mut queue) = mpsc::channel::<Call>(ENGINE_QUEUE);
        let handle = EngineHandle { calls, events: self.events.clone(), tip: self.tip.subscribe() };
        let (failed, failure) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            while let Some(call) = queue.blocking_recv() {
                call(&mut self);
                if let Some(error) = self.fatal.take() {
                    error!(%error, "the store fails; stopping rather than announcing what may be lost");
                    let _ = failed.send(error);
                    return;
                }
            }
        });
        (handle, failure)
    }

    /// The chain, to look at.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The chain, for questions that remember their answers. Use the engine's own methods to change it.
    pub fn chain_mut(&mut self) -> &mut Chain {
        &mut self.chain
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Takes a proof, with its list when the sender gave one. What is accepted is stored before this returns.
    pub fn insert(&mut self, proof: BoundProof, list: Option<Vec<ShareId>>, source: Source, now: Timestamp) -> Outcome {
        let id = proof.id();
        let outcome = self.chain.insert(proof, list, source, now);
        match &outcome {
            Outcome::Accepted(changes) | Outcome::Known(changes) => self.commit(changes.clone()),
            // Other rules say something about what came with the proof, or about who brought it.
            Outcome::Invalid(rule) if rule.condemns_id() => self.store_refusals(&[(id, *rule)]),
            Outcome::Invalid(_) | Outcome::Held(_) | Outcome::Unlistable => {}
        }
        outcome
    }

    /// Takes the list of a link that came without it.
    ///
    /// # Errors
    /// It is not the list that the link commits to.
    pub fn supply_list(&mut self, id: ShareId, list: Vec<ShareId>, now: Timestamp) -> Result<(), RuleError> {
        let changes = self.chain.supply_list(id, list, now)?;
        self.commit(changes);
        Ok(())
    }

    /// Takes Bitcoin headers that the own bitcoind vouches for, or that lie far enough below its tip. They are stored, so
    /// that what was built on them can be judged after a restart, whichever branch bitcoind follows then.
    pub fn insert_bitcoin_headers(&mut self, headers: &[Header], now: Timestamp) {
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
        let changes = self.chain.tick(now);
        self.commit(changes);
    }

    /// Writes what changed, then tells everybody.
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
        self.publish_tip();
        // Nobody listens while the node starts.
        let _ = self.events.send(ChainEvent::Changed(Arc::new(changes)));
        for block in blocks {
            let _ = self.events.send(ChainEvent::Block(Arc::new(block)));
        }
    }

    fn pool_blocks(&mut self, changes: &ChangeSet) -> Vec<PoolBlock> {
        let proofs: Vec<_> = changes.accepted.iter().filter(|accepted| PoolBlock::is_block(&accepted.proof)).collect();
        proofs.into_iter().filter_map(|accepted| PoolBlock::of(&accepted.proof, &mut self.chain)).collect()
    }

    fn append(&mut self, batch: &[Record]) {
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

    fn store_final(&mut self) {
        let finality = self.chain.finality();
        if finality.height == Height(0) || self.stored_final == Some(finality.id) {
            return;
        }
        let id = finality.id;
        self.append(&[Record { kind: RecordKind::Meta, id: FINAL_LINK, bytes: id.0.to_vec() }]);
        self.stored_final = Some(id);
    }

    fn publish_tip(&mut self) {
        let view = view_of(&self.chain);
        self.tip.send_if_modified(|old| {
            let news = *old != view;
            *old = view;
            news
        });
    }
}

fn view_of(chain: &Chain) -> TipView {
    let conflict = chain.finality().conflict;
    TipView { tip: chain.tip(), build_on: chain.build_on(), height: chain.height().0, conflict }
}

#[cfg(test)]
pub(crate) mod tests;
