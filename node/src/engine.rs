//! The one owner of the share-chain. Everybody else sends it closures; what it accepts is on disk before anybody hears
//! of it.

use std::sync::Arc;

use bitcoin::block::Header;
use sharechain::chain::{Chain, Outcome};
use sharechain::change_set::{ChangeSet, Source};
use sharechain::check::binding::BoundProof;
use sharechain::{RuleError, ShareId, Timestamp, encode};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::{error, warn};

use crate::limits::{ENGINE_QUEUE, EVENT_QUEUE};
use crate::pool_block::PoolBlock;
use crate::store::{Record, RecordKind, Store, StoreError};

/// Name under which the last final link is stored.
const FINAL_LINK: [u8; 32] = *b"last final link                 ";

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
}

/// The chain, its store, and who listens.
#[derive(Debug)]
pub struct Engine {
    chain: Chain,
    store: Arc<Store>,
    events: broadcast::Sender<ChainEvent>,
    tip: watch::Sender<TipView>,
    own_bitcoin_height: u32,
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
            // Whoever asked may have gone meanwhile.
            let _ = answer.send(work(engine));
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
        let view = TipView { tip: chain.tip(), build_on: chain.build_on(), height: chain.height().0 };
        let mut engine =
            Self { chain, store, events: broadcast::Sender::new(EVENT_QUEUE), tip: watch::Sender::new(view), own_bitcoin_height: 0, fatal: None };
        engine.replay(now)?;
        if let Some(bytes) = engine.store.get(RecordKind::Meta, &FINAL_LINK)?
            && let Ok(id) = bytes.try_into()
        {
            engine.chain.restore_final(ShareId(id));
        }
        engine.publish_tip();
        Ok(engine)
    }

    fn replay(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let store = Arc::clone(&self.store);
        let mut refused = 0_u64;
        for entry in store.journal(0) {
            let record = entry?.record;
            let outcome = match record.kind {
                RecordKind::Proof => self.replay_proof(&record.bytes, now),
                RecordKind::List => encode::decode_list(&record.bytes)
                    .and_then(|list| self.chain.supply_list(ShareId(record.id), list, now)),
                RecordKind::Block | RecordKind::Refusal | RecordKind::Meta => continue,
            };
            refused += u64::from(outcome.is_err());
        }
        if refused > 0 {
            warn!(refused, "stored proofs are not valid under this program's rules; they are left aside");
        }
        Ok(())
    }

    fn replay_proof(&mut self, bytes: &[u8], now: Timestamp) -> Result<ChangeSet, RuleError> {
        let proof = sharechain::Proof::decode(bytes)?;
        let easiest = self.chain.params().easiest_share_target;
        let bound = BoundProof::bind(proof, easiest, self.chain.consensus_id())?;
        match self.chain.insert(bound, None, Source::default(), now) {
            Outcome::Accepted(changes) | Outcome::Known(changes) => Ok(changes),
            Outcome::Held(_) | Outcome::Unlistable => Ok(ChangeSet::default()),
            Outcome::Invalid(rule) => Err(rule),
        }
    }

    /// Starts the task that runs calls, and returns the way to it. The task ends when all handles are gone or the store
    /// fails; then the returned receiver says why.
    pub fn start(mut self) -> (EngineHandle, oneshot::Receiver<StoreError>) {
        let (calls, mut queue) = mpsc::channel::<Call>(ENGINE_QUEUE);
        let handle = EngineHandle { calls, events: self.events.clone(), tip: self.tip.subscribe() };
        let (failed, failure) = oneshot::channel();
        tokio::spawn(async move {
            while let Some(call) = queue.recv().await {
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
    pub fn insert(
        &mut self,
        proof: BoundProof,
        list: Option<Vec<ShareId>>,
        source: Source,
        now: Timestamp,
    ) -> Outcome {
        let id = proof.id();
        let outcome = self.chain.insert(proof, list, source, now);
        match &outcome {
            Outcome::Accepted(changes) | Outcome::Known(changes) => self.commit(changes.clone()),
            Outcome::Invalid(rule) => self.store_refusals(&[(id, *rule)]),
            Outcome::Held(_) | Outcome::Unlistable => {}
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

    /// Takes Bitcoin headers that the own bitcoind vouches for.
    pub fn insert_bitcoin_headers(&mut self, headers: &[Header], now: Timestamp) {
        for header in headers {
            let changes = self.chain.insert_bitcoin_header(*header, now);
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
        let refused: Vec<_> = changes.refused.iter().map(|refusal| (refusal.id, refusal.rule)).collect();
        self.store_refusals(&refused);
        if let Some(conflict) = changes.conflict {
            error!(link = %conflict, "a heavier branch would undo final links: this node stops handing out work until its operator chooses");
        }
        if !changes.tips.is_empty() {
            self.store_final();
            self.publish_tip();
        }
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
        let id = self.chain.finality().id;
        let known = self.store.get(RecordKind::Meta, &FINAL_LINK);
        if matches!(&known, Ok(Some(bytes)) if bytes.as_slice() == id.0) || self.chain.finality().height.0 == 0 {
            return;
        }
        self.append(&[Record { kind: RecordKind::Meta, id: FINAL_LINK, bytes: id.0.to_vec() }]);
    }

    fn publish_tip(&mut self) {
        let view =
            TipView { tip: self.chain.tip(), build_on: self.chain.build_on(), height: self.chain.height().0 };
        self.tip.send_if_modified(|old| {
            let news = *old != view;
            *old = view;
            news
        });
    }
}
