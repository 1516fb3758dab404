//! Listing chosen shares late: own links leave out others' shares for as long as no node takes offence, so as to choose
//! in which link they are credited.

use serde::Deserialize;
use sharechain::ShareId;
use sharechain::change_set::Source;

use super::tools::keep;
use super::{Strategy, View};

/// A miner that lists others late.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListLate {
    /// Seconds since this node validated a share before it lists it. Links that leave out what is older than
    /// [`sharechain::limits::OMISSION_SECONDS`] are passed over.
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
