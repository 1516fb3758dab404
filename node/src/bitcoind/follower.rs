//! Follows the block template of one bitcoind.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use backon::{ConstantBuilder, ExponentialBuilder, Retryable};
use bitcoin::BlockHash;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use super::client::Bitcoind;
use super::empty;
use super::error::BitcoindError;
use super::state::FeedState;
use crate::clock::now;
use crate::config::Outputs;
use crate::limits::{
    FULL_TEMPLATE_WAIT, HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, POLL_INTERVAL, RECHECK_LIMIT, RECHECK_PAUSE, RECHECKS,
    RETRY_PAUSE,
};
use node_core::jobs::BlockTemplate;
use node_core::sentence;

/// A task that keeps the newest template of one bitcoind.
///
/// It long-polls bitcoind, and also asks for its state every few seconds. That detects a bitcoind that hangs, was restarted, or
/// runs on another network, and a lost long poll. If bitcoind offers no long poll, the task asks for a template every few
/// seconds instead. On networks with minimum-difficulty blocks, it also asks when the next block would become one.
pub(super) struct Follower {
    pub(super) bitcoind: Bitcoind,
    pub(super) state: watch::Sender<FeedState>,
    pub(super) heard: watch::Sender<Instant>,
    /// The newest known tip, from ZMQ or the tip check; none at the start.
    pub(super) tip: watch::Sender<Option<BlockHash>>,
    /// Wakes the choice among several.
    pub(super) news: Arc<Notify>,
}

impl Follower {
    pub(super) async fn run(&self) {
        loop {
            let mut template = self.first_template().await;
            loop {
                let began = Instant::now();
                let ended = self.follow(template).await;
                if let Err(error) = &ended {
                    debug!(url = %self.bitcoind.url(), error = sentence(error), "retrying a call to bitcoind");
                }
                if began.elapsed() < POLL_INTERVAL {
                    sleep(POLL_INTERVAL - began.elapsed()).await;
                }
                match self.again().await {
                    Ok(next) => template = next,
                    Err(error) => {
                        self.report(&error, Duration::ZERO);
                        break;
                    }
                }
            }
        }
    }

    /// Retries until it gets a template from a synced bitcoind on the right network.
    async fn first_template(&self) -> Arc<BlockTemplate> {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(RETRY_PAUSE.0)
            .with_max_delay(RETRY_PAUSE.1)
            .with_jitter()
            .without_max_times();
        loop {
            let notify = |error: &BitcoindError, pause| self.report(error, pause);
            match (|| self.ready_template()).retry(backoff).notify(notify).await {
                Ok(template) => return template,
                Err(error) => self.report(&error, Duration::ZERO),
            }
        }
    }

    /// A template of a synced bitcoind on the right network.
    async fn ready_template(&self) -> Result<Arc<BlockTemplate>, BitcoindError> {
        self.bitcoind.ready().await?;
        self.bitcoind.template().await.map(Arc::new)
    }

    /// Retries a failed call: a briefly busy bitcoind, or a broken connection, must not cost miners their work.
    async fn again(&self) -> Result<Arc<BlockTemplate>, BitcoindError> {
        let pauses = ConstantBuilder::new().with_delay(RECHECK_PAUSE).with_max_times(RECHECKS);
        let asking = (|| self.ready_template()).retry(pauses).when(BitcoindError::is_passing);
        let silent = |_| Err(BitcoindError::TimedOut { method: "getblocktemplate", limit: RECHECK_LIMIT });
        timeout(RECHECK_LIMIT, asking).await.unwrap_or_else(silent)
    }

    /// Publishes this template and newer ones until a call fails, or the tip moves unnoticed by the long poll.
    async fn follow(&self, mut template: Arc<BlockTemplate>) -> Result<(), BitcoindError> {
        let mut tips = self.tip.subscribe();
        loop {
            self.publish(Arc::clone(&template));
            let asked = Instant::now();
            let mut next = {
                let (mut next, mut moved) = (pin!(self.next(&template)), pin!(self.tip_moved(template.prev_block)));
                loop {
                    tokio::select! {
                        next = &mut next => break next?,
                        moved = &mut moved => return moved,
                        empty = self.early(&mut tips, &template) => self.publish(Arc::new(empty)),
                    }
                }
            };
            let same_tip = next.prev_block == template.prev_block;
            next.share_transactions(&template);
            template = Arc::new(next);
            // A server that answers long polls at once must not cause a busy loop.
            if same_tip && asked.elapsed() < POLL_INTERVAL {
                sleep(POLL_INTERVAL - asked.elapsed()).await;
            }
        }
    }

    async fn next(&self, template: &BlockTemplate) -> Result<BlockTemplate, BitcoindError> {
        tokio::select! {
            next = self.long_poll(template) => next,
            next = self.when_late(template) => next,
        }
    }

    /// On networks with minimum-difficulty blocks, a template on the same tip has other nBits once its time is late enough.
    /// A long poll does not report that. Asks for the template then.
    async fn when_late(&self, template: &BlockTemplate) -> Result<BlockTemplate, BitcoindError> {
        let after_s = self.bitcoind.network().chain_params(Outputs::Standard).bitcoin.min_difficulty_after_s;
        if after_s == 0 {
            return std::future::pending().await;
        }
        // If bitcoind no longer knows the block, its tip has moved, which the long poll reports.
        let Some(info) = self.bitcoind.header(template.prev_block).await? else { return std::future::pending().await };
        let late = info.header.time.saturating_add(after_s).saturating_add(1);
        if template.time >= late {
            return std::future::pending().await;
        }
        sleep(Duration::from_secs(u64::from(late.saturating_sub(now().0)))).await;
        self.bitcoind.template().await
    }

    async fn long_poll(&self, template: &BlockTemplate) -> Result<BlockTemplate, BitcoindError> {
        match &template.long_poll_id {
            Some(id) => self.bitcoind.next_template(id).await,
            None => {
                sleep(POLL_INTERVAL).await;
                self.bitcoind.template().await
            }
        }
    }

    /// Waits for a tip without a template, and makes an empty one, unless the full one comes immediately.
    async fn early(&self, tips: &mut watch::Receiver<Option<BlockHash>>, last: &BlockTemplate) -> BlockTemplate {
        loop {
            if tips.changed().await.is_err() {
                return std::future::pending().await;
            }
            let Some(tip) = *tips.borrow_and_update() else { continue };
            if self.state.borrow().template.as_ref().is_some_and(|template| template.prev_block == tip) {
                continue;
            }
            sleep(FULL_TEMPLATE_WAIT).await;
            match self.bitcoind.header(tip).await {
                Ok(Some(info)) => {
                    let time = self.state.borrow().template_time().unwrap_or(now().0);
                    if let Some(empty) = empty::on(&info, last, self.bitcoind.network(), time) {
                        debug!(%tip, height = empty.height, "using an empty template until the full one comes");
                        return empty;
                    }
                }
                Ok(None) => {}
                Err(error) => debug!(%tip, error = sentence(&error), "no header of a new tip"),
            }
        }
    }

    /// Returns when the tip was another one twice in a row, which gives the long poll time to notice first.
    async fn tip_moved(&self, prev_block: BlockHash) -> Result<(), BitcoindError> {
        let mut moved = false;
        loop {
            sleep(HEARTBEAT_INTERVAL).await;
            let status = timeout(HEARTBEAT_TIMEOUT, self.bitcoind.chain_status()).await.unwrap_or_else(|_| {
                Err(BitcoindError::TimedOut { method: "getblockchaininfo", limit: HEARTBEAT_TIMEOUT })
            })?;
            status.verify_network(self.bitcoind.network())?;
            self.heard.send_replace(Instant::now());
            self.news.notify_one();
            let other = status.best_block != prev_block;
            if other && moved {
                debug!(%prev_block, "the tip moved unnoticed by the long poll");
                return Ok(());
            }
            if other {
                self.tip.send_if_modified(|tip| tip.replace(status.best_block) != Some(status.best_block));
            }
            moved = other;
        }
    }

    fn publish(&self, template: Arc<BlockTemplate>) {
        self.heard.send_replace(Instant::now());
        self.state.send_modify(|state| {
            if state.trouble.take().is_some() {
                debug!(height = template.height, "bitcoind has templates again");
            }
            debug!(
                height = template.height,
                prev_block = %template.prev_block,
                transactions = template.transactions.len(),
                coinbase_sat = template.coinbase_value.to_sat(),
                "new template"
            );
            state.template = Some(template);
            state.received = Some(Instant::now());
        });
        self.news.notify_one();
    }

    fn report(&self, error: &BitcoindError, pause: Duration) {
        let words = sentence(error);
        self.state.send_if_modified(|state| {
            let news = state.trouble.as_deref() != Some(words.as_str());
            if news {
                // The job builder logs the warning, since its miners stop.
                debug!(error = words, retry_ms = pause.as_millis(), "no templates from bitcoind");
                state.trouble = Some(words.as_str().into());
            }
            news
        });
        self.news.notify_one();
    }
}
