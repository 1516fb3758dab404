//! Laziness: the miner stays on an old parent while its work there still earns, and never extends the chain's tip.

use serde::Deserialize;
use sharechain::ShareId;

use super::tools::{ancestor, height};
use super::{Strategy, View};

/// A miner that stays on an old parent.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lazy {
    /// Number of links before the end of a share's lifetime at which the miner moves on.
    pub margin_links: u32,
    #[serde(skip)]
    parent: Option<ShareId>,
}

impl Default for Lazy {
    fn default() -> Self {
        Self { margin_links: 30, parent: None }
    }
}

impl Strategy for Lazy {
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        let params = view.chain.params();
        let lifetime = params.credit_depth.saturating_sub(params.anchor_depth).saturating_sub(self.margin_links);
        let tip = view.chain.tip();
        let earns = |parent: &ShareId| {
            let at = height(view.chain, parent);
            view.chain.height().above(at) < lifetime && ancestor(view.chain, &tip, at) == Some(*parent)
        };
        *self.parent.insert(self.parent.filter(earns).unwrap_or_else(|| view.chain.build_on()))
    }
}
