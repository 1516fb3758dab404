//! Waits for a bitcoind that cannot be used yet: after a power cut, it takes longer to start than a node.

use std::pin::pin;
use std::time::Instant;

use backon::{BackoffBuilder, ExponentialBuilder};
use sharechain::ChainParams;
use sharechain::bitcoin_headers::BitcoinHeaders;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::front::Front;
use crate::bitcoind::Bitcoind;
use crate::headers::{self, HeadersError};
use crate::history::{Event, EventKind};
use crate::limits::{RETRY_PAUSE, WAITING_SHOWN, WAITING_TOLD};
use crate::state::NodeState;
use node_core::sentence;

impl Front {
    /// Loads Bitcoin's headers up to the tip of bitcoind. Waits as long as that fails, whatever the reason: pages that say it
    /// help an operator more than a node that starts again and again.
    pub(super) async fn headers(&self, bitcoind: &Bitcoind, params: &ChainParams, base: Option<u32>) -> BitcoinHeaders {
        let (began, mut told) = (Instant::now(), false);
        let pauses = ExponentialBuilder::new().with_min_delay(RETRY_PAUSE.0).with_max_delay(RETRY_PAUSE.1);
        let mut pauses = pauses.without_max_times().build();
        loop {
            let mut loading = pin!(load(bitcoind, params, base));
            let loaded = match timeout(WAITING_SHOWN, &mut loading).await {
                Ok(loaded) => loaded,
                Err(_) => {
                    // A hung bitcoind fails a call only after its time limit.
                    if self.state.borrow().bitcoin.trouble.is_none() {
                        self.wait("it has not sent its headers yet".to_owned(), began, &mut told);
                    }
                    loading.await
                }
            };
            match loaded {
                Ok(headers) => {
                    self.found(began, told);
                    return headers;
                }
                Err(error) => self.wait(sentence(&error), began, &mut told),
            }
            sleep(pauses.next().unwrap_or(RETRY_PAUSE.1)).await;
        }
    }

    /// Shows the reason for waiting, and logs it when it changes.
    fn wait(&self, words: String, began: Instant, told: &mut bool) {
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
