//! PPLNS windows up to a link, by payout script. The share-chain's own cache of windows is reserved for payouts. This
//! one moves a window of it, keeps the last few answers, and computes one at a time, so that many readers cost no more
//! than one.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::ScriptBuf;
use sharechain::chain::Chain;
use sharechain::window::Sum;
use sharechain::{ShareId, Weight};
use tokio::sync::Mutex;

use super::error::ApiError;
use super::limits::WINDOWS_MAX;

/// A window by payout script, ready to show.
#[derive(Debug)]
pub(super) struct Standing {
    /// The newest link in the window.
    pub newest: ShareId,
    /// Height of the newest link.
    pub newest_height: u32,
    /// Height of the oldest link in the window.
    pub oldest_height: u32,
    /// Total weight of all scripts.
    pub total: Weight,
    /// Shares listed from genesis up to the newest link, links included.
    pub listed_total: u64,
    /// Scripts with weight, largest first, ties by script.
    pub earners: Vec<(ScriptBuf, Sum)>,
}

impl Standing {
    /// Weight and shares of a script; zero if it has none.
    pub(super) fn of(&self, script: &ScriptBuf) -> Sum {
        let earner = self.earners.iter().find(|(known, _)| known == script);
        earner.map(|(_, sum)| *sum).unwrap_or_default()
    }
}

/// The most recently requested windows, newest last.
#[derive(Debug, Default)]
pub(super) struct Windows {
    kept: Mutex<VecDeque<Arc<Standing>>>,
}

impl Windows {
    /// Returns the window that ends at `newest`, by default the tip; none if that link is unknown or not complete.
    ///
    /// # Errors
    /// The node is stopping.
    pub(super) async fn up_to(
        &self,
        chain: Arc<Chain>,
        newest: Option<ShareId>,
    ) -> Result<Option<Arc<Standing>>, ApiError> {
        // Locked while the window is summed, so that the next reader finds it here.
        let mut kept = self.kept.lock().await;
        let newest = newest.unwrap_or_else(|| chain.tip());
        if let Some(known) = kept.iter().find(|known| known.newest == newest) {
            return Ok(Some(Arc::clone(known)));
        }
        // Without a window nearby this passes over up to two million rows, so it runs off the threads that serve sockets.
        let summing = tokio::task::spawn_blocking(move || standing(&chain, newest));
        let Some(standing) = summing.await.map_err(|_| ApiError::Stopping)? else {
            return Ok(None);
        };
        let standing = Arc::new(standing);
        if kept.len() >= WINDOWS_MAX {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(&standing));
        Ok(Some(standing))
    }
}

fn standing(chain: &Chain, newest: ShareId) -> Option<Standing> {
    let link = chain.link(&newest)?;
    let listed_total = link.complete()?.listed_total;
    let window = chain.window_of(&newest)?;
    let scripts = chain.scripts();
    let mut earners: Vec<(ScriptBuf, Sum)> =
        window.sums().filter_map(|(index, sum)| Some((scripts.script(index)?.to_owned(), sum))).collect();
    earners.sort_by(|(script_a, a), (script_b, b)| b.weight.cmp(&a.weight).then_with(|| script_a.cmp(script_b)));
    Some(Standing {
        newest,
        newest_height: link.height.0,
        oldest_height: window.oldest().0,
        total: window.total(),
        listed_total,
        earners,
    })
}
