//! Stale Bitcoin work: the miner ignores Bitcoin's newest blocks while such work is credited. Its parent is old enough
//! to allow that.

use bitcoin::BlockHash;
use serde::Deserialize;
use sharechain::{Height, ShareId};

use super::{Strategy, View};

/// A miner behind Bitcoin's tip.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StaleBitcoin {
    /// Number of blocks by which it is behind.
    pub blocks: u32,
    /// Number of links before the end of such work's lifetime at which the miner moves on.
    pub margin_links: u32,
}

impl Default for StaleBitcoin {
    fn default() -> Self {
        Self { blocks: 1, margin_links: 10 }
    }
}

impl StaleBitcoin {
    /// Returns the newest parent that work on the old block may have, and that block. `None` if the parent is too old
    /// to earn.
    fn place(self, view: &View<'_>) -> Option<(ShareId, BlockHash)> {
        let (chain, tip) = (view.chain, view.bitcoin_tips[0]);
        let height = chain.bitcoin().get(&tip)?.height.checked_sub(self.blocks)?;
        let old = chain.bitcoin().ancestor(&tip, height)?;
        let old_work = chain.bitcoin().get(&old)?.chain_work;
        let newest = chain.height();
        let deepest = newest.below(chain.params().stale_depth.saturating_sub(self.margin_links));
        let parents = (deepest.0..=newest.0).rev().filter_map(|height| chain.main_at(Height(height)));
        let allows = |id: &ShareId| chain.link(id).is_some_and(|link| link.position.bitcoin_work <= old_work);
        parents.into_iter().find(allows).map(|parent| (parent, old))
    }
}

impl Strategy for StaleBitcoin {
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        self.place(view).map_or_else(|| view.chain.build_on(), |(parent, _)| parent)
    }

    fn previous_block(&mut self, view: &mut View<'_>) -> BlockHash {
        self.place(view).map_or(view.bitcoin_tips[0], |(_, block)| block)
    }
}
