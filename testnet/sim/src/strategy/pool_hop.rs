//! Pool hopping: the miner leaves when a proportional pool would pay less than its fair share. It is honest while it
//! mines.

use serde::Deserialize;
use sharechain::change_set::ChangeSet;
use sharechain::{ShareId, Weight};

use super::{Strategy, View};

/// A miner that works while a pool that pays in proportion within a round would pay more than its fair share. That is
/// until 43.5% of a round's expected work is done (Raulo, 2011).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolHop {
    /// The part of a round's expected work after which it leaves.
    pub until: f64,
    /// Work since the pool's last Bitcoin block, in expected blocks.
    #[serde(skip)]
    done: f64,
}

impl Default for PoolHop {
    fn default() -> Self {
        Self { until: 0.435, done: 0.0 }
    }
}

impl Strategy for PoolHop {
    fn heard(&mut self, view: &mut View<'_>, changes: &ChangeSet) -> Vec<ShareId> {
        for accepted in &changes.accepted {
            let Weight(weight) = view.chain.credit(&accepted.id).map(|credit| credit.weight).unwrap_or_default();
            self.done += weight as f64 / Weight::ONE_BLOCK.0 as f64;
            if accepted.proof.header.target().is_met_by(accepted.id.block_hash()) {
                self.done = 0.0;
            }
        }
        Vec::new()
    }

    fn power(&mut self, _view: &mut View<'_>) -> f64 {
        if self.done < self.until { 1.0 } else { 0.0 }
    }

    fn is_honest(&self) -> bool {
        true
    }
}
