//! Selfish mining on links (Eyal and Sirer, 2014) and its stubborn variants (Nayak, Kumar, Miller and Shi, 2016).
//!
//! Links are withheld while they lead, and published to match or override those of other miners. Shares behind a
//! withheld link are published with it. Once a race is lost, all are published, because they still earn.

use serde::Deserialize;
use sharechain::change_set::ChangeSet;
use sharechain::{Height, ShareId};

use super::tools::{ancestor, height, withheld_up_to};
use super::{Fate, FoundProof, Strategy, View};

/// Deviations from the textbook strategy. They can be combined.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stubborn {
    /// With a lead of two, it matches a rival's link instead of overriding it.
    pub lead: bool,
    /// In a tie, it withholds the link that would win.
    pub fork: bool,
    /// Number of links by which it may be behind without giving up.
    pub trail: u32,
}

/// A selfish miner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selfish {
    stubborn: Stubborn,
    /// Newest link of its own branch.
    tip: Option<ShareId>,
    /// Height of the public tip when that last grew.
    public: Height,
    /// Whether its own branch is published and as long as a rival.
    racing: bool,
}

impl Selfish {
    /// Creates a selfish miner with these deviations.
    #[must_use]
    pub fn new(stubborn: Stubborn) -> Self {
        Self { stubborn, ..Self::default() }
    }
}

impl Strategy for Selfish {
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        self.tip.unwrap_or_else(|| view.chain.build_on())
    }

    fn found(&mut self, view: &mut View<'_>, found: &FoundProof) -> Fate {
        if !found.is_link {
            return if view.withheld.contains(&found.parent) { Fate::Withhold } else { Fate::Publish };
        }
        self.tip = Some(found.id);
        let wins = std::mem::take(&mut self.racing) && !self.stubborn.fork;
        if wins { Fate::Publish } else { Fate::Withhold }
    }

    fn heard(&mut self, view: &mut View<'_>, _changes: &ChangeSet) -> Vec<ShareId> {
        let Some(tip) = self.tip else { return Vec::new() };
        let public = height(view.chain, &view.public_tip);
        if public <= std::mem::replace(&mut self.public, public) {
            return Vec::new();
        }
        if ancestor(view.chain, &tip, public) == Some(view.public_tip) {
            return Vec::new();
        }
        self.racing = false;
        let own = height(view.chain, &tip);
        match (own.above(public), public.above(own)) {
            (0, behind) if behind > self.stubborn.trail => {
                self.tip = None;
                view.withheld.to_vec()
            }
            (0, 0) => {
                self.racing = true;
                view.withheld.to_vec()
            }
            (0, _) => Vec::new(),
            (1, _) if !self.stubborn.lead => view.withheld.to_vec(),
            _ => withheld_up_to(view, public),
        }
    }
}
