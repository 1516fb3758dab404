//! Runs the indexer behind the chain.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tracing::error;

use super::events::Diary;
use super::indexer::{Indexer, judge};
use crate::engine::EngineHandle;
use crate::store::{Entry, Store, StoreError};

/// Records of one batch: a call of the engine for so many takes less than a millisecond.
const BATCH: usize = 500;

/// Pause between batches while the chain grows, so that several shares are written at once.
const PAUSE: Duration = Duration::from_millis(200);

/// What happened on this node, to read and to add to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct History {
    pub(super) store: Arc<Store>,
    diary: Diary,
}

impl History {
    /// The history in a store.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let diary = Diary::open(Arc::clone(&store))?;
        Ok(Self { store, diary })
    }

    /// The node's diary.
    #[must_use]
    pub fn diary(&self) -> &Diary {
        &self.diary
    }

    /// Keeps the rows up to date until the engine or the disk fails.
    pub async fn run(self, engine: EngineHandle) {
        let mut events = engine.events();
        loop {
            match self.catch_up(&engine).await {
                Ok(()) => {}
                Err(Some(error)) => {
                    error!(%error, "history is not written any more; the node goes on without");
                    // Ends the task only with the engine: history is no reason to stop a node.
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

    /// Makes rows of all that the journal holds.
    ///
    /// # Errors
    /// The disk fails; none when the engine has stopped.
    pub async fn catch_up(&self, engine: &EngineHandle) -> Result<(), Option<StoreError>> {
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
            let asked = engine.call(move |engine| (judge(engine.chain(), &entries), entries)).await;
            let (judged, entries) = asked.map_err(|_| None)?;
            let store = Arc::clone(&self.store);
            blocking(move || Indexer::open(&store)?.take(&entries, &judged)).await?;
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Option<StoreError>> {
    tokio::task::spawn_blocking(work).await.map_err(|_| None)?.map_err(Some)
}
