//! Reports the node's state: to the API, and to the log once a minute.

use std::sync::Arc;
use std::time::{Duration, Instant};

use node_core::engine::ChainEvent;
use node_core::exchange::{Phase, SyncState};
use tokio::sync::{broadcast, watch};
use tracing::{debug, info};

use crate::bitcoind::FeedState;
use crate::clock::now;
use crate::consensus::ChainReader;
use crate::isolation::IsolationView;
use crate::miners::WorkState;
use crate::state::{self, BitcoinView, NodeState, PeerView, SyncView};
use node_core::pool_block::PoolBlock;

/// Interval between log lines.
const LINE_INTERVAL: Duration = Duration::from_secs(60);

/// The sources of the node's state.
#[derive(Debug)]
pub(crate) struct Reporter {
    /// Reader of the share-chain.
    pub chain: ChainReader,
    /// bitcoind's block templates.
    pub feed: watch::Receiver<FeedState>,
    /// The node's sync state.
    pub sync: watch::Receiver<SyncState>,
    /// Whether miners get jobs.
    pub work: watch::Receiver<WorkState>,
    /// States in which the node may be cut off.
    pub isolation: watch::Receiver<IsolationView>,
    /// Connected peers.
    pub peers: watch::Receiver<Arc<Vec<PeerView>>>,
    /// Connected miners.
    pub stratum: Arc<stratum::Stats>,
}

impl Reporter {
    /// Runs until the parts it watches are gone.
    pub(crate) async fn run(mut self, state: watch::Sender<NodeState>) {
        let mut events = self.chain.events();
        let mut line = tokio::time::interval(LINE_INTERVAL);
        line.tick().await;
        let mut began = None;
        loop {
            state.send_replace(self.state(&mut began));
            tokio::select! {
                changed = self.feed.changed() => if changed.is_err() { return },
                changed = self.sync.changed() => if changed.is_err() { return },
                changed = self.work.changed() => if changed.is_err() { return },
                changed = self.isolation.changed() => if changed.is_err() { return },
                event = events.recv() => match event {
                    Ok(ChainEvent::Block(block)) => tell_block(&block),
                    Ok(ChainEvent::Changed(_)) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                _ = line.tick() => self.tell_line(),
            }
        }
    }

    /// The state now. `began` is the start of the download's phase, and the bytes received before it.
    fn state(&self, began: &mut Option<(Phase, Instant, u64)>) -> NodeState {
        let sync = *self.sync.borrow();
        *began = match (sync, *began) {
            (SyncState::Syncing { phase, .. }, Some(known)) if known.0 == phase => Some(known),
            (SyncState::Syncing { phase, received_bytes, .. }, _) => Some((phase, Instant::now(), received_bytes)),
            _ => None,
        };
        let feed = self.feed.borrow().clone();
        let template = feed.template.as_deref();
        let (no_work_because, solo_because) = match &*self.work.borrow() {
            WorkState::Working => (None, None),
            WorkState::Solo(reason) => (None, Some(reason.to_string())),
            WorkState::Waiting(reason) => (Some(reason.to_string()), None),
        };
        NodeState {
            sync: SyncView { began: began.map(|(_, since, bytes)| (since, bytes)), ..view_of(sync) },
            no_work_because,
            solo_because,
            states: self.isolation.borrow().states.clone(),
            bitcoin: BitcoinView {
                height: template.map(|template| template.height.saturating_sub(1)),
                tip: template.map(|template| template.prev_block),
                trouble: feed.trouble.as_deref().map(str::to_owned),
                template_value_sat: template.map(|template| template.coinbase_value.to_sat()),
                template_transactions: template.map(|template| template.transactions.len() as u64),
            },
        }
    }

    /// Logs the status line, once a minute.
    fn tell_line(&self) {
        let chain = self.chain.chain();
        let (height, tip, pending, held) =
            (chain.height().0, chain.tip(), chain.pending(usize::MAX).len(), chain.held_len());
        let stratum = self.stratum.snapshot();
        info!(
            height,
            %tip,
            pending,
            held,
            peers = self.peers.borrow().len(),
            miners = stratum.connections.len(),
            hashrate_hs = stratum.hashrate_hs,
            working = matches!(*self.work.borrow(), WorkState::Working),
            solo = matches!(*self.work.borrow(), WorkState::Solo(_)),
            "status"
        );
        for state in &self.isolation.borrow().states {
            let for_s = now().0.saturating_sub(state.since);
            info!(state = state.kind.name(), for_s, todo = state.todo, "{}", state.what);
        }
        if let SyncState::Syncing { phase, done, target, received_bytes } = *self.sync.borrow() {
            info!(?phase, %done, %target, received_bytes, "downloading the share-chain");
        }
    }
}

fn view_of(sync: SyncState) -> SyncView {
    match sync {
        SyncState::Alone => SyncView { state: state::SyncState::Searching, ..SyncView::default() },
        SyncState::Syncing { phase, done, target, received_bytes } => SyncView {
            state: match phase {
                Phase::Headers => state::SyncState::Headers,
                Phase::Rows => state::SyncState::Rows,
                Phase::Proofs => state::SyncState::Shares,
            },
            peers_height: Some(target.0),
            done_height: Some(done.0),
            received_bytes,
            ..SyncView::default()
        },
        SyncState::Synced => SyncView { state: state::SyncState::Synced, ..SyncView::default() },
    }
}

/// Logs the payouts of a pool block. The submission, which every node makes, logs the block itself.
fn tell_block(block: &PoolBlock) {
    debug!(
        hash = %block.hash,
        height = block.height,
        value_sat = block.value_sat,
        payees = block.payouts.len(),
        "the pool found a Bitcoin block"
    );
}
