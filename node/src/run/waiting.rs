//! Waits for a bitcoind that is not up yet: after a power cut, it takes longer to start than a node.

use std::time::Instant;

use backon::{ExponentialBuilder, Retryable};
use sharechain::ChainParams;
use sharechain::bitcoin_headers::BitcoinHeaders;
use tracing::{info, warn};

use super::front::Front;
use crate::bitcoind::Bitcoind;
use crate::headers::{self, HeadersError};
use crate::history::{Event, EventKind};
use crate::limits::{RETRY_PAUSE, WAITING_TOLD};
use crate::state::NodeState;
use node_core::sentence;

impl Front {
    /// Loads Bitcoin's headers up to the tip of bitcoind. Waits while bitcoind is down, starting or syncing.
    ///
    /// # Errors
    /// bitcoind runs on another network, rejects this node, or its headers are invalid: the operator must act.
    pub(super) async fn headers(
        &self,
        bitcoind: &Bitcoind,
        params: &ChainParams,
        base: Option<u32>,
    ) -> Result<BitcoinHeaders, HeadersError> {
        let (began, mut told) = (Instant::now(), false);
        let pauses =
            ExponentialBuilder::new().with_min_delay(RETRY_PAUSE.0).with_max_delay(RETRY_PAUSE.1).without_max_times();
        let ask = || load(bitcoind, params, base);
        let notify = |error: &HeadersError, _| self.wait(error, began, &mut told);
        let headers = ask.retry(pauses).when(HeadersError::is_passing).notify(notify).await?;
        self.found(began, told);
        Ok(headers)
    }

    /// Shows the reason for waiting, and logs it when it changes.
    fn wait(&self, error: &HeadersError, began: Instant, told: &mut bool) {
        let words = sentence(error);
        let news = self.state.borrow().bitcoin.trouble.as_deref() != Some(words.as_str());
        if news {
            warn!(error = words, "waiting for bitcoind");
            self.state.send_replace(NodeState::waiting(words.clone()));
        }
        if !*told && began.elapsed() >= WAITING_TOLD {
            *told = true;
            self.history
                .event_log()
                .note(Event::new(EventKind::Start, format!("the node waits for bitcoind: {words}")));
        }
    }

    fn found(&self, began: Instant, told: bool) {
        let waited_s = began.elapsed().as_secs();
        if self.state.borrow().bitcoin.trouble.is_some() {
            info!(waited_s, "bitcoind is up");
            self.state.send_replace(NodeState::reading(began, (0, 0.0)));
        }
        if told {
            let sentence = format!("bitcoind is up after {waited_s} s");
            self.history.event_log().note(Event::new(EventKind::Start, sentence));
        }
    }
}

/// Loads the headers from the first bitcoind that has them, so that one that claims a block without a header does not
/// delay the start.
async fn load(bitcoind: &Bitcoind, params: &ChainParams, base: Option<u32>) -> Result<BitcoinHeaders, HeadersError> {
    let from = async |bitcoind: Bitcoind| {
        bitcoind.ready().await?;
        headers::load_up_to_tip(&bitcoind, params, base).await
    };
    bitcoind.use_first(from).await
}
