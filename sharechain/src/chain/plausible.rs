//! The easiest share target of the positions in sight of the tip, kept up as the tip moves.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Chain;
use crate::units::{Height, U256};

/// Share targets that the main chain's links decided for their children, as far below the tip as proofs may be listed.
///
/// One above which an easier one stands, or an equal one, is left out: it will never be the easiest again. So targets fall
/// from front to back, and each new tip costs one look at its own, however many are in sight.
#[derive(Clone, Debug, Default)]
pub(super) struct PlausibleTargets {
    targets: Arc<VecDeque<(Height, U256)>>,
}

impl PlausibleTargets {
    /// Adds the target of a new tip, and drops those below `lowest`.
    fn push(&mut self, height: Height, target: U256, lowest: Height) {
        let targets = Arc::make_mut(&mut self.targets);
        while targets.back().is_some_and(|(_, known)| *known <= target) {
            targets.pop_back();
        }
        targets.push_back((height, target));
        while targets.front().is_some_and(|(known, _)| *known < lowest) {
            targets.pop_front();
        }
    }

    fn easiest(&self) -> Option<U256> {
        self.targets.front().map(|(_, target)| *target)
    }
}

impl Chain {
    /// Takes note of the main chain's links above `known`; of all in sight when links left it.
    pub(super) fn note_targets_from(&mut self, known: Height, links_left: bool) {
        let depth = self.params.listing_depth;
        let first = if links_left { self.height().below(depth) } else { known.child() };
        if links_left {
            self.plausible = PlausibleTargets::default();
        }
        for height in (first.0..=self.height().0).map(Height) {
            let Some(link) = self.main_at(height).and_then(|id| self.links.get(&id)) else { continue };
            self.plausible.push(height, link.position.share_target, height.below(depth));
        }
    }

    /// The easiest share target that a position on any branch in sight of the tip may have.
    pub(super) fn easiest_plausible_share_target(&self) -> U256 {
        let floor = self.params.easiest_share_target;
        if self.height().0 <= self.params.listing_depth {
            return floor;
        }
        // Another branch's targets may differ by what the retarget allows while it is still in sight.
        const SLACK: U256 = U256::from_limbs([16, 0, 0, 0]);
        self.plausible.easiest().unwrap_or(floor).saturating_mul(SLACK).min(floor)
    }
}
