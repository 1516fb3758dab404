//! Share hoarding: the miner publishes shares just before their lifetime ends, so that other miners' windows know them
//! late.

use serde::Deserialize;
use sharechain::{Height, ShareId, U256};

use super::tools::keep;
use super::{Fate, FoundProof, Strategy, View};

/// A miner that hoards.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hoard {
    /// Number of links before the end of a share's lifetime at which it is published.
    pub margin_links: u32,
}

impl Default for Hoard {
    fn default() -> Self {
        Self { margin_links: 20 }
    }
}

impl Strategy for Hoard {
    fn list(&mut self, view: &mut View<'_>, listable: Vec<ShareId>) -> Vec<ShareId> {
        keep(view.chain, &listable, |id| !view.withheld.contains(id))
    }

    fn found(&mut self, _view: &mut View<'_>, found: &FoundProof) -> Fate {
        if found.is_link { Fate::Publish } else { Fate::Withhold }
    }

    fn second(&mut self, view: &mut View<'_>) -> Vec<ShareId> {
        let params = view.chain.params();
        let tip = view.chain.height();
        let stale = tip.below(params.stale_depth.saturating_sub(self.margin_links));
        let bitcoin_work = |at: Height| Some(view.chain.link(&view.chain.main_at(at)?)?.position.bitcoin_work);
        let passed = bitcoin_work(stale).unwrap_or(U256::ZERO);
        let lifetime = params.credit_depth.saturating_sub(self.margin_links);
        let due = |id: &&ShareId| {
            let credit = view.chain.credit(id);
            credit.is_none_or(|credit| tip.above(credit.anchor_height) >= lifetime || passed > credit.bitcoin_work)
        };
        view.withheld.iter().filter(due).copied().collect()
    }
}
