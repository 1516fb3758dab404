//! Who earned what up to a link. The share-chain's own cache of windows belongs to payouts and is left to them; here
//! the last few answers are kept, and one is made at a time, so that many readers cost no more than one.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::ScriptBuf;
use sharechain::chain::Chain;
use sharechain::window::{Rows, Sum, Window};
use sharechain::{Height, ShareId, Weight};
use tokio::sync::Mutex;

use super::error::ApiError;
use super::limits::WINDOWS_MAX;

/// A window, ready to be shown.
#[derive(Debug)]
pub(super) struct Standing {
    /// The newest link that counts.
    pub newest: ShareId,
    /// Its height.
    pub newest_height: u32,
    /// Height of the oldest link that counts.
    pub oldest_height: u32,
    /// What all together earned.
    pub total: Weight,
    /// Shares listed from genesis up to the newest link, links included.
    pub listed_total: u64,
    /// Who earned, most first, ties by script.
    pub earners: Vec<(ScriptBuf, Sum)>,
}

impl Standing {
    /// What a script earned.
    pub(super) fn of(&self, script: &ScriptBuf) -> Sum {
        let earner = self.earners.iter().find(|(known, _)| known == script);
        earner.map(|(_, sum)| *sum).unwrap_or_default()
    }
}

/// The last windows asked for, newest last.
#[derive(Debug, Default)]
pub(super) struct Windows {
    kept: Mutex<VecDeque<Arc<Standing>>>,
}

impl Windows {
    /// The window that ends in `newest`, or in the tip; none if that link is not known, or not complete.
    ///
    /// # Errors
    /// The node is stopping.
    pub(super) async fn up_to(
        &self,
        chain: Arc<Chain>,
        newest: Option<ShareId>,
    ) -> Result<Option<Arc<Standing>>, ApiError> {
        // Held while the window is summed: the next reader then finds it here.
        let mut kept = self.kept.lock().await;
        let newest = newest.unwrap_or_else(|| chain.tip());
        if let Some(known) = kept.iter().find(|known| known.newest == newest) {
            return Ok(Some(Arc::clone(known)));
        }
        // A pass over up to two million rows: beside the threads that serve sockets.
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
    let window = Window::compute(links_down(chain, newest), chain.params());
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

/// Links from `newest` down to genesis, with what they credit.
fn links_down(chain: &Chain, newest: ShareId) -> impl Iterator<Item = (Height, &Rows)> {
    let mut next = Some(newest);
    std::iter::from_fn(move || {
        let link = chain.link(&next?)?;
        next = (link.height > Height(0)).then_some(link.parent);
        Some((link.height, &link.complete()?.rows))
    })
}
