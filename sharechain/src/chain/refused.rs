//! Verdicts on ids that are invalid whoever brings them.

use std::collections::{BTreeMap, VecDeque};

use crate::error::RuleError;
use crate::limits::REFUSED_MAX;
use crate::units::ShareId;

/// The newest [`REFUSED_MAX`] verdicts.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused {
    rules: BTreeMap<ShareId, RuleError>,
    order: VecDeque<ShareId>,
}

impl Refused {
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn get(&self, id: &ShareId) -> Option<RuleError> {
        self.rules.get(id).copied()
    }

    pub(super) fn insert(&mut self, id: ShareId, rule: RuleError) {
        if self.rules.insert(id, rule).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > REFUSED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.rules.remove(&oldest);
        }
    }
}
