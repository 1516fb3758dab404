//! Handles of the consensus thread.

use std::sync::Arc;

use node_core::engine::{ChainEvent, Engine, TipView};
use sharechain::Chain;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::limits::EVENT_QUEUE;
use crate::store::Store;

/// Sends a call's answer, once its changes are published.
type Answer = Box<dyn FnOnce() + Send>;

/// Work on the engine.
type Work = Box<dyn FnOnce(&mut Engine<Store>) -> Answer + Send>;

/// A call to the thread.
pub(super) enum Call {
    /// Runs a closure on the engine.
    Run(Work),
    /// Ends the thread.
    End,
}

/// Changes the chain; used by the job builder and for bitcoind's headers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    calls: mpsc::Sender<Call>,
    reader: ChainReader,
}

/// The consensus thread has stopped. It has logged the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the share-chain's engine has stopped")]
pub struct EngineStopped;

impl EngineHandle {
    pub(super) const fn new(calls: mpsc::Sender<Call>, reader: ChainReader) -> Self {
        Self { calls, reader }
    }

    /// Runs `work` on the thread, and returns its result once its changes are in the journal and published. Calls run
    /// one after the other, so keep them short.
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
            // The caller may be gone by now.
            Box::new(move || drop(answer.send(result)))
        }));
        self.calls.send(call).await.map_err(|_| EngineStopped)?;
        answered.await.map_err(|_| EngineStopped)
    }

    /// Ends the thread, after all earlier calls.
    pub async fn end(&self) {
        // An error means that the thread has already ended.
        let _ = self.calls.send(Call::End).await;
        self.calls.closed().await;
    }

    /// A reader of the chain.
    #[must_use]
    pub const fn reader(&self) -> &ChainReader {
        &self.reader
    }
}

/// The chain as last published, immutable and shared: reading it takes no time from the consensus thread. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct ChainReader {
    view: watch::Receiver<Arc<Chain>>,
    tip: watch::Receiver<TipView>,
    events: broadcast::Sender<ChainEvent>,
}

/// The place where the thread publishes its chain. Readers can exist before the thread does.
#[derive(Debug)]
pub struct Views {
    pub(super) view: watch::Sender<Arc<Chain>>,
    pub(super) tip: watch::Sender<TipView>,
    pub(super) events: broadcast::Sender<ChainEvent>,
}

impl Views {
    /// Publishes a chain until the thread publishes its own.
    #[must_use]
    pub fn of(chain: Chain) -> Self {
        let tip = TipView { tip: chain.tip(), build_on: chain.build_on(), height: chain.height().0 };
        let events = broadcast::Sender::new(EVENT_QUEUE);
        Self { view: watch::Sender::new(Arc::new(chain)), tip: watch::Sender::new(tip), events }
    }

    /// A reader of what is published.
    #[must_use]
    pub fn reader(&self) -> ChainReader {
        ChainReader { view: self.view.subscribe(), tip: self.tip.subscribe(), events: self.events.clone() }
    }
}

impl ChainReader {
    /// The newest published chain.
    #[must_use]
    pub fn chain(&self) -> Arc<Chain> {
        Arc::clone(&self.view.borrow())
    }

    /// Subscribes to events. The chain is published before its events, so [`ChainReader::chain`] already contains them.
    /// A listener that falls behind by more than [`crate::limits::EVENT_QUEUE`] misses the oldest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ChainEvent> {
        self.events.subscribe()
    }

    /// The tip, as a channel that can wait for the next one.
    #[must_use]
    pub fn tip(&self) -> watch::Receiver<TipView> {
        self.tip.clone()
    }
}
