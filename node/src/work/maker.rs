//! Keeps the miners' work up to date: a new draft whenever bitcoind's template or the share-chain's tip changes.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use super::draft::{Draft, Place};
use super::pool::Miners;
use super::trim::Body;
use crate::bitcoind::{Bitcoind, BlockTemplate, FeedState, ProposalVerdict};
use crate::clock::now;
use crate::engine::{EngineHandle, EngineStopped};
use crate::error::sentence;
use crate::headers::HeaderSource;
use crate::limits::{DRAFT_INTERVAL, DRAFT_RETRY};

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
        let mut known = Known::default();
        // bitcoind's first answer comes at once as a rule, so that its absence is no news yet.
        if self.feed.wait_for(|feed| feed.template.is_some() || feed.trouble.is_some()).await.is_err() {
            return;
        }
        loop {
            tip.mark_unchanged();
            let made = self.make(&mut known).await;
            let pause = if made.is_ok() { DRAFT_INTERVAL } else { DRAFT_RETRY };
            self.announce(made);
            tokio::select! {
                changed = self.feed.changed() => if changed.is_err() { return },
                changed = tip.changed() => if changed.is_err() { return },
                changed = self.sync_trouble.changed() => if changed.is_err() { return },
                // Time moves on in the headers, and shares gather that the next link should list.
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Makes a draft of what is newest.
    async fn make(&mut self, known: &mut Known) -> Result<Arc<Draft>, Arc<str>> {
        let feed = self.feed.borrow_and_update().clone();
        if let Some(trouble) = feed.trouble {
            return Err(trouble);
        }
        let template = feed.template.ok_or("bitcoind gave no template yet")?;
        let synced = self.headers.follow(&template.prev_block).await;
        synced.map_err(|error| Arc::from(sentence(&error)))?;
        self.note_height(&template).await;
        if let Some(trouble) = self.sync_trouble.borrow_and_update().clone() {
            return Err(trouble);
        }
        let draft = draft(&self.engine, &template, known).await?;
        if !known.checked.as_ref().is_some_and(|last| Arc::ptr_eq(last, &template)) {
            known.checked = Some(template);
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
                    error!(
                        reason,
                        height = draft.template.height,
                        "bitcoind would refuse a block of this node's own template"
                    );
                }
                Err(error) => debug!(error = sentence(&error), "bitcoind could not be asked about the template"),
            }
        });
    }
}

/// What the maker remembers from one draft to the next.
#[derive(Debug, Default)]
struct Known {
    /// The body of the newest template: a new link changes a draft's place, seldom its body.
    body: Option<(Arc<BlockTemplate>, u64, Arc<Body>)>,
    /// The template that bitcoind was last asked about.
    checked: Option<Arc<BlockTemplate>>,
}

impl Known {
    /// The part of `template` that leaves room for the coinbase; hashed beside the tasks, since it may be thousands of
    /// transactions.
    async fn body(&mut self, template: &Arc<BlockTemplate>, coinbase_weight: u64) -> Arc<Body> {
        if let Some((of, weight, body)) = &self.body
            && Arc::ptr_eq(of, template)
            && *weight == coinbase_weight
        {
            return Arc::clone(body);
        }
        let base = Arc::clone(template);
        let fitting = tokio::task::spawn_blocking(move || Arc::new(Body::fit(&base, coinbase_weight)));
        let body = fitting.await.expect("hashing does not panic");
        self.body = Some((Arc::clone(template), coinbase_weight, Arc::clone(&body)));
        body
    }
}

/// A draft on the chain's tip that passes the check of peers. The engine is asked twice and hashes nothing large.
async fn draft(
    engine: &EngineHandle,
    template: &Arc<BlockTemplate>,
    known: &mut Known,
) -> Result<Arc<Draft>, Arc<str>> {
    let stopped = |error: EngineStopped| Arc::<str>::from(error.to_string());
    let prev_block = template.prev_block;
    let place = engine.call(move |engine| Place::find(engine.chain_mut(), &prev_block)).await.map_err(stopped)?;
    let place = place.map_err(|error| Arc::<str>::from(sentence(&error)))?;
    let body = known.body(template, place.coinbase_weight()).await;
    let draft = Draft::new(Arc::clone(template), body, place, now()).map_err(|error| Arc::from(sentence(&error)))?;
    let judged = Arc::clone(&draft);
    let checked = engine.call(move |engine| judged.check(engine.chain_mut(), now())).await.map_err(stopped)?;
    checked.map_err(|error| Arc::from(sentence(&error)))?;
    Ok(draft)
}
