//! The job builder's task, which keeps the job template up to date. [`JobBuilder`] makes the decisions; this task
//! waits, queries bitcoind and hashes.

use std::sync::Arc;
use std::time::Instant;

use node_core::isolation::{Cause, Work};
use node_core::jobs::{BlockTemplate, CoinbaseCost, Contents, JobBuilder, JobError, JobPosition, JobTemplate, Trigger};
use node_core::sentence;
use sharechain::Timestamp;
use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use super::pool::Miners;
use crate::bitcoind::{Bitcoind, FeedState, ProposalVerdict};
use crate::clock::now;
use crate::consensus::{EngineHandle, EngineStopped};
use crate::headers::HeaderSource;
use crate::isolation::IsolationView;

/// Whether miners get jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkState {
    /// Miners get jobs of the pool.
    Working,
    /// Miners get jobs of solo work, for this reason.
    Solo(Arc<str>),
    /// Miners get no jobs, for this reason.
    Waiting(Arc<str>),
}

/// Inputs and outputs of the job builder's task.
#[derive(Debug)]
pub struct JobBuilderTask {
    /// Client of bitcoind, for headers and block proposals.
    pub bitcoind: Bitcoind,
    /// bitcoind's block templates.
    pub feed: watch::Receiver<FeedState>,
    /// Handle of the share-chain's engine.
    pub engine: EngineHandle,
    /// Inserts bitcoind's headers into the share-chain.
    pub headers: HeaderSource,
    /// The pool behind the Stratum server.
    pub miners: Arc<Miners>,
    /// Why the node is not in sync with its peers; none while it is.
    pub sync_trouble: watch::Receiver<Option<Arc<str>>>,
    /// What miners work on.
    pub isolation: watch::Receiver<IsolationView>,
    /// Publishes whether miners get jobs.
    pub state: watch::Sender<WorkState>,
}

/// Why there is no job template.
#[derive(Debug)]
struct NoTemplate {
    reason: Arc<str>,
    /// True if there will be none for long, so that miners should not wait.
    for_long: bool,
}

impl From<Arc<str>> for NoTemplate {
    fn from(reason: Arc<str>) -> Self {
        Self { reason, for_long: false }
    }
}

fn reason(error: &dyn std::error::Error) -> NoTemplate {
    NoTemplate::from(Arc::from(sentence(error)))
}

impl JobBuilderTask {
    /// Runs until the engine stops.
    pub async fn run(mut self) {
        let mut tip = self.engine.reader().tip();
        let mut builder = JobBuilder::default();
        let mut work = Work::Pool;
        let started = Instant::now();
        // bitcoind's first answer usually arrives at once, so its absence is not reported yet.
        if self.feed.wait_for(|feed| feed.template.is_some() || feed.trouble.is_some()).await.is_err() {
            return;
        }
        loop {
            let newest = *tip.borrow_and_update();
            if builder.is_due(&newest, started.elapsed()) {
                builder.begin(newest);
                let made = self.make(&mut builder).await;
                builder.end(made.is_ok(), started.elapsed());
                self.announce(made);
            }
            tokio::select! {
                changed = self.feed.changed() => match changed {
                    Ok(()) => builder.note_change(),
                    Err(_) => return,
                },
                changed = tip.changed() => if changed.is_err() { return },
                changed = self.sync_trouble.changed() => match changed {
                    Ok(()) => builder.note_change(),
                    Err(_) => return,
                },
                changed = self.isolation.changed() => match changed {
                    Ok(()) => {
                        let newest = self.isolation.borrow_and_update().work;
                        if std::mem::replace(&mut work, newest) != newest {
                            builder.note_change();
                        }
                    }
                    Err(_) => return,
                },
                () = tokio::time::sleep(builder.due_in(started.elapsed())) => {}
            }
        }
    }

    /// Builds a job template from the newest inputs.
    async fn make(&mut self, builder: &mut JobBuilder) -> Result<Arc<JobTemplate>, NoTemplate> {
        let feed = self.feed.borrow_and_update().clone();
        if let Some(trouble) = feed.trouble {
            return Err(trouble.into());
        }
        let block = feed.template.ok_or_else(|| Arc::from("bitcoind has not sent a block template yet"))?;
        let IsolationView { work, reason: why, .. } = self.isolation.borrow().clone();
        let why = why.unwrap_or_default();
        match work {
            Work::Pool => {}
            Work::Stop(cause) => {
                self.leave_pool(&block, cause, &why).await;
                return Err(NoTemplate { reason: why, for_long: true });
            }
            Work::Solo(cause) => {
                self.leave_pool(&block, cause, &why).await;
                return Ok(self.solo(builder, block).await);
            }
        }
        self.headers.follow(&block.prev_block).await.map_err(|error| reason(&error))?;
        let sync_trouble = self.sync_trouble.borrow_and_update().clone();
        let trigger = Trigger { bitcoin_height: block.height.saturating_sub(1), sync_trouble };
        let template = self.template(builder, block, trigger).await?;
        if builder.should_propose(&template) {
            self.check_with_bitcoind(Arc::clone(&template));
        }
        Ok(template)
    }

    /// Keeps the share-chain up to date without work on it. A node without peers is not in sync: its links must not
    /// settle.
    async fn leave_pool(&mut self, block: &BlockTemplate, cause: Cause, why: &Arc<str>) {
        // Solo work needs bitcoind alone. What the share-chain lacks is fetched later.
        if let Err(error) = self.headers.follow(&block.prev_block).await {
            debug!(error = sentence(&error), "the share-chain cannot follow bitcoind's headers");
        }
        let sync_trouble = match cause {
            Cause::Isolation => Some(Arc::clone(why)),
            Cause::Censorship => self.sync_trouble.borrow_and_update().clone(),
        };
        let trigger = Trigger { bitcoin_height: block.height.saturating_sub(1), sync_trouble };
        // Both fail by design, or because the node stops, which the next call reports.
        let _ = self.engine.call(move |engine| trigger.apply(engine)).await;
    }

    /// Builds a template for solo work.
    async fn solo(&self, builder: &mut JobBuilder, block: Arc<BlockTemplate>) -> Arc<JobTemplate> {
        let chain = self.engine.reader().chain();
        let next = chain.bitcoin().next(&block.prev_block);
        let times = next.map(|next| next.times(block.bits)).filter(|times| !times.is_empty());
        let contents = contents(builder, &block, CoinbaseCost::of_finder()).await;
        let template = JobTemplate::solo(block, contents, times.unwrap_or(0..=u32::MAX), now());
        if builder.should_propose(&template) {
            self.check_with_bitcoind(Arc::clone(&template));
        }
        template
    }

    /// Builds a job template from this block template. One call of the engine finds its position, and another checks
    /// it. The transactions are hashed in between, on another thread.
    async fn template(
        &self,
        builder: &mut JobBuilder,
        block: Arc<BlockTemplate>,
        trigger: Trigger,
    ) -> Result<Arc<JobTemplate>, NoTemplate> {
        let stopped = |error: EngineStopped| reason(&error);
        let prev_block = block.prev_block;
        let finding = self.engine.call(move |engine| -> Result<JobPosition, JobError> {
            trigger.apply(engine)?;
            JobPosition::find(engine.chain_mut(), &prev_block)
        });
        let position = finding.await.map_err(stopped)?.map_err(|error| reason(&error))?;
        let contents = contents(builder, &block, position.coinbase_cost()).await;
        let header_time: Timestamp = now();
        let finishing =
            self.engine.call(move |engine| JobBuilder::finish(engine, block, contents, position, header_time, now()));
        finishing.await.map_err(stopped)?.map_err(|error| reason(&error))
    }

    fn announce(&self, made: Result<Arc<JobTemplate>, NoTemplate>) {
        let state = match made {
            Ok(template) => {
                debug!(height = template.block.height, parent = %template.assignment.parent, "new job template");
                let solo = template.is_solo();
                self.miners.set_template(Some(template));
                if solo {
                    WorkState::Solo(self.isolation.borrow().reason.clone().unwrap_or_default())
                } else {
                    WorkState::Working
                }
            }
            Err(NoTemplate { reason, for_long }) => {
                if for_long {
                    self.miners.turn_away();
                } else {
                    self.miners.set_template(None);
                }
                WorkState::Waiting(reason)
            }
        };
        self.state.send_if_modified(|old| {
            let is_new = *old != state;
            if is_new {
                match (&*old, &state) {
                    (_, WorkState::Working) => info!("miners have work"),
                    (WorkState::Solo(_), WorkState::Solo(_)) => {}
                    (_, WorkState::Solo(reason)) => warn!(reason = &**reason, "miners work solo"),
                    // Progress follows the colon; the line a minute tells it.
                    (WorkState::Waiting(old), WorkState::Waiting(new)) if cause(old) == cause(new) => {}
                    (_, WorkState::Waiting(reason)) => warn!(reason = &**reason, "miners have no work"),
                }
                *old = state;
            }
            is_new
        });
    }

    /// Proposes the block to bitcoind, concurrently with mining, so that a node does not have to find an invalid block
    /// to notice that it mines one.
    fn check_with_bitcoind(&self, template: Arc<JobTemplate>) {
        let bitcoind = self.bitcoind.clone();
        tokio::spawn(async move {
            let block = template.proposal();
            match bitcoind.propose_block(&block).await {
                Ok(ProposalVerdict::Valid | ProposalVerdict::NotOnTip) => {}
                Ok(ProposalVerdict::Rejected { reason }) => {
                    let height = template.block.height;
                    error!(reason, height, "bitcoind would reject a block of this node's job template");
                }
                Err(error) => debug!(error = sentence(&error), "the job template could not be proposed to bitcoind"),
            }
        });
    }
}

/// The contents of a block template that leave room for the coinbase. Hashed on a blocking thread, since there may be
/// thousands of transactions.
async fn contents(builder: &mut JobBuilder, block: &Arc<BlockTemplate>, coinbase: CoinbaseCost) -> Arc<Contents> {
    if let Some(known) = builder.known_contents(block, coinbase) {
        return known;
    }
    let base = Arc::clone(block);
    let fitting = tokio::task::spawn_blocking(move || Arc::new(Contents::fit(&base, coinbase)));
    let contents = fitting.await.expect("hashing does not panic");
    builder.note_contents(block, coinbase, &contents);
    contents
}

/// What stops the miners, without how far the node has come: that is after the colon.
fn cause(reason: &str) -> Option<&str> {
    reason.split(':').next()
}
