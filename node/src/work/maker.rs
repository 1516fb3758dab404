//! Keeps the miners' work up to date: a new draft whenever bitcoind's template or the share-chain's tip changes.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use super::draft::{Draft, DraftError};
use super::pool::Miners;
use crate::bitcoind::{Bitcoind, BlockTemplate, FeedState, ProposalVerdict};
use crate::clock::now;
use crate::engine::EngineHandle;
use crate::error::sentence;
use crate::headers::HeaderSource;
use crate::limits::DRAFT_INTERVAL;

/// Whether miners have work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkState {
    /// They have.
    Working,
    /// They have not, for this reason.
    Waiting(Arc<str>),
}

/// What the maker watches and feeds.
#[derive(Debug)]
pub struct Maker {
    /// bitcoind.
    pub bitcoind: Bitcoind,
    /// Its templates.
    pub feed: watch::Receiver<FeedState>,
    /// The share-chain.
    pub engine: EngineHandle,
    /// Brings Bitcoin's headers into the share-chain.
    pub headers: HeaderSource,
    /// The miners.
    pub miners: Arc<Miners>,
    /// `Some(reason)` while the node is not in sync with its peers.
    pub sync_trouble: watch::Receiver<Option<Arc<str>>>,
    /// What the maker says of itself.
    pub state: watch::Sender<WorkState>,
}

impl Maker {
    /// Runs until the engine stops.
    pub async fn run(mut self) {
        let mut tip = self.engine.tip();
        let mut checked = None;
        loop {
            let made = self.make(&mut checked).await;
            self.announce(made);
            tokio::select! {
                changed = self.feed.changed() => if changed.is_err() { return },
                changed = tip.changed() => if changed.is_err() { return },
                changed = self.sync_trouble.changed() => if changed.is_err() { return },
                // Time moves on in the headers, and shares gather that the next link should list.
                () = tokio::time::sleep(DRAFT_INTERVAL) => {}
            }
        }
    }

    /// Makes a draft of what is newest. `checked` is the template that bitcoind was last asked about.
    async fn make(&mut self, checked: &mut Option<Arc<BlockTemplate>>) -> Result<Arc<Draft>, Arc<str>> {
        let feed = self.feed.borrow_and_update().clone();
        let template = feed.template.ok_or_else(|| feed.trouble.clone().unwrap_or_else(|| "bitcoind gave no template yet".into()))?;
        if let Some(trouble) = feed.trouble {
            return Err(trouble);
        }
        let synced = self.headers.follow(&template.prev_block).await;
        synced.map_err(|error| Arc::from(sentence(&error)))?;
        self.note_height(&template).await;
        if let Some(trouble) = self.sync_trouble.borrow_and_update().clone() {
            return Err(trouble);
        }
        let base = Arc::clone(&template);
        let made = self.engine.call(move |engine| Draft::new(base, engine.chain_mut(), now())).await;
        let draft = Arc::new(made.map_err(|error| error.to_string())?.map_err(|error| explain(&error))?);
        if !checked.as_ref().is_some_and(|last| Arc::ptr_eq(last, &template)) {
            *checked = Some(template);
            self.check_with_bitcoind(Arc::clone(&draft));
        }
        Ok(draft)
    }

    async fn note_height(&self, template: &BlockTemplate) {
        let in_sync = self.sync_trouble.borrow().is_none();
        let height = template.height.saturating_sub(1);
        // The engine's end is noticed by the call that follows.
        let _ = self.engine.call(move |engine| engine.note_own_bitcoin_height(height, in_sync)).await;
    }

    fn announce(&self, made: Result<Arc<Draft>, Arc<str>>) {
        let state = match made {
            Ok(draft) => {
                debug!(height = draft.template.height, parent = %draft.assignment.parent, "new work");
                self.miners.set_draft(Some(draft));
                WorkState::Working
            }
            Err(reason) => {
                self.miners.set_draft(None);
                WorkState::Waiting(reason)
            }
        };
        self.state.send_if_modified(|old| {
            let news = *old != state;
            if news {
                match &state {
                    WorkState::Working => info!("miners have work"),
                    WorkState::Waiting(reason) => warn!(reason = &**reason, "miners have no work"),
                }
                *old = state;
            }
            news
        });
    }

    /// Asks bitcoind, beside the miners' work, whether it would accept the block: a node that mines invalid blocks
    /// should not have to find one to learn it.
    fn check_with_bitcoind(&self, draft: Arc<Draft>) {
        let bitcoind = self.bitcoind.clone();
        tokio::spawn(async move {
            let block = draft.proposal();
            match bitcoind.propose_block(&block).await {
                Ok(ProposalVerdict::Valid | ProposalVerdict::NotOnTip) => {}
                Ok(ProposalVerdict::Rejected { reason }) => {
                    error!(reason, height = draft.template.height, "bitcoind would refuse a block of this node's own template");
                }
                Err(error) => debug!(error = sentence(&error), "bitcoind could not be asked about the template"),
            }
        });
    }
}

fn explain(error: &DraftError) -> Arc<str> {
    if let DraftError::Template(_) = error {
        error!(%error, "this node's own template fails the check of its peers");
    }
    Arc::from(sentence(error))
}
