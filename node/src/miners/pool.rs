//! The pool behind the Stratum server. Accounts are payout scripts; a job is the newest job template with an account's
//! script.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use bitcoin::{Address, BlockHash, ScriptBuf, Target};
use node_core::jobs::{Job, JobTemplate, RecentTemplates};
use stratum::limits::CONNECTIONS_MAX;
use stratum::{Account, Change, EXTRANONCE_BYTES, Found, Pool, Readiness, Refusal, Work, WorkParts};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use super::account::{Part, account_of, parts_of};
use super::ledger::{FeePart, Ledgers};
use super::payee::Payee;
use crate::clock::now;
use crate::config::{Fee, Network};
use crate::consensus::FoundWork;
use crate::limits::{BLOCKS_PASSED_MAX, FOUND_QUEUE, POWER_LOOK};
use crate::power::Power;

const _: () = assert!(
    EXTRANONCE_BYTES == sharechain::share::EXTRANONCE_BYTES,
    "Stratum and the share-chain use the \
    same number of extranonce bytes"
);
const _: () = assert!(
    node_core::limits::JOB_TEMPLATES_MAX == 2 * stratum::limits::WORKS_MAX,
    "every job that a session still accepts has its template"
);

/// The pool behind the Stratum server.
#[derive(Debug)]
pub struct Miners {
    network: Network,
    default_payout: Option<ScriptBuf>,
    fee: Option<Fee>,
    power: Power,
    /// Thousands of connections read it at each new job. Readers do not wait for each other.
    state: RwLock<State>,
    changes: watch::Sender<Change>,
    shares: mpsc::Sender<FoundWork>,
    blocks: mpsc::UnboundedSender<FoundWork>,
}

/// Queues of found work: a bounded one for shares to the consensus thread, and an unbounded one for Bitcoin blocks.
#[derive(Debug)]
pub struct FoundQueues {
    /// Shares and links.
    pub shares: mpsc::Receiver<FoundWork>,
    /// Bitcoin blocks; each is also queued as a share.
    pub blocks: mpsc::UnboundedReceiver<FoundWork>,
}

#[derive(Debug)]
struct State {
    /// Whether jobs of the newest template may be handed out.
    readiness: Readiness,
    /// When `readiness` last left [`Readiness::Ready`].
    paused_at: Instant,
    /// The newest template's jobs for Stratum, by account: at most [`CONNECTIONS_MAX`]. Jobs of further accounts are
    /// not cached.
    current: HashMap<Account, Arc<Work>>,
    /// Ledgers of accounts with several payees or a fee.
    ledgers: Ledgers,
    recent: RecentTemplates,
    /// Bitcoin blocks that went on, oldest first: at most [`BLOCKS_PASSED_MAX`].
    passed: VecDeque<BlockHash>,
}

impl State {
    /// Notes that a Bitcoin block goes on, and returns whether it is the first time. The Stratum server passes a block on as often as a
    /// miner submits it, and peers ban a node that announces one again and again.
    fn is_first(&mut self, block: BlockHash) -> bool {
        let is_first = !self.passed.contains(&block);
        if is_first {
            if self.passed.len() >= BLOCKS_PASSED_MAX {
                self.passed.pop_front();
            }
            self.passed.push_back(block);
        }
        is_first
    }
}

impl Miners {
    /// A pool without jobs yet.
    #[must_use]
    pub fn new(network: Network, default_payout: Option<&Address>) -> (Self, FoundQueues) {
        let (shares, share_queue) = mpsc::channel(FOUND_QUEUE);
        // Unbounded, since a Bitcoin block must never be dropped; each costs a whole block's work.
        let (blocks, block_queue) = mpsc::unbounded_channel();
        let miners = Self {
            network,
            default_payout: default_payout.map(Address::script_pubkey),
            fee: None,
            power: Power::default(),
            state: RwLock::new(State {
                readiness: Readiness::Stopped(no_work("it has just started")),
                paused_at: Instant::now(),
                current: HashMap::new(),
                ledgers: Ledgers::default(),
                recent: RecentTemplates::default(),
                passed: VecDeque::new(),
            }),
            changes: watch::Sender::new(Change::default()),
            shares,
            blocks,
        };
        (miners, FoundQueues { shares: share_queue, blocks: block_queue })
    }

    /// Takes the owner's fee from the work of all miners, except those that pay the owner's address.
    #[must_use]
    pub fn charging(mut self, fee: Option<Fee>) -> Self {
        self.state().ledgers.fee = fee.as_ref().map(|fee| FeePart {
            account: Account::from(fee.address.script_pubkey().into_bytes()),
            hundredths: fee.hundredths,
        });
        self.fee = fee;
        self
    }

    /// Sets the power schedule and switch.
    #[must_use]
    pub fn resting_by(mut self, power: Power) -> Self {
        self.power = power;
        self
    }

    /// Wakes all connections, because the set of resting devices has changed.
    fn wake(&self) {
        self.changes.send_modify(|change| change.generation += 1);
    }

    /// Hands out jobs of `template` from now on; `None` pauses without a specific reason.
    pub fn set_template(&self, template: Option<Arc<JobTemplate>>) {
        let Some(template) = template else { return self.pause("it has no block template") };
        let mut state = self.state();
        state.recent.push(template);
        self.change(state, Readiness::Ready);
    }

    /// Stops handing out jobs. New miners are rejected. Connected ones continue with their jobs, until there is a
    /// template again or [`Self::stop_paused`] disconnects them. `reason` completes the sentence "this node has no
    /// work: ...".
    pub fn pause(&self, reason: &str) {
        let mut state = self.state();
        match &mut state.readiness {
            Readiness::Ready => {
                state.paused_at = Instant::now();
                self.change(state, Readiness::Paused(no_work(reason)));
            }
            Readiness::Paused(refusal) | Readiness::Stopped(refusal) => *refusal = no_work(reason),
        }
    }

    /// Disconnects all miners with this reason, as for [`Self::pause`], until there is a template again.
    pub fn stop(&self, reason: &str) {
        let mut state = self.state();
        match &mut state.readiness {
            Readiness::Stopped(refusal) => *refusal = no_work(reason),
            Readiness::Ready | Readiness::Paused(_) => self.change(state, Readiness::Stopped(no_work(reason))),
        }
    }

    /// Disconnects all miners if they have had no fresh work for this long.
    pub fn stop_paused(&self, grace: Duration) {
        let state = self.state();
        if let Readiness::Paused(refusal) = &state.readiness
            && state.paused_at.elapsed() >= grace
        {
            let refusal = refusal.clone();
            self.change(state, Readiness::Stopped(refusal));
        }
    }

    /// Changes the readiness and wakes all connections.
    fn change(&self, mut state: RwLockWriteGuard<'_, State>, readiness: Readiness) {
        state.readiness = readiness;
        state.current.clear();
        drop(state);
        self.changes.send_modify(|change| change.generation += 1);
    }

    fn state(&self) -> RwLockWriteGuard<'_, State> {
        // The state is consistent even after a panic.
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, to read.
    fn seen(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that wakes connections when the set of resting devices changes.
#[derive(Debug)]
pub struct RestWatch {
    /// The pool behind the Stratum server.
    pub miners: Arc<Miners>,
    /// The connected miners.
    pub stratum: Arc<stratum::Stats>,
}

impl RestWatch {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let power = &self.miners.power;
        let mut resting = BTreeSet::new();
        loop {
            tokio::time::sleep(POWER_LOOK).await;
            // A disk that hangs must not block a thread that serves miners.
            let switch = power.clone();
            if tokio::task::spawn_blocking(move || switch.reload()).await.is_err() {
                return;
            }
            let at = now().0;
            let newest = if power.may_rest(at) { self.resting(at) } else { BTreeSet::new() };
            if std::mem::replace(&mut resting, newest) != resting {
                self.miners.wake();
            }
        }
    }

    /// The users whose devices pause. With ten thousand users, this takes a few milliseconds.
    fn resting(&self, at: u32) -> BTreeSet<String> {
        let users = self.stratum.snapshot().connections.into_iter().flat_map(|connection| connection.workers);
        users.filter(|user| self.miners.power.rest(user, at).is_some()).collect()
    }
}

impl Pool for Miners {
    fn readiness(&self) -> Readiness {
        self.seen().readiness.clone()
    }

    fn coinbase_bytes(&self) -> Option<usize> {
        // Only in solo work do the coinbases of a template differ in length, by the finder's script.
        self.work(&Account::default()).map(|work| work.coinbase_bytes())
    }

    fn authorize(&self, user: &str) -> Result<Account, Refusal> {
        match Payee::parse(user, self.network, self.default_payout.as_ref()) {
            Ok(payee) => Ok(account_of(&payee.parts)),
            Err(error) => Err(Refusal(error.to_string())),
        }
    }

    fn rest(&self, user: &str) -> Option<Refusal> {
        self.power.rest(user, now().0).map(|rest| Refusal(self.power.words(rest)))
    }

    fn notice(&self, account: &Account) -> Option<String> {
        let parts = parts_of(account);
        let address = |script: &ScriptBuf| Address::from_script(script, bitcoin::Network::from(self.network)).ok();
        let part = |part: &Part| Some(format!("{}% {}", part.percent, address(&part.script)?));
        let split = parts.iter().filter_map(part).collect::<Vec<_>>().join(", ");
        let split = (parts.len() > 1).then(|| format!("your work pays {split}"));
        let fee = self.fee.as_ref().filter(|fee| fee.address.script_pubkey().as_bytes() != &**account);
        let words: Vec<_> = split.into_iter().chain(fee.map(Fee::to_string)).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    fn work(&self, account: &Account) -> Option<Arc<Work>> {
        if let Some(work) = self.seen().current.get(account) {
            return Some(Arc::clone(work));
        }
        let mut state = self.state();
        // Another connection of the account may have been first.
        if let Some(work) = state.current.get(account) {
            return Some(Arc::clone(work));
        }
        if state.readiness != Readiness::Ready {
            return None;
        }
        let (key, template) = state.recent.newest().map(|(key, template)| (key, Arc::clone(template)))?;
        // Decided once per template, so that a change of payee never causes an extra job.
        let (payee, tally) =
            state.ledgers.next(account).map_or((Arc::clone(account), None), |(payee, tally)| (payee, Some(tally)));
        let parts = work_parts(&job_of(&template, &payee), key);
        let work = Arc::new(Work::new(WorkParts { tally, ..parts }));
        if state.current.len() < CONNECTIONS_MAX {
            state.current.insert(Arc::clone(account), Arc::clone(&work));
        }
        Some(work)
    }

    fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }

    fn submit(&self, found: Found) {
        let template = self.seen().recent.get(found.work.key).map(Arc::clone);
        let Some(template) = template else {
            let block = found.meets_bitcoin;
            warn!(hash = %found.hash, block, worker = &*found.worker, "work found on a job that is no longer kept");
            return;
        };
        if found.meets_bitcoin && !self.state().is_first(found.hash) {
            return;
        }
        let job = Arc::new(job_of(&template, &found.work.payee));
        if found.meets_bitcoin {
            let found = FoundWork { job: Arc::clone(&job), found: found.clone() };
            // Fails only while the node is stopping.
            let _ = self.blocks.send(found);
        }
        // Solo work is not a share of any pool.
        if found.meets_share && !template.is_solo() {
            let hash = found.hash;
            if self.shares.try_send(FoundWork { job, found }).is_err() {
                warn!(%hash, "too many shares at once; this one is lost");
            }
        }
    }
}

/// The sentence that a miner without work reads.
fn no_work(reason: &str) -> Refusal {
    Refusal(format!("this node has no work: {reason}"))
}

fn job_of(template: &Arc<JobTemplate>, account: &Account) -> Job {
    Job::new(Arc::clone(template), ScriptBuf::from_bytes(account.to_vec()))
}

/// Converts a job for Stratum. `key` identifies its job template.
#[must_use]
pub fn stratum_work(job: &Job, key: u64) -> Work {
    Work::new(work_parts(job, key))
}

fn work_parts(job: &Job, key: u64) -> WorkParts {
    let (coinb1, outputs, coinb2) = job.coinbase_parts();
    let block = &job.template.block;
    WorkParts {
        key,
        payee: Account::from(job.share.payout.as_bytes()),
        tally: None,
        version: block.version,
        prev_block: block.prev_block,
        coinb1,
        outputs,
        coinb2,
        branch: Arc::clone(&job.template.contents.branch),
        bits: block.bits,
        time: job.header_time(),
        min_time: *job.times().start(),
        max_time: *job.times().end(),
        share_target: job.share_target(),
        bitcoin_target: Target::from_compact(block.bits),
        bitcoin_height: block.height,
        solo: job.template.is_solo(),
    }
}

#[cfg(test)]
mod tests;
