//! Withholding listed shares: the miner publishes links but not the shares they list. All nodes search for data that no
//! node serves, until it arrives all at once.

use serde::Deserialize;
use sharechain::ShareId;

use super::{Fate, FoundProof, Strategy, View};

/// A miner that withholds the shares that its links list.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WithholdListed {
    /// Seconds for which a share is withheld.
    pub for_s: u32,
}

impl Default for WithholdListed {
    fn default() -> Self {
        Self { for_s: 120 }
    }
}

impl Strategy for WithholdListed {
    fn found(&mut self, _view: &mut View<'_>, found: &FoundProof) -> Fate {
        if found.is_link { Fate::Publish } else { Fate::Withhold }
    }

    fn second(&mut self, view: &mut View<'_>) -> Vec<ShareId> {
        let due = |id: &&ShareId| {
            let found = view.chain.credit(id).map(|credit| credit.validated_at);
            found.is_none_or(|found| view.time.seconds_since(found) >= i64::from(self.for_s))
        };
        view.withheld.iter().filter(due).copied().collect()
    }
}
