//! Censorship: the miner's links list only its own shares, and it forwards no other miner's proofs.

use serde::Deserialize;
use sharechain::ShareId;
use sharechain::change_set::Source;

use super::tools::keep;
use super::{Strategy, View};

/// A miner that censors.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Censor {
    /// Whether it forwards other miners' proofs.
    pub forwards: bool,
}

impl Strategy for Censor {
    /// Its parents are its own links, although an honest node passes over a link that leaves out others' shares.
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
