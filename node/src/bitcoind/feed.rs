//! Follows bitcoind's block template for as long as the program runs.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bitcoin::BlockHash;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::debug;

use super::client::Bitcoind;
use super::error::BitcoindError;
use crate::clock::now;
use crate::config::Outputs;
use crate::limits::{HEARTBEAT_INTERVAL, POLL_INTERVAL, RETRY_PAUSE};
use node_core::jobs::BlockTemplate;
use node_core::sentence;

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
    /// bitcoind's clock by the newest template: its time, and what passed since it came. It does not depend on this
    /// machine's clock. None after blocks that are dated ahead, when bitcoind suggests the least time that is allowed.
    pub fn time(&self) -> Option<u32> {
        let template = self.template.as_ref().filter(|template| template.time > template.min_time)?;
        let passed_s = u32::try_from(self.received?.elapsed().as_secs()).unwrap_or(u32::MAX);
        Some(template.time.saturating_add(passed_s))
    }
}

/// A task that keeps the newest template. It ends when this value is dropped.
///
/// It long-polls bitcoind, and also asks for the tip every few seconds. That detects a bitcoind that hangs or was
/// restarted, and a lost long poll. If bitcoind offers no long poll, the task asks for a template every few seconds
/// instead. On networks with minimum-difficulty blocks, it also asks when the next block would become one.
#[derive(Debug)]
pub struct TemplateFeed {
    state: watch::Receiver<FeedState>,
    heard: watch::Receiver<Instant>,
    task: JoinHandle<()>,
}

impl TemplateFeed {
    /// Starts the task.
    pub fn start(bitcoind: Bitcoind) -> Self {
        let (sender, state) = watch::channel(FeedState::default());
        let (heard, last_heard) = watch::channel(Instant::now());
        let task = tokio::spawn(async move { Follower { bitcoind, sender, heard }.run().await });
        Self { state, heard: last_heard, task }
    }

    /// A receiver of the time when bitcoind last answered. At first, that is the start of the task.
    pub fn heard(&self) -> watch::Receiver<Instant> {
        self.heard.clone()
    }

    /// A receiver that sees every change of template and trouble.
    pub fn subscribe(&self) -> watch::Receiver<FeedState> {
        self.state.clone()
    }
}

impl Drop for TemplateFeed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Follower {
    bitcoind: Bitcoind,
    sender: watch::Sender<FeedState>,
    heard: watch::Sender<Instant>,
}

impl Follower {
    async fn run(&self) {
        loop {
            let template = self.first_template().await;
            self.publish(template.clone());
            if let Err(error) = self.follow(template).await {
                self.report(&error, Duration::ZERO);
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
            let ask = || async {
                self.bitcoind.ready().await?;
                self.bitcoind.template().await
            };
            let notify = |error: &BitcoindError, pause| self.report(error, pause);
            match ask.retry(backoff).notify(notify).await {
                Ok(template) => return Arc::new(template),
                Err(error) => self.report(&error, Duration::ZERO),
            }
        }
    }

    /// Publishes newer templates until a call fails, or the tip moves unnoticed by the long poll.
    async fn follow(&self, mut template: Arc<BlockTemplate>) -> Result<(), BitcoindError> {
        loop {
            let asked = Instant::now();
            let next = tokio::select! {
                next = self.next(&template) => Arc::new(next?),
                moved = self.tip_moved(template.prev_block) => return moved,
            };
            let same_tip = next.prev_block == template.prev_block;
            self.publish(next.clone());
            template = next;
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
        // If bitcoind does not know the block any more, its tip has moved, which the long poll reports.
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

    /// Returns when the tip was another one twice in a row, which gives the long poll time to notice first.
    async fn tip_moved(&self, prev_block: BlockHash) -> Result<(), BitcoindError> {
        let mut moved = false;
        loop {
            sleep(HEARTBEAT_INTERVAL).await;
            let other = self.bitcoind.best_block().await? != prev_block;
            self.heard.send_replace(Instant::now());
            if other && moved {
                debug!(%prev_block, "the tip moved unnoticed by the long poll");
                return Ok(());
            }
            moved = other;
        }
    }

    fn publish(&self, template: Arc<BlockTemplate>) {
        self.heard.send_replace(Instant::now());
        self.sender.send_modify(|state| {
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
    }

    fn report(&self, error: &BitcoindError, pause: Duration) {
        let words = sentence(error);
        self.sender.send_if_modified(|state| {
            let news = state.trouble.as_deref() != Some(words.as_str());
            if news {
                // The job builder logs the warning, since its miners stop.
                debug!(error = words, retry_ms = pause.as_millis(), "no templates from bitcoind");
                state.trouble = Some(words.as_str().into());
            }
            news
        });
    }
}
