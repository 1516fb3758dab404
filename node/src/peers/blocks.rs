//! Builds Bitcoin blocks that peers announced, off the consensus thread, from the transactions of bitcoind's templates.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use node_core::exchange::Input;
use node_core::jobs::BlockTemplate;
use node_core::limits::FETCHING_MAX;
use node_core::relay::{BlockBuild, Built, Known};
use node_core::sentence;
use tokio::sync::{mpsc, watch};
use tracing::debug;

use crate::bitcoind::{Bitcoind, FeedState};

/// How long a build waits for a newer template, which may have the missing transactions. bitcoind makes one in a tenth
/// of a second, and peers take at least as long to answer.
const TEMPLATE_WAIT: Duration = Duration::from_millis(400);

/// Builds blocks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Builder {
    bitcoind: Bitcoind,
    known: Arc<Mutex<Known>>,
    built: mpsc::Sender<Input>,
}

impl Builder {
    /// A builder, and the receiver of its results. The relay has no more than [`FETCHING_MAX`] builds at a time.
    #[must_use]
    pub fn new(bitcoind: Bitcoind) -> (Self, mpsc::Receiver<Input>) {
        let (built, results) = mpsc::channel(FETCHING_MAX);
        (Self { bitcoind, known: Arc::default(), built }, results)
    }

    /// Keeps the transactions of bitcoind's templates until the feed ends.
    pub async fn follow(self, mut feed: watch::Receiver<FeedState>) {
        loop {
            if let Some(template) = feed.borrow_and_update().template.clone() {
                self.known().push(template);
            }
            if feed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Starts a build. Its result is an input of the exchange.
    pub(crate) fn start(&self, build: BlockBuild) {
        let builder = self.clone();
        tokio::spawn(async move {
            let built = builder.build(Arc::new(build)).await;
            // Fails only while the node is stopping.
            let _ = builder.built.send(Input::Built(built)).await;
        });
    }

    async fn build(&self, build: Arc<BlockBuild>) -> Built {
        let built = self.run(Arc::clone(&build)).await;
        // bitcoind offers a new template at least once a minute. The finder had a different one.
        if built.lacks_some() && self.has_newer_template(&build).await {
            return self.run(build).await;
        }
        built
    }

    async fn run(&self, build: Arc<BlockBuild>) -> Built {
        let templates: Vec<Arc<BlockTemplate>> = self.known().templates();
        let running = tokio::task::spawn_blocking(move || build.run(&templates));
        running.await.expect("hashing does not panic")
    }

    /// Fetches a current template. Returns whether it may help.
    async fn has_newer_template(&self, build: &BlockBuild) -> bool {
        match tokio::time::timeout(TEMPLATE_WAIT, self.bitcoind.template()).await {
            Ok(Ok(template)) if template.prev_block == build.previous() => {
                self.known().push(Arc::new(template));
                true
            }
            // It already has the block, or is on another branch.
            Ok(Ok(_)) | Err(_) => false,
            Ok(Err(error)) => {
                debug!(hash = %build.hash(), error = sentence(&error), "no newer template for a block");
                false
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // The data behind the lock is consistent even after a panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
