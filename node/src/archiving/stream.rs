//! Streams the share-chain of a running node into its archive: from the journal into a queue on disk, and from there into the
//! database. Mining waits for neither.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
use tokio::sync::broadcast::error::RecvError;
use tracing::{error, info, warn};

use super::follow::{Follower, Step};
use crate::config::Config;
use crate::consensus::ChainReader;
use crate::store::Store;

/// Name of the queue's folder in the data folder.
const FOLDER: &str = "archive-queue";

/// What streams.
#[derive(Clone, Debug)]
pub(crate) struct Streamer {
    /// The journal.
    store: Arc<Store>,
    /// The share-chain.
    chain: ChainReader,
    /// The database.
    url: ArchiveUrl,
    /// The pool.
    params: ChainParams,
    /// Folder of the queue.
    folder: PathBuf,
    /// What the node is called in the database: the hash of its public key.
    source: [u8; 32],
}

type SharedQueue = Arc<Mutex<Queue>>;

fn locked(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work on the disk off the threads that serve miners. `None` if the runtime is shutting down.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

impl Streamer {
    /// Starts to stream, if an archive is configured. Not one of the parts that a node cannot run without.
    pub(crate) fn start(config: &Config, store: &Arc<Store>, chain: &ChainReader, key: &SigningKey) {
        let Some(url) = config.archive.clone() else { return };
        let streamer = Self {
            store: Arc::clone(store),
            chain: chain.clone(),
            url,
            params: config.chain_params(),
            folder: config.data_dir.join(FOLDER),
            source: sha256::Hash::hash(key.verifying_key().as_bytes()).to_byte_array(),
        };
        tokio::spawn(streamer.run());
    }

    /// Streams until the node ends. What fails is logged and tried again: the node goes on without its archive.
    pub(crate) async fn run(self) {
        loop {
            let folder = self.folder.clone();
            match blocking(move || Queue::open(&folder)).await {
                None => return,
                Some(Ok(queue)) => {
                    let queue = Arc::new(Mutex::new(queue));
                    tokio::select! {
                        () = self.clone().gather(Arc::clone(&queue)) => return,
                        () = self.clone().send(queue) => return,
                    }
                }
                Some(Err(error)) => {
                    let folder = self.folder.display();
                    error!(%error, "the archive's queue {folder} cannot be read; the archive gets nothing until it can");
                    tokio::time::sleep(REFUSED_RETRY).await;
                }
            }
        }
    }

    /// Reads the journal into the queue.
    async fn gather(self, queue: SharedQueue) {
        let Self { store, chain, .. } = self;
        let mut events = chain.events();
        let position = locked(&queue).position();
        let mut follower = Follower::new(store, position);
        let mut look = tokio::time::interval(LOOK);
        let mut was_full = false;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(ChainEvent::Changed(changes)) => follower.changed(&changes, &chain.chain()),
                    Ok(ChainEvent::Block(_)) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                _ = look.tick() => {
                    let (queue, chain) = (Arc::clone(&queue), chain.clone());
                    let step = move || {
                        let step = follower.step(&mut locked(&queue), &chain);
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
            }
        }
    }

    /// Writes the queue into the database.
    async fn send(self, queue: SharedQueue) {
        let mut writer = PatientWriter::new(self.url.clone(), self.params.clone(), Duration::MAX);
        let mut told = None::<Instant>;
        loop {
            let (front, slow) = (Arc::clone(&queue), Arc::clone(&queue));
            let Some(front) = blocking(move || locked(&front).front()).await else { return };
            let sent = match front {
                Ok(None) => {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                Ok(Some(queued)) => {
                    let mut writing = pin!(self.write(&mut writer, &queued));
                    let soon = tokio::time::timeout(SLOW, &mut writing).await;
                    match soon {
                        Ok(sent) => sent,
                        Err(_) => {
                            let waiting = blocking(move || locked(&slow).waiting()).await.unwrap_or_default();
                            warn!(
                                waiting,
                                "the archive's database does not take a batch; the node goes on, and its queue grows"
                            );
                            told = None;
                            writing.await
                        }
                    }
                }
                Err(error) => Err(error.to_string()),
            };
            let taken = Arc::clone(&queue);
            let done = match sent {
                Ok(()) => blocking(move || locked(&taken).take().map_err(|error| error.to_string())).await,
                Err(error) => Some(Err(error)),
            };
            match done {
                None => return,
                Some(Ok(())) if told.is_none() => {
                    info!("the archive's database takes what this node's share-chain gets");
                    told = Some(Instant::now());
                }
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    warn!(error, "the archive got nothing; trying again in a minute");
                    told = None;
                    tokio::time::sleep(REFUSED_RETRY).await;
                }
            }
        }
    }

    async fn write(&self, writer: &mut PatientWriter, queued: &Queued) -> Result<(), String> {
        let Some(batch) = &queued.batch else {
            error!(
                position = queued.position,
                "a file of the archive's queue is damaged or gone, and left out: the archive lacks its rows"
            );
            return Ok(());
        };
        let cursor = Cursor { source: self.source, position: queued.position, digest: [0; 32] };
        let written: Result<u64, ArchiveError> = writer.write(batch, &cursor, None).await;
        written.map(drop).map_err(|error| sentence(&error))
    }
}
