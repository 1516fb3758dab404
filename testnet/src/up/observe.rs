//! Looks at all nodes once a second, away from the loop that shows them.

use futures::future::join_all;
use node::api::Status;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api_client::Api;
use crate::limits::OBSERVE_INTERVAL;

/// What the nodes said last.
#[derive(Debug, Clone, Default)]
pub(super) struct Observation {
    /// The status of each node that answers.
    pub(super) nodes: Vec<Option<Status>>,
    /// The most expected hashes that a share ever took, over all tips seen.
    pub(super) share_work_max: f64,
}

/// Looks until it is dropped.
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

    /// Waits for the next look at everybody.
    pub(super) async fn next(&mut self) -> Observation {
        if self.seen.changed().await.is_err() {
            // The task never ends by itself; if it panicked, nothing new will come.
            std::future::pending::<()>().await;
        }
        self.seen.borrow_and_update().clone()
    }

    /// What was seen last.
    pub(super) fn last(&self) -> Observation {
        self.seen.borrow().clone()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
