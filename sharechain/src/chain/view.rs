//! What others may look at: the main chain, single links and proofs, and how far binding can be asked.

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
    /// The network's constants.
    #[must_use]
    pub fn params(&self) -> &ChainParams {
        &self.params
    }

    /// The network's id.
    #[must_use]
    pub fn consensus_id(&self) -> &[u8; 32] {
        &self.consensus_id
    }

    /// Bitcoin's headers as far as they were given.
    #[must_use]
    pub fn bitcoin(&self) -> &BitcoinHeaders {
        &self.bitcoin
    }

    /// The newest link of the heaviest complete branch.
    #[must_use]
    pub fn tip(&self) -> ShareId {
        self.main.last().copied().unwrap_or(ShareId(self.consensus_id))
    }

    /// The tip's height.
    #[must_use]
    pub fn height(&self) -> Height {
        Height(u32::try_from(self.main.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    /// Upgrades that miners signal, and how far each is for the next link (SC-601, SC-602).
    pub fn upgrades(&self) -> impl Iterator<Item = (u8, signals::State)> {
        let complete = self.links.get(&self.tip()).and_then(|link| link.complete());
        complete.into_iter().flat_map(|complete| complete.signals.states(self.height()))
    }

    /// The bit of an upgrade that is active and that this program does not know: it would judge by rules that are not the
    /// pool's any more.
    #[must_use]
    pub fn too_old(&self) -> Option<u8> {
        self.links.get(&self.tip())?.complete()?.signals.too_old(self.height())
    }

    /// The main chain's link at a height.
    #[must_use]
    pub fn main_at(&self, height: Height) -> Option<ShareId> {
        self.main.get(usize::try_from(height.0).ok()?).copied()
    }

    /// What is kept of a link.
    #[must_use]
    pub fn link(&self, id: &ShareId) -> Option<&Link> {
        self.links.get(id)
    }

    /// What is kept of a valid proof, share or link, that is not too deep.
    #[must_use]
    pub fn credit(&self, id: &ShareId) -> Option<&Credit> {
        self.credits.get(id)
    }

    /// The scripts that ever earned, by index.
    #[must_use]
    pub fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// The rule that every proof with this id breaks, if this node remembers one.
    #[must_use]
    pub fn refusal(&self, id: &ShareId) -> Option<RuleError> {
        self.refused.get(id)
    }

    /// Proofs that are held.
    #[must_use]
    pub fn held_len(&self) -> usize {
        self.held.len()
    }

    /// Ids that are remembered as invalid.
    #[must_use]
    pub fn refused_len(&self) -> usize {
        self.refused.len()
    }

    /// The easiest target that a proof can have met: what binding asks of it before anything else is known.
    ///
    /// While the tip is old the pool may have shrunk meanwhile, and only the network's bound is certain.
    #[must_use]
    pub fn easiest_plausible_target(&self, now: Timestamp) -> U256 {
        let floor = self.params.easiest_share_target;
        let fresh = |tip: &Link| now.seconds_since(tip.time) <= i64::from(HELD_SECONDS_MAX);
        if self.links.get(&self.tip()).is_some_and(fresh) { self.easiest_plausible_share_target() } else { floor }
    }

    /// Ids of the main chain from the tip down, at growing distances: what a peer needs to find the last common link.
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
