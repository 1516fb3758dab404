//! The ways to the consensus thread.

use std::sync::Arc;

use node_core::engine::{ChainEvent, Engine, TipView};
use sharechain::Chain;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::store::Store;

/// What a call leaves to be done once its changes are published: its answer.
type Answer = Box<dyn FnOnce() + Send>;

/// What the thread is asked for.
pub(super) enum Call {
    /// To run this.
    Run(Box<dyn FnOnce(&mut Engine<Store>) -> Answer + Send>),
    /// To end.
    End,
}

/// A way to change the chain, for the few that do: the job builder and bitcoind's headers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    calls: mpsc::Sender<Call>,
    reader: ChainReader,
}

/// The consensus thread has stopped; its reason was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the share-chain's engine has stopped")]
pub struct EngineStopped;

impl EngineHandle {
    pub(super) const fn new(calls: mpsc::Sender<Call>, reader: ChainReader) -> Self {
        Self { calls, reader }
    }

    /// Runs `work` on the thread and returns its answer, once what it changed is in the journal and published. Calls run one
    /// after the other, so keep them short.
    ///
    /// # Errors
    /// The thread has stopped.
    pub async fn call<T, F>(&self, work: F) -> Result<T, EngineStopped>
    where
        T: Send + 'static,
        F: FnOnce(&mut Engine<Store>) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let call = Call::Run(Box::new(move |engine| {
            let result = work(engine);
            // The asker may be gone meanwhile.
            Box::new(move || drop(answer.send(result)))
        }));
        self.calls.send(call).await.map_err(|_| EngineStopped)?;
        answered.await.map_err(|_| EngineStopped)
    }

    /// Ends the thread, after what was asked of it before.
    pub async fn end(&self) {
        // An error means that it has ended.
        let _ = self.calls.send(Call::End).await;
        self.calls.closed().await;
    }

    /// The chain to read.
    #[must_use]
    pub const fn reader(&self) -> &ChainReader {
        &self.reader
    }
}

/// The chain as it was last published, frozen and shared: reading it takes nothing from the consensus thread. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct ChainReader {
    view: watch::Receiver<Arc<Chain>>,
    tip: watch::Receiver<TipView>,
    events: broadcast::Sender<ChainEvent>,
}

impl ChainReader {
    pub(super) const fn new(
        view: watch::Receiver<Arc<Chain>>,
        tip: watch::Receiver<TipView>,
        events: broadcast::Sender<ChainEvent>,
    ) -> Self {
        Self { view, tip, events }
    }

    /// The newest published chain.
    #[must_use]
    pub fn chain(&self) -> Arc<Chain> {
        Arc::clone(&self.view.borrow())
    }

    /// Events from now on. The chain is published before its events, so whoever hears of one finds it in
    /// [`ChainReader::chain`]. A listener that falls behind by more than [`crate::limits::EVENT_QUEUE`] misses the oldest.
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
