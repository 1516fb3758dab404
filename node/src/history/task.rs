//! Runs the indexer behind the chain, and the pruner behind the indexer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitcoin::{Address, ScriptBuf};
use node_core::engine::Keep;
use tokio::sync::broadcast::error::RecvError;
use tracing::error;

use super::events::EventLog;
use super::indexer::Indexer;
use super::own::OwnPayees;
use super::prune;
use crate::clock::now;
use crate::config::Config;
use crate::consensus::ChainReader;
use crate::limits::{OWN_LOOK, SWEPT_ROWS, SWEPT_ROWS_A_RECORD, SWEPT_ROWS_MAX};
use crate::miners::payees_of;
use crate::store::{Entry, Store, StoreError};

/// Records of one batch: about ten milliseconds of work.
const BATCH: usize = 500;

/// Pause between batches while the chain grows, so that several shares are written at once.
const PAUSE: Duration = Duration::from_millis(200);

/// The node's history: queries and the event log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct History {
    pub(super) store: Arc<Store>,
    event_log: EventLog,
    pub(super) own: Arc<Mutex<OwnPayees>>,
}

/// Sources that determine which rows are kept.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The settings: what the node keeps, and the default payout address.
    pub config: Arc<Config>,
    /// The connected miners, whose payees are this node's own.
    pub stratum: Arc<stratum::Stats>,
}

impl Keeper {
    /// Payout scripts of miners whose work was accepted, then the configured ones.
    fn own_scripts(&self) -> Vec<ScriptBuf> {
        let snapshot = self.stratum.snapshot();
        let working = snapshot.connections.iter().filter(|connection| connection.submits.accepted > 0);
        let configured = self.config.address.as_ref().map(Address::script_pubkey);
        let fee = self.config.stratum.fee.as_ref().map(|fee| fee.address.script_pubkey());
        working.flat_map(payees_of).chain(configured).chain(fee).collect()
    }
}

impl History {
    /// Opens the history in a store.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let event_log = EventLog::open(Arc::clone(&store))?;
        let own = Arc::new(Mutex::new(OwnPayees::load(&store)?));
        Ok(Self { store, event_log, own })
    }

    /// The node's event log.
    #[must_use]
    pub fn event_log(&self) -> &EventLog {
        &self.event_log
    }

    /// Keeps the rows up to date until the engine or the disk fails.
    pub async fn run(self, chain: ChainReader, keeper: Keeper) {
        let mut events = chain.events();
        let mut looked = None;
        loop {
            match self.turn(&chain, &keeper, &mut looked).await {
                Ok(()) => {}
                Err(Some(error)) => {
                    error!(%error, "the history is no longer written; the node continues without it");
                    // The task must not end before the engine: a failed history is no reason to stop the node.
                    while !matches!(events.recv().await, Err(RecvError::Closed)) {}
                    return;
                }
                Err(None) => return,
            }
            if matches!(events.recv().await, Err(RecvError::Closed)) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
            events = events.resubscribe();
        }
    }

    /// Indexes new records, records payees and deep blocks, and removes old rows.
    async fn turn(
        &self,
        chain: &ChainReader,
        keeper: &Keeper,
        looked: &mut Option<Instant>,
    ) -> Result<(), Option<StoreError>> {
        let indexed = self.catch_up(chain).await?;
        if looked.is_none_or(|looked| looked.elapsed() >= OWN_LOOK) {
            *looked = Some(Instant::now());
            let (history, scripts, chain) = (self.clone(), keeper.own_scripts(), chain.chain());
            blocking(move || {
                history.note_own(&scripts)?;
                prune::note_blocks(&history.store, &chain)
            })
            .await?;
        }
        if keeper.config.store.keep == Keep::All {
            return Ok(());
        }
        let mut left = indexed.saturating_mul(SWEPT_ROWS_A_RECORD).saturating_add(SWEPT_ROWS);
        while left > 0 {
            let count = left.min(SWEPT_ROWS_MAX);
            let (history, chain) = (self.clone(), chain.chain());
            blocking(move || history.prune(&chain, count)).await?;
            left -= count;
        }
        Ok(())
    }

    /// Records payout scripts of this node's miners, whose rows are kept.
    pub(super) fn note_own(&self, scripts: &[ScriptBuf]) -> Result<(), StoreError> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).note(scripts, now().0, &self.store)
    }

    /// Checks the next `count` rows, and removes those that are no longer needed.
    pub(super) fn prune(&self, chain: &sharechain::Chain, count: usize) -> Result<(), StoreError> {
        prune::step(&self.store, chain, &self.own.lock().unwrap_or_else(PoisonError::into_inner), count)
    }

    /// Indexes everything in the journal. Returns the number of records that were new.
    ///
    /// # Errors
    /// The disk fails; `None` if the runtime is shutting down.
    pub async fn catch_up(&self, chain: &ChainReader) -> Result<usize, Option<StoreError>> {
        let mut indexed = 0_usize;
        loop {
            let began = Instant::now();
            let (history, chain) = (self.clone(), chain.clone());
            // Read the records first, so that the view knows them.
            match blocking(move || history.index(|| chain.chain())).await? {
                0 => return Ok(indexed),
                count => indexed = indexed.saturating_add(count),
            }
            if indexed >= BATCH {
                // A node that has just synced has a minute of this: half of each moment is for its miners and pages.
                tokio::time::sleep(began.elapsed()).await;
            }
        }
    }

    /// Indexes the next records of the journal. Returns their number. `chain` must know them.
    pub(super) fn index(&self, chain: impl FnOnce() -> Arc<sharechain::Chain>) -> Result<usize, StoreError> {
        let indexer = Indexer::open(&self.store)?;
        let entries: Vec<Entry> = self.store.journal(indexer.next_sequence()).take(BATCH).collect::<Result<_, _>>()?;
        if !entries.is_empty() {
            indexer.take(&entries, &chain())?;
        }
        Ok(entries.len())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Option<StoreError>> {
    tokio::task::spawn_blocking(work).await.map_err(|_| None)?.map_err(Some)
}
