//! Observes all nodes once per second, in its own task.

use futures::future::join_all;
use node::api::Status;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api_client::Api;
use crate::limits::OBSERVE_INTERVAL;

/// The last answers of all nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Observation {
    /// The status of each node. `None` if it does not answer.
    pub(super) nodes: Vec<Option<Status>>,
    /// Largest expected hashes of a share, over all tips so far.
    pub(super) share_work_max: f64,
}

/// Observes until it is dropped.
#[derive(Debug)]
pub(super) struct Observer {
    seen: watch::Receiver<Observation>,
    task: JoinHandle<()>,
}

impl Observer {
    pub(super) fn start(apis: Vec<Api>) -> Self {
        let (sender, seen) = watch::channel(Observation::default());
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(OBSERVE_INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut share_work_max = 0.0_f64;
            loop {
                ticks.tick().await;
                let nodes: Vec<Option<Status>> =
                    join_all(apis.iter().map(Api::status)).await.into_iter().map(Result::ok).collect();
                for (api, status) in apis.iter().zip(&nodes) {
                    let Some(status) = status else { continue };
                    if let Ok(work) = api.share_work(&status.tip).await {
                        share_work_max = share_work_max.max(work);
                    }
                }
                if sender.send(Observation { nodes, share_work_max }).is_err() {
                    return;
                }
            }
        });
        Self { seen, task }
    }

    /// Waits for the next observation.
    pub(super) async fn next(&mut self) -> Observation {
        if self.seen.changed().await.is_err() {
            // The task never ends by itself. If it has panicked, no observation will come.
            std::future::pending::<()>().await;
        }
        self.seen.borrow_and_update().clone()
    }

    /// Returns the last observation.
    pub(super) fn last(&self) -> Observation {
        self.seen.borrow().clone()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
