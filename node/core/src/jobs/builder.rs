//! Decides when and how to build a new job template for this node's miners.
//!
//! Drive it as follows, with any clock and any threads. `now` is the time since the node started.
//! 1. [`JobBuilder::note_change`] when bitcoind's template or a field of [`Trigger`] changes.
//! 2. When [`JobBuilder::is_due`]: [`JobBuilder::begin`]. Bring bitcoind's headers into the share-chain, then
//!    [`Trigger::apply`] and find the [`JobPosition`].
//! 3. [`JobBuilder::known_contents`], or [`Contents::fit`] on any thread and [`JobBuilder::note_contents`]. With a
//!    single thread, [`JobBuilder::contents`] does both. This may begin before step 2, with [`JobBuilder::usual_cost`].
//! 4. [`JobBuilder::finish`] builds the template and applies the check that peers apply.
//! 5. [`JobBuilder::end`] in any case; it sets when the next one is due.

use std::sync::Arc;
use std::time::Duration;

use sharechain::Timestamp;

use super::block_template::BlockTemplate;
use super::contents::{CoinbaseCost, Contents};
use super::position::{JobError, JobPosition};
use super::template::JobTemplate;
use crate::engine::{Engine, TipView};
use crate::journal::Journal;
use crate::limits::{JOB_INTERVAL, JOB_RETRY};

/// The inputs of a job other than the share-chain's tip and bitcoind's template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Height of the tip of this node's bitcoind.
    pub bitcoin_height: u32,
    /// Why the node is not in sync with its peers, in one sentence; none when it is.
    pub sync_trouble: Option<Arc<str>>,
}

impl Trigger {
    /// Passes the height of this node's bitcoind to the share-chain, and whether the node is in sync.
    ///
    /// # Errors
    /// The node is not in sync, so no job can be built.
    pub fn apply<J: Journal>(&self, engine: &mut Engine<J>) -> Result<(), JobError> {
        engine.note_own_bitcoin_height(self.bitcoin_height, self.sync_trouble.is_none());
        match &self.sync_trouble {
            Some(trouble) => Err(JobError::NotSynced(Arc::clone(trouble))),
            None => Ok(()),
        }
    }
}

/// The job builder: the state between one job template and the next.
#[derive(Debug)]
pub struct JobBuilder {
    changed: bool,
    /// The tip of the latest attempt.
    tip: Option<TipView>,
    /// When the next template is due, as time since the node started.
    due: Duration,
    /// Contents of the newest block template. A new link changes a job's position but rarely its contents.
    contents: Option<(Arc<BlockTemplate>, Arc<Contents>)>,
    /// Cost of the pool's latest coinbase.
    cost: CoinbaseCost,
    /// The block template last proposed to bitcoind.
    proposed: Option<Arc<BlockTemplate>>,
}

impl Default for JobBuilder {
    fn default() -> Self {
        Self {
            changed: true,
            tip: None,
            due: Duration::ZERO,
            contents: None,
            cost: CoinbaseCost::of_finder(),
            proposed: None,
        }
    }
}

impl JobBuilder {
    /// Records that an input of a job other than the share-chain's tip has changed.
    pub fn note_change(&mut self) {
        self.changed = true;
    }

    /// True if a new job template is due: an input has changed, or the last template is old.
    #[must_use]
    pub fn is_due(&self, tip: &TipView, now: Duration) -> bool {
        self.changed || self.tip.as_ref() != Some(tip) || now >= self.due
    }

    /// Time until a new job template is due even if no input changes.
    #[must_use]
    pub fn due_in(&self, now: Duration) -> Duration {
        self.due.saturating_sub(now)
    }

    /// Begins an attempt to build a job template on this tip.
    pub fn begin(&mut self, tip: TipView) {
        self.tip = Some(tip);
        self.changed = false;
    }

    /// Ends an attempt. The next one is due after [`JOB_INTERVAL`], or after [`JOB_RETRY`] if no template was built.
    pub fn end(&mut self, made: bool, now: Duration) {
        self.due = now.saturating_add(if made { JOB_INTERVAL } else { JOB_RETRY });
    }

    /// The cost of the pool's latest coinbase. The next one usually costs the same.
    #[must_use]
    pub fn usual_cost(&self) -> CoinbaseCost {
        self.cost
    }

    /// Notes the cost of the pool's latest coinbase.
    pub fn note_cost(&mut self, coinbase: CoinbaseCost) {
        self.cost = coinbase;
    }

    /// The contents of `block` with a coinbase of this cost, if known.
    #[must_use]
    pub fn known_contents(&self, block: &Arc<BlockTemplate>, coinbase: CoinbaseCost) -> Option<Arc<Contents>> {
        let (of, contents) = self.contents.as_ref()?;
        (Arc::ptr_eq(of, block) && contents.fits(block, coinbase)).then(|| Arc::clone(contents))
    }

    /// Stores the contents of `block`.
    pub fn note_contents(&mut self, block: &Arc<BlockTemplate>, contents: &Arc<Contents>) {
        self.contents = Some((Arc::clone(block), Arc::clone(contents)));
    }

    /// The contents of `block` with a coinbase of this cost: known, or computed by `fit` and stored.
    pub fn contents(
        &mut self,
        block: &Arc<BlockTemplate>,
        coinbase: CoinbaseCost,
        fit: impl FnOnce() -> Arc<Contents>,
    ) -> Arc<Contents> {
        self.known_contents(block, coinbase).unwrap_or_else(|| {
            let contents = fit();
            self.note_contents(block, &contents);
            contents
        })
    }

    /// Builds the job template and applies the check that peers apply. `header_time` is the initial time of its Bitcoin
    /// header; `now` is the time that it is judged at.
    ///
    /// # Errors
    /// The template does not pass the check, an amount is out of range, or the chain has dropped what the position needs.
    pub fn finish<J: Journal>(
        engine: &mut Engine<J>,
        block: Arc<BlockTemplate>,
        contents: Arc<Contents>,
        position: JobPosition,
        header_time: Timestamp,
        now: Timestamp,
    ) -> Result<Arc<JobTemplate>, JobError> {
        let template = JobTemplate::new(engine.chain_mut(), block, contents, position, header_time)?;
        template.check(engine.chain_mut(), now)?;
        Ok(template)
    }

    /// True if a block of this template should be proposed to bitcoind: once for each block template.
    pub fn should_propose(&mut self, template: &JobTemplate) -> bool {
        let new = !self.proposed.as_ref().is_some_and(|last| Arc::ptr_eq(last, &template.block));
        if new {
            self.proposed = Some(Arc::clone(&template.block));
        }
        new
    }
}
