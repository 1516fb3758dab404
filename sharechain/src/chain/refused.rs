//! Verdicts on invalid ids.

use crate::error::RuleError;
use crate::limits::REFUSED_MAX;
use crate::ordered::Ordered;
use crate::units::ShareId;

/// The newest [`REFUSED_MAX`] verdicts: for each invalid id, the broken rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused {
    rules: Ordered<ShareId, RuleError>,
    /// Ids by the sequence number of their verdict.
    order: Ordered<u64, ShareId>,
    verdicts: u64,
}

impl Refused {
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn get(&self, id: &ShareId) -> Option<RuleError> {
        self.rules.get(id).copied()
    }

    pub(super) fn insert(&mut self, id: ShareId, rule: RuleError) {
        if !self.rules.contains(&id) {
            self.order.insert(self.verdicts, id);
            self.verdicts = self.verdicts.saturating_add(1);
        }
        self.rules.insert(id, rule);
        if self.order.len() > REFUSED_MAX
            && let Some((number, oldest)) = self.order.first().map(|(number, id)| (*number, *id))
        {
            self.order.remove(&number);
            self.rules.remove(&oldest);
        }
    }
}
