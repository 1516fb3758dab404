//! Censorship: own links list own shares only, and nobody's else are passed on.

use serde::Deserialize;
use sharechain::ShareId;
use sharechain::change_set::Source;

use super::tools::keep;
use super::{Strategy, View};

/// A miner that censors.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Censor {
    /// Whether it passes on what others found.
    pub forwards: bool,
}

impl Strategy for Censor {
    /// Its own links stay its parents, though an honest node passes over a link that leaves others out.
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        view.chain.tip()
    }

    fn list(&mut self, view: &mut View<'_>, listable: Vec<ShareId>) -> Vec<ShareId> {
        let own = |id: &ShareId| view.chain.credit(id).is_some_and(|credit| credit.source == Source::default());
        keep(view.chain, &listable, own)
    }

    fn forwards(&mut self, _id: &ShareId) -> bool {
        self.forwards
    }
}
