//! Reports readiness, status, liveness, and shutdown to systemd (sd_notify(3)).

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tracing::debug;

use crate::consensus::EngineHandle;
use crate::state::NodeState;

/// Interval of the liveness check while systemd runs no watchdog.
const UNWATCHED: Duration = Duration::from_secs(600);

/// Reports to systemd. Does nothing without it.
#[derive(Debug)]
pub(super) struct Service {
    /// The node's state.
    pub(super) state: watch::Receiver<NodeState>,
    /// The consensus thread, once there is one.
    pub(super) engine: watch::Receiver<Option<EngineHandle>>,
}

impl Service {
    /// Reports for as long as the process runs. The node is ready as soon as it serves its pages: bitcoind may take
    /// hours.
    pub(super) async fn run(mut self) {
        let half = sd_notify::watchdog_enabled().map_or(UNWATCHED, |limit| limit / 2);
        let mut beat = tokio::time::interval(half);
        let mut told = doing(&self.state.borrow_and_update());
        tell(&[NotifyState::Ready, NotifyState::Status(&told)]);
        loop {
            tokio::select! {
                changed = self.state.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                    let now = doing(&self.state.borrow_and_update());
                    if now != told {
                        told = now;
                        tell(&[NotifyState::Status(&told)]);
                    }
                }
                _ = beat.tick() => {
                    let engine = self.engine.borrow().clone();
                    if lives(engine, half).await {
                        tell(&[NotifyState::Watchdog]);
                    }
                }
            }
        }
    }
}

/// Reports that the node is stopping.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "cannot report to systemd");
    }
}

/// True if the consensus thread answers in time, or has not begun.
async fn lives(engine: Option<EngineHandle>, limit: Duration) -> bool {
    let Some(engine) = engine else { return true };
    tokio::time::timeout(limit, engine.call(|_| ())).await.is_ok_and(|answer| answer.is_ok())
}

fn doing(state: &NodeState) -> String {
    match (&state.no_work_because, &state.solo_because) {
        (Some(reason), _) => format!("No work for miners: {reason}"),
        (None, Some(reason)) => format!("Miners work solo: {reason}"),
        (None, None) => "Miners have work".to_owned(),
    }
}
