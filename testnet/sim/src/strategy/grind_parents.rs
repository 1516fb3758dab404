//! Grinding of the draw by old parents: the miner builds where it is paid most, among parents that still earn.

use serde::Deserialize;
use sharechain::ShareId;

use super::draw::pays_sat;
use super::{Strategy, View};

/// A miner that chooses among parents on which its work still earns.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrindParents {
    /// Number of parents to compare, evenly spaced.
    pub parents: u32,
    /// Number of links down to the deepest parent.
    pub depth_links: u32,
}

impl Default for GrindParents {
    fn default() -> Self {
        Self { parents: 8, depth_links: 120 }
    }
}

impl Strategy for GrindParents {
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        let newest = view.chain.build_on();
        let step = (self.depth_links / self.parents.max(1)).max(1);
        let below = (0..self.parents).map(|index| view.chain.height().below(index.saturating_mul(step)));
        let old = below.filter_map(|height| view.chain.main_at(height));
        let previous = view.bitcoin_tips[0];
        // Of equal ones, `max_by_key` takes the last, which is the newest.
        let paid = |parent: &ShareId| pays_sat(view.chain, parent, &previous, view.script);
        old.collect::<Vec<_>>().into_iter().rev().chain([newest]).max_by_key(paid).unwrap_or(newest)
    }
}
