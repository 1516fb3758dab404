//! Rewriting: a newcomer with more hashrate than the pool mines a private branch from an old link, or from genesis. It
//! publishes the branch once it is heavier than the public one.

use serde::Deserialize;
use sharechain::change_set::ChangeSet;
use sharechain::{Height, ShareId};

use super::tools::work;
use super::{Fate, FoundProof, Strategy, View};

/// A miner that rewrites the chain once and is honest afterward.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rewrite {
    /// Number of links below the tip at which its branch starts. By default, it starts at genesis.
    pub depth_links: Option<u32>,
    /// Start, in seconds since the simulation began.
    pub from_s: u64,
    #[serde(skip)]
    tip: Option<ShareId>,
    #[serde(skip)]
    done: bool,
}

impl Rewrite {
    fn works(&self, view: &View<'_>) -> bool {
        !self.done && view.now.whole_secs() >= self.from_s
    }
}

impl Strategy for Rewrite {
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        if !self.works(view) {
            return view.chain.build_on();
        }
        let start = self.depth_links.map_or(Height(0), |depth| view.chain.height().below(depth));
        *self.tip.get_or_insert_with(|| view.chain.main_at(start).unwrap_or_else(|| view.chain.params().genesis_id()))
    }

    fn power(&mut self, view: &mut View<'_>) -> f64 {
        if view.now.whole_secs() >= self.from_s { 1.0 } else { 0.0 }
    }

    fn found(&mut self, view: &mut View<'_>, found: &FoundProof) -> Fate {
        if !self.works(view) {
            return Fate::Publish;
        }
        if found.is_link {
            self.tip = Some(found.id);
        }
        Fate::Withhold
    }

    fn heard(&mut self, view: &mut View<'_>, _changes: &ChangeSet) -> Vec<ShareId> {
        let heavier = |tip: &ShareId| work(view.chain, tip) > work(view.chain, &view.public_tip);
        if !self.works(view) || !self.tip.as_ref().is_some_and(heavier) {
            return Vec::new();
        }
        self.done = true;
        view.withheld.to_vec()
    }
}
