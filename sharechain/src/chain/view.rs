//! Read access: the main chain, single links and proofs, and the target that binding requires.

use super::{Chain, Link};
use crate::bitcoin_headers::BitcoinHeaders;
use crate::credit::Credit;
use crate::error::RuleError;
use crate::limits::HELD_SECONDS_MAX;
use crate::params::ChainParams;
use crate::signals;
use crate::units::{Height, ShareId, Timestamp, U256};
use crate::window::Scripts;

impl Chain {
    /// Constants of the network.
    #[must_use]
    pub fn params(&self) -> &ChainParams {
        &self.params
    }

    /// Consensus id of the network, in SHA-256 output order.
    #[must_use]
    pub fn consensus_id(&self) -> &[u8; 32] {
        &self.consensus_id
    }

    /// Bitcoin headers that the chain has accepted.
    #[must_use]
    pub fn bitcoin(&self) -> &BitcoinHeaders {
        &self.bitcoin
    }

    /// Newest link of the main chain; genesis at first.
    #[must_use]
    pub fn tip(&self) -> ShareId {
        self.main.last().copied().unwrap_or(ShareId(self.consensus_id))
    }

    /// Height of the tip.
    #[must_use]
    pub fn height(&self) -> Height {
        Height(u32::try_from(self.main.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    /// Bits that miners signal, ascending, each with its state for the next link (SC-601, SC-602).
    pub fn upgrades(&self) -> impl Iterator<Item = (u8, signals::State)> {
        let complete = self.links.get(&self.tip()).and_then(|link| link.complete());
        complete.into_iter().flat_map(|complete| complete.signals.states(self.height()))
    }

    /// Bit of an active upgrade that this program does not implement, if any. The program would then judge by outdated
    /// rules.
    #[must_use]
    pub fn too_old(&self) -> Option<u8> {
        self.links.get(&self.tip())?.complete()?.signals.too_old()
    }

    /// Returns the main chain's link at a height.
    #[must_use]
    pub fn main_at(&self, height: Height) -> Option<ShareId> {
        self.main.get(usize::try_from(height.0).ok()?).copied()
    }

    /// Returns the stored data of a link.
    #[must_use]
    pub fn link(&self, id: &ShareId) -> Option<&Link> {
        self.links.get(id)
    }

    /// Returns the stored data of a valid share or link that can still be listed or its listing undone.
    #[must_use]
    pub fn credit(&self, id: &ShareId) -> Option<&Credit> {
        self.credits.get(id)
    }

    /// Payout scripts of all valid proofs so far, by number.
    #[must_use]
    pub fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// Returns the rule that every proof with this id breaks, if this node remembers one.
    #[must_use]
    pub fn refusal(&self, id: &ShareId) -> Option<RuleError> {
        self.refused.get(id)
    }

    /// Number of held proofs.
    #[must_use]
    pub fn held_len(&self) -> usize {
        self.held.len()
    }

    /// Number of ids that are remembered as invalid.
    #[must_use]
    pub fn refused_len(&self) -> usize {
        self.refused.len()
    }

    /// Easiest target that a recent proof may have met: the target that binding requires before anything else is known
    /// (SC-101).
    ///
    /// If the tip is more than [`HELD_SECONDS_MAX`] old at `now`, the pool may have shrunk since, so this is the
    /// network's easiest share target.
    #[must_use]
    pub fn easiest_plausible_target(&self, now: Timestamp) -> U256 {
        let floor = self.params.easiest_share_target;
        let fresh = |tip: &Link| now.seconds_since(tip.time) <= i64::from(HELD_SECONDS_MAX);
        if self.links.get(&self.tip()).is_some_and(fresh) { self.easiest_plausible_share_target() } else { floor }
    }

    /// Ids of the main chain from the tip down, at growing distances. A peer uses them to find the last common link. At
    /// most [`LOCATOR_MAX`](crate::limits::LOCATOR_MAX) ids.
    #[must_use]
    pub fn locator(&self) -> Vec<ShareId> {
        const DENSE: usize = 10;
        let mut locator = Vec::with_capacity(crate::limits::LOCATOR_MAX);
        let mut height = self.height();
        let mut step = 1_u32;
        while let Some(id) = self.main_at(height) {
            locator.push(id);
            if height == Height(0) || locator.len() == crate::limits::LOCATOR_MAX {
                break;
            }
            if locator.len() >= DENSE {
                step = step.saturating_mul(2);
            }
            height = height.below(step);
        }
        locator
    }
}
