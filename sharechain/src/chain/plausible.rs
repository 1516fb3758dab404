//! The easiest share target of the positions within the listing depth of the tip, maintained as the tip moves.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Chain;
use crate::units::{Height, U256};

/// Share targets of the main chain's positions, down to the depth at which proofs may still be listed.
///
/// A target is left out if a higher position has an easier or equal one: it can never be the easiest again. The targets
/// are thus in descending order, and a new tip takes amortized constant time.
#[derive(Clone, Debug, Default)]
pub(super) struct PlausibleTargets {
    targets: Arc<VecDeque<(Height, U256)>>,
}

impl PlausibleTargets {
    /// Adds the target of a new tip, and drops targets of heights below `lowest`.
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
    /// Adds the targets of the main chain's links above `known`. If links left the main chain, starts over.
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

    /// Easiest share target that a recent position on any branch may have.
    pub(super) fn easiest_plausible_share_target(&self) -> U256 {
        let floor = self.params.easiest_share_target;
        if self.height().0 <= self.params.listing_depth {
            return floor;
        }
        // Targets of another branch may differ by as much as the retarget allows within the listing depth.
        const SLACK: U256 = U256::from_limbs([16, 0, 0, 0]);
        self.plausible.easiest().unwrap_or(floor).saturating_mul(SLACK).min(floor)
    }
}
