//! The state of a bitcoind: its newest template, or its problem.

use std::sync::Arc;

use node_core::jobs::BlockTemplate;
use tokio::sync::watch;
use tokio::time::Instant;

/// Current state of the feed.
#[derive(Debug, Clone, Default)]
pub struct FeedState {
    /// The newest template. It stays when bitcoind is lost, so check `trouble` as well.
    pub template: Option<Arc<BlockTemplate>>,
    /// When the template came; none before the first.
    pub received: Option<Instant>,
    /// Why the template may be out of date, in one sentence for the operator; none if it is current.
    pub trouble: Option<Arc<str>>,
}

impl FeedState {
    /// The newest template's time, plus the time since it came: seconds since 1970. It does not depend on this machine's clock.
    pub fn template_time(&self) -> Option<u32> {
        let passed_s = u32::try_from(self.received?.elapsed().as_secs()).unwrap_or(u32::MAX);
        Some(self.template.as_ref()?.time.saturating_add(passed_s))
    }
}

/// The state of one bitcoind.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Its templates.
    pub(super) state: watch::Receiver<FeedState>,
    /// When it last answered.
    pub(super) heard: watch::Receiver<Instant>,
}
