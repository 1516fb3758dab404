//! Runs the indexer behind the chain.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tracing::error;

use super::events::EventLog;
use super::indexer::{Indexer, judge};
use crate::consensus::ChainReader;
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
}

impl History {
    /// Opens the history in a store.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let event_log = EventLog::open(Arc::clone(&store))?;
        Ok(Self { store, event_log })
    }

    /// The node's event log.
    #[must_use]
    pub fn event_log(&self) -> &EventLog {
        &self.event_log
    }

    /// Keeps the rows up to date until the engine or the disk fails.
    pub async fn run(self, chain: ChainReader) {
        let mut events = chain.events();
        loop {
            match self.catch_up(&chain).await {
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

    /// Indexes everything in the journal.
    ///
    /// # Errors
    /// The disk fails; `None` if the runtime is shutting down.
    pub async fn catch_up(&self, chain: &ChainReader) -> Result<(), Option<StoreError>> {
        loop {
            let store = Arc::clone(&self.store);
            let entries = blocking(move || {
                let from = Indexer::open(&store)?.next_sequence();
                store.journal(from).take(BATCH).collect::<Result<Vec<Entry>, _>>()
            })
            .await?;
            if entries.is_empty() {
                return Ok(());
            }
            let (chain, store) = (chain.chain(), Arc::clone(&self.store));
            blocking(move || Indexer::open(&store)?.take(&entries, &judge(&chain, &entries))).await?;
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Option<StoreError>> {
    tokio::task::spawn_blocking(work).await.map_err(|_| None)?.map_err(Some)
}
