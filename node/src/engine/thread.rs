//! The node's engine: a thread to which everybody else sends closures, and which tells everybody what they changed.

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::error;

use super::{ChainEvent, Engine, TipView};
use crate::limits::{ENGINE_QUEUE, EVENT_QUEUE};
use crate::store::StoreError;

type Call = Box<dyn FnOnce(&mut Running) + Send>;

/// An engine and who listens.
struct Running {
    engine: Engine,
    events: broadcast::Sender<ChainEvent>,
    tip: watch::Sender<TipView>,
}

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
        let call: Call = Box::new(move |running| {
            let result = work(&mut running.engine);
            // What the store did not take must not be announced by whoever asked, who may also have gone meanwhile.
            if running.engine.failure().is_none() {
                running.announce();
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

impl Running {
    /// Tells everybody what the last call changed.
    fn announce(&mut self) {
        let events = self.engine.take_events();
        if events.is_empty() {
            return;
        }
        let view = self.engine.tip();
        self.tip.send_if_modified(|old| {
            let news = *old != view;
            *old = view;
            news
        });
        for event in events {
            // Nobody listens while the node starts.
            let _ = self.events.send(event);
        }
    }
}

impl Engine {
    /// Starts the thread that runs calls, and returns the way to it. A thread of its own, since the store waits for the
    /// disk; one of the runtime, which waits for it when it ends: RocksDB aborts a process that ends while it is closed.
    /// The thread ends when all handles are gone or the store fails; then the returned receiver says why.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(mut self) -> (EngineHandle, oneshot::Receiver<StoreError>) {
        // What changed before can be seen in the chain.
        self.events.clear();
        let (calls, mut queue) = mpsc::channel::<Call>(ENGINE_QUEUE);
        let (tip, tip_seen) = watch::channel(self.tip());
        let events = broadcast::Sender::new(EVENT_QUEUE);
        let handle = EngineHandle { calls, events: events.clone(), tip: tip_seen };
        let mut running = Running { engine: self, events, tip };
        let (failed, failure) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            while let Some(call) = queue.blocking_recv() {
                call(&mut running);
                if let Some(error) = running.engine.fatal.take() {
                    error!(%error, "the store fails; stopping rather than announcing what may be lost");
                    let _ = failed.send(error);
                    return;
                }
            }
        });
        (handle, failure)
    }
}
