//! Streams the share-chain of a running node into its archive: from the journal into a queue on disk, and from there
//! into the database. Mining never waits for either.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use archive::limits::{LOOK, REFUSED_RETRY, SLOW};
use archive::patient::PatientWriter;
use archive::queue::{Queue, Queued};
use archive::writer::Cursor;
use archive::{ArchiveError, ArchiveUrl};
use bitcoin::hashes::{Hash, sha256};
use ed25519_dalek::SigningKey;
use node_core::engine::ChainEvent;
use node_core::sentence;
use sharechain::ChainParams;
use sharechain::change_set::TipChange;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::follow::{Follower, Step};
use crate::config::Config;
use crate::consensus::ChainReader;
use crate::limits::STOP_TIMEOUT;
use crate::state::ArchiveState;
use crate::store::Store;

/// Name of the queue's folder in the data folder.
const FOLDER: &str = "archive-queue";

/// Sources and targets of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Streamer {
    /// The journal.
    pub(super) store: Arc<Store>,
    /// The share-chain.
    pub(super) chain: ChainReader,
    /// The database.
    pub(super) url: ArchiveUrl,
    /// The pool.
    pub(super) params: ChainParams,
    /// Folder of the queue.
    pub(super) folder: PathBuf,
    /// What the node is called in the database: the hash of its public key.
    pub(super) source: [u8; 32],
    /// How far the database is behind.
    pub(super) state: ArchiveState,
    /// Changes of the tip before the node ended, oldest first: the archive may lack the last ones.
    pub(super) replayed: Vec<TipChange>,
}

/// A running [`Streamer`].
#[derive(Debug)]
pub(crate) struct Streaming {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Streaming {
    /// Queues what only the running node knows, and ends. Call it once the share-chain no longer changes.
    pub(crate) async fn end(self) {
        let _ended = self.stop.send(());
        // The disk may hang.
        let _ = tokio::time::timeout(STOP_TIMEOUT, self.task).await;
    }
}

type SharedQueue = Arc<Mutex<Queue>>;

fn locked(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs disk work off the threads that serve miners. `None` if the runtime is shutting down.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

impl Streamer {
    /// Starts to stream, if an archive is configured. The node can run without it.
    pub(crate) fn start(
        config: &Config,
        store: &Arc<Store>,
        chain: &ChainReader,
        (key, replayed): (&SigningKey, Vec<TipChange>),
        state: ArchiveState,
    ) -> Option<Streaming> {
        let url = config.archive.clone()?;
        let streamer = Self {
            store: Arc::clone(store),
            chain: chain.clone(),
            url,
            params: config.chain_params(),
            folder: config.data_dir.join(FOLDER),
            source: sha256::Hash::hash(key.verifying_key().as_bytes()).to_byte_array(),
            state,
            replayed,
        };
        Some(streamer.spawn())
    }

    pub(super) fn spawn(self) -> Streaming {
        let (stop, stopped) = oneshot::channel();
        Streaming { stop, task: tokio::spawn(self.run(stopped)) }
    }

    /// Streams until the node ends. Failures are logged and retried: the node continues without its archive.
    async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        loop {
            let folder = self.folder.clone();
            match blocking(move || Queue::open(&folder)).await {
                None => return,
                Some(Ok(queue)) => {
                    // A journal that was lost or moved away begins again.
                    let written = queue.oldest().filter(|oldest| *oldest < self.store.next_sequence());
                    self.state.opened(queue.bytes(), written.unwrap_or(0));
                    let queue = Arc::new(Mutex::new(queue));
                    let replayed = std::mem::take(&mut self.replayed);
                    tokio::select! {
                        () = self.clone().gather(Arc::clone(&queue), replayed, &mut stop) => return,
                        () = self.clone().send(queue) => return,
                    }
                }
                Some(Err(error)) => {
                    let folder = self.folder.display();
                    error!(%error, "the archive's queue {folder} cannot be read; the archive gets nothing until it can");
                    tokio::select! {
                        () = tokio::time::sleep(REFUSED_RETRY) => {}
                        _ = &mut stop => return,
                    }
                }
            }
        }
    }

    /// Reads the journal into the queue, until the node ends.
    async fn gather(self, queue: SharedQueue, replayed: Vec<TipChange>, stop: &mut oneshot::Receiver<()>) {
        let Self { store, chain, state, .. } = self;
        let mut events = chain.events();
        let (own, shared) = (Arc::clone(&store), Arc::clone(&queue));
        let Some(mut follower) = blocking(move || Follower::new(own, &mut locked(&shared))).await else { return };
        follower.changed(&replayed, &chain.chain());
        let mut look = tokio::time::interval(LOOK);
        let mut was_full = false;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(ChainEvent::Changed(changes)) => follower.changed(&changes.tips, &chain.chain()),
                    Ok(ChainEvent::Block(_)) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                },
                _ = look.tick() => {
                    let (queue, chain) = (Arc::clone(&queue), chain.clone());
                    let (store, state) = (Arc::clone(&store), state.clone());
                    let step = move || {
                        let newest = store.next_sequence().saturating_sub(1);
                        let mut queue = locked(&queue);
                        let step = follower.step(&mut queue, &chain);
                        if matches!(step, Ok(Step::Done)) && queue.waiting() == 0 && follower.is_empty() {
                            state.set_written(newest);
                        }
                        state.set_queue(queue.bytes());
                        drop(queue);
                        (follower, step)
                    };
                    let Some((back, step)) = blocking(step).await else { return };
                    follower = back;
                    let is_full = matches!(step, Ok(Step::Full));
                    if let Err(error) = step {
                        error!(error = sentence(&error), "the share-chain cannot be queued for the archive; trying again");
                    }
                    if is_full && !was_full {
                        error!("the archive's queue is full: the archive will lack what the node forgets; see specs/archive.md");
                    }
                    was_full = is_full;
                }
                _ = &mut *stop => break,
            }
        }
        while let Ok(event) = events.try_recv() {
            if let ChainEvent::Changed(changes) = event {
                follower.changed(&changes.tips, &chain.chain());
            }
        }
        if let Some(Err(error)) = blocking(move || follower.last_step(&mut locked(&queue), &chain)).await {
            error!(%error, "the share-chain's newest records cannot be queued for the archive");
        }
    }

    /// Writes the queue into the database.
    async fn send(self, queue: SharedQueue) {
        let writer = PatientWriter::new(self.url.clone(), self.params.clone(), Duration::MAX);
        let mut writer = writer.reporting(self.state.trouble().clone());
        let mut is_streaming = false;
        loop {
            let front = Arc::clone(&queue);
            let Some(front) = blocking(move || locked(&front).front()).await else { return };
            let written = match front {
                Ok(None) => {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                Ok(Some(queued)) => self.write_warning(&mut writer, &queued, &queue, &mut is_streaming).await,
                Err(error) => Err(error.to_string()),
            };
            let done = match written {
                Ok(position) => self.remove_front(&queue, position).await,
                Err(error) => Some(Err(error)),
            };
            match done {
                None => return,
                Some(Ok(())) => {
                    if !std::mem::replace(&mut is_streaming, true) {
                        info!("this node's share-chain streams into the archive's database");
                    }
                }
                Some(Err(error)) => {
                    warn!(error, "the archive cannot be used; trying again in a minute");
                    is_streaming = false;
                    tokio::time::sleep(REFUSED_RETRY).await;
                }
            }
        }
    }

    /// Like [`Self::write`], but warns if the database takes long.
    async fn write_warning(
        &self,
        writer: &mut PatientWriter,
        queued: &Queued,
        queue: &SharedQueue,
        is_streaming: &mut bool,
    ) -> Result<u64, String> {
        let mut writing = pin!(self.write(writer, queued));
        if let Ok(written) = tokio::time::timeout(SLOW, &mut writing).await {
            return written;
        }
        let queue = Arc::clone(queue);
        let waiting = blocking(move || locked(&queue).waiting()).await.unwrap_or_default();
        warn!(waiting, "the archive's database rejects a batch; the node continues, and its queue grows");
        *is_streaming = false;
        writing.await
    }

    /// Removes the written batch from the queue. `None` if the runtime is shutting down.
    async fn remove_front(&self, queue: &SharedQueue, position: u64) -> Option<Result<(), String>> {
        let (queue, state) = (Arc::clone(queue), self.state.clone());
        let remove = move || {
            let mut queue = locked(&queue);
            queue.take()?;
            state.set_written(position);
            state.set_queue(queue.bytes());
            Ok(())
        };
        blocking(move || remove().map_err(|error: io::Error| error.to_string())).await
    }

    /// Returns the batch's position in the journal.
    async fn write(&self, writer: &mut PatientWriter, queued: &Queued) -> Result<u64, String> {
        let Some(batch) = &queued.batch else {
            error!(
                position = queued.position,
                "a file of the archive's queue is damaged or missing and was skipped: the archive lacks its rows"
            );
            return Ok(queued.position);
        };
        let cursor = Cursor { source: self.source, position: queued.position, digest: [0; 32] };
        let written: Result<u64, ArchiveError> = writer.write(batch, &cursor, None).await;
        written.map(|_| queued.position).map_err(|error| sentence(&error))
    }
}
