//! Late listing of chosen shares: the miner's links leave out others' shares for as long as other nodes tolerate it. So
//! the miner chooses the link that credits them.

use serde::Deserialize;
use sharechain::ShareId;
use sharechain::change_set::Source;

use super::tools::keep;
use super::{Strategy, View};

/// A miner that lists other miners' shares late.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListLate {
    /// Seconds between validating a share and listing it. Nodes pass over links that leave out a share older than
    /// [`sharechain::limits::OMISSION_SECONDS`].
    pub delay_s: u32,
}

impl Default for ListLate {
    fn default() -> Self {
        Self { delay_s: 25 }
    }
}

impl Strategy for ListLate {
    fn list(&mut self, view: &mut View<'_>, listable: Vec<ShareId>) -> Vec<ShareId> {
        let due = |id: &ShareId| {
            let Some(credit) = view.chain.credit(id) else { return false };
            let age_s = view.time.seconds_since(credit.validated_at);
            credit.source == Source::default() || age_s >= i64::from(self.delay_s)
        };
        keep(view.chain, &listable, due)
    }
}
