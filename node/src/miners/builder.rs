//! The job builder's task, which keeps the job template up to date. [`JobBuilder`] makes the decisions; this task
//! waits, queries bitcoind and hashes.

use std::sync::Arc;
use std::time::Duration;

use node_core::isolation::{Cause, Work};
use node_core::jobs::{
    BlockTemplate, CoinbaseCost, Contents, JobBuilder, JobError, JobPosition, JobTemplate, Kept, Trigger,
};
use node_core::sentence;
use sharechain::Timestamp;
use stratum::{Pool, Readiness};
use tokio::sync::watch;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::pool::Miners;
use super::proposals::Proposals;
use crate::bitcoind::{Bitcoind, FeedState};
use crate::clock::now;
use crate::consensus::{EngineHandle, EngineStopped};
use crate::headers::HeaderSource;
use crate::isolation::IsolationView;
use crate::limits::{WORK_GRACE, WORK_LOOK};

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
    /// When bitcoind last answered.
    pub heard: watch::Receiver<Instant>,
    /// Publishes whether miners get jobs.
    pub state: watch::Sender<WorkState>,
    /// Proposes blocks of job templates to bitcoind.
    pub proposals: Arc<Proposals>,
}

/// Why there is no job template, if bitcoind hangs.
const SILENT: &str = "bitcoind has not answered for 30 s";

/// Delay between a new job template and the proposal of its block. Within it, ten thousand miners receive their jobs.
const PROPOSE_AFTER: Duration = Duration::from_millis(500);

/// Reason shown to miners if bitcoind gives no templates.
const NO_TEMPLATES: &str = "its bitcoind gives no block templates";

/// The task that disconnects miners after [`WORK_GRACE`] without fresh work. The job builder may itself wait for bitcoind.
#[derive(Debug)]
pub struct WorkWatch {
    /// The pool behind the Stratum server.
    pub miners: Arc<Miners>,
    /// When bitcoind last answered.
    pub heard: watch::Receiver<Instant>,
}

impl WorkWatch {
    /// Runs for as long as bitcoind is followed.
    pub async fn run(self) {
        while self.heard.has_changed().is_ok() {
            if self.heard.borrow().elapsed() >= WORK_GRACE {
                self.miners.stop(SILENT);
            } else {
                self.miners.stop_paused(WORK_GRACE);
            }
            tokio::time::sleep(WORK_LOOK).await;
        }
    }
}

/// Why there is no job template.
#[derive(Debug)]
struct NoTemplate {
    reason: Arc<str>,
    /// True if it will last, so that miners should not wait.
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
        let (mut work, mut last) = (Work::Pool, None);
        let started = Instant::now();
        let mut rejected = self.proposals.changes();
        // bitcoind's first answer usually arrives at once, so its absence is not reported yet.
        if self.feed.wait_for(|feed| feed.template.is_some() || feed.trouble.is_some()).await.is_err() {
            return;
        }
        loop {
            let newest = *tip.borrow_and_update();
            if builder.is_due(&newest, started.elapsed()) {
                let is_old = builder.due_in(started.elapsed()).is_zero();
                builder.begin(newest);
                let made = self.make(&mut builder).await;
                if is_old || !self.is_known(&made, last.as_ref()) {
                    builder.end(made.is_ok(), started.elapsed());
                    last = made.as_ref().ok().cloned();
                    self.announce(made);
                }
            }
            tokio::select! {
                changed = self.feed.changed() => match changed {
                    Ok(()) => builder.note_change(),
                    Err(_) => return,
                },
                changed = self.heard.changed() => match changed {
                    // It may be back with its old template.
                    Ok(()) if matches!(&*self.state.borrow(), WorkState::Waiting(_)) => builder.note_change(),
                    Ok(()) => {}
                    Err(_) => return,
                },
                changed = tip.changed() => if changed.is_err() { return },
                changed = rejected.changed() => match changed {
                    Ok(()) => builder.note_change(),
                    Err(_) => return,
                },
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

    /// True if miners have this template. Two inputs often change at once, and the first template already has both.
    fn is_known(&self, made: &Result<Arc<JobTemplate>, NoTemplate>, last: Option<&Arc<JobTemplate>>) -> bool {
        match (made, last) {
            (Ok(made), Some(last)) => made.repeats(last) && self.miners.readiness() == Readiness::Ready,
            _ => false,
        }
    }

    /// Builds a job template from the newest inputs.
    async fn make(&mut self, builder: &mut JobBuilder) -> Result<Arc<JobTemplate>, NoTemplate> {
        if self.heard.borrow_and_update().elapsed() >= WORK_GRACE {
            return Err(Arc::<str>::from(SILENT).into());
        }
        let feed = self.feed.borrow_and_update().clone();
        let IsolationView { work, reason: why, .. } = self.isolation.borrow().clone();
        let why = why.unwrap_or_default();
        if let Some(trouble) = feed.trouble {
            // By a wrong clock, this node rejects bitcoind's blocks as well.
            let is_clock = work == Work::Stop(Cause::Clock);
            return Err(if is_clock { NoTemplate { reason: why, for_long: true } } else { trouble.into() });
        }
        let block = feed.template.ok_or_else(|| Arc::from("bitcoind has not sent a block template yet"))?;
        match work {
            Work::Pool => {}
            Work::Stop(cause) => {
                self.leave_pool(&block, cause, &why).await;
                return Err(NoTemplate { reason: why, for_long: true });
            }
            Work::Solo(cause) => {
                self.leave_pool(&block, cause, &why).await;
                return self.solo(builder, block).await;
            }
        }
        // The transactions are hashed while bitcoind is asked for the new tip's header.
        let cost = builder.usual_cost();
        let (_, followed) = tokio::join!(contents(builder, &block, cost), self.headers.follow(&block.prev_block));
        followed.map_err(|error| reason(&error))?;
        let sync_trouble = self.sync_trouble.borrow_and_update().clone();
        let trigger = Trigger { bitcoin_height: block.height.saturating_sub(1), sync_trouble };
        let template = self.template(builder, block, trigger).await?;
        self.propose(builder, &template).await?;
        Ok(template)
    }

    /// Keeps the share-chain up to date while miners have no work of the pool. A node without peers is not in sync: its links must
    /// not settle.
    async fn leave_pool(&mut self, block: &BlockTemplate, cause: Cause, why: &Arc<str>) {
        // Solo work needs only bitcoind. The node fetches missing headers later.
        if let Err(error) = self.headers.follow(&block.prev_block).await {
            debug!(error = sentence(&error), "the share-chain cannot follow bitcoind's headers");
        }
        let sync_trouble = match cause {
            Cause::Isolation => Some(Arc::clone(why)),
            Cause::Censorship | Cause::Clock => self.sync_trouble.borrow_and_update().clone(),
        };
        let trigger = Trigger { bitcoin_height: block.height.saturating_sub(1), sync_trouble };
        // Both can fail by design, or because the node is stopping, which the next call reports.
        let _ = self.engine.call(move |engine| trigger.apply(engine)).await;
    }

    /// Builds a template for solo work.
    async fn solo(&self, builder: &mut JobBuilder, block: Arc<BlockTemplate>) -> Result<Arc<JobTemplate>, NoTemplate> {
        let chain = self.engine.reader().chain();
        let next = chain.bitcoin().next(&block.prev_block);
        let times = next.map(|next| next.times(block.bits)).filter(|times| !times.is_empty());
        let contents = contents(builder, &block, CoinbaseCost::of_finder()).await;
        let template = JobTemplate::solo(block, contents, times.unwrap_or(0..=u32::MAX), self.header_time());
        self.propose(builder, &template).await?;
        Ok(template)
    }

    /// Builds a job template from this block template. One call of the engine finds its position, and another checks
    /// it. Transactions are hashed again in between if the new coinbase leaves room for more or fewer of them.
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
        builder.note_cost(position.coinbase_cost());
        let contents = contents(builder, &block, position.coinbase_cost()).await;
        let header_time = self.header_time();
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
            Err(NoTemplate { reason, for_long: true }) => {
                self.miners.stop(&reason);
                WorkState::Waiting(reason)
            }
            Err(NoTemplate { reason, for_long: false }) => {
                // bitcoind's errors name its address, which miners must not see.
                let told = if self.feed.borrow().trouble.is_some() { NO_TEMPLATES } else { &*reason };
                self.miners.pause(told);
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
                    // Progress follows the colon; the line per minute reports it.
                    (WorkState::Waiting(old), WorkState::Waiting(new)) if cause(old) == cause(new) => {}
                    (_, WorkState::Waiting(reason)) => warn!(reason = &**reason, "miners have no work"),
                }
                *old = state;
            }
            is_new
        });
    }

    /// The time for the next header: that of bitcoind's template if this machine's clock is ahead of it, so that a wrong clock cannot
    /// make a block invalid. The share-chain judges nothing from this machine's future.
    fn header_time(&self) -> Timestamp {
        let bitcoind = self.feed.borrow().template_time().map_or(Timestamp(u32::MAX), Timestamp);
        bitcoind.min(now())
    }

    /// Proposes the block to bitcoind, once per block template, so that a node notices invalid templates before it
    /// finds a block. The check of a full block takes a tenth of a second on processors that bitcoind and the node
    /// share. So the node proposes the block after miners have received their jobs, until bitcoind rejects a proposal.
    /// From then on, miners get work only after bitcoind has accepted its proposal.
    async fn propose(&self, builder: &mut JobBuilder, template: &Arc<JobTemplate>) -> Result<(), NoTemplate> {
        let new = builder.should_propose(template);
        if self.proposals.rejected().is_some() {
            self.proposals.propose(self.proposals.begin(), &self.bitcoind, template).await;
        } else if new {
            let (proposals, bitcoind) = (Arc::clone(&self.proposals), self.bitcoind.clone());
            let (number, template) = (proposals.begin(), Arc::clone(template));
            tokio::spawn(async move {
                tokio::time::sleep(PROPOSE_AFTER).await;
                proposals.propose(number, &bitcoind, &template).await;
            });
        }
        self.proposals.rejected().map_or(Ok(()), |reason| Err(reason.into()))
    }
}

/// The contents of a block template that leave room for the coinbase. Hashed on blocking threads, since there may be
/// thousands of transactions.
async fn contents(builder: &mut JobBuilder, block: &Arc<BlockTemplate>, coinbase: CoinbaseCost) -> Arc<Contents> {
    if let Some(known) = builder.known_contents(block, coinbase) {
        return known;
    }
    let kept = Kept::beside(coinbase, block);
    let [one, other, all] = [(); 3].map(|()| Arc::clone(block));
    let first = spawn_blocking(move || kept.first_half(&one));
    let second = spawn_blocking(move || kept.second_half(&other));
    let witness_commitment = async {
        match kept.known_commitment(block) {
            Some(known) => Ok(known),
            None => spawn_blocking(move || kept.witness_commitment(&all)).await,
        }
    };
    let (first, second, witness_commitment) = tokio::join!(first, second, witness_commitment);
    let hashed = || Ok::<_, JoinError>((first?.branch(&second?), witness_commitment?));
    let (branch, witness_commitment) = hashed().expect("hashing does not panic");
    let contents = Arc::new(Contents { kept, witness_commitment, branch });
    builder.note_contents(block, &contents);
    contents
}

/// The reason why miners stop, without the progress after the colon.
fn cause(reason: &str) -> Option<&str> {
    reason.split(':').next()
}
