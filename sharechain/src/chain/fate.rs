//! What became of a share, for whoever asks.

use super::{Chain, Missing};
use crate::error::RuleError;
use crate::units::{Height, ShareId};

/// A share's fate as this node knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A link of the main chain.
    MainLink(Height),
    /// Listed by a link of the main chain.
    Listed {
        /// That link.
        link: ShareId,
        /// Its height.
        height: Height,
    },
    /// Valid, and no link of the main chain lists it yet.
    Pending,
    /// Valid, but too deep to be listed any more.
    Expired,
    /// Cannot be judged yet.
    Held(Missing),
    /// Invalid, whoever brings it.
    Refused(RuleError),
    /// Not known, or so old that only the store knows it.
    Unknown,
}

impl Chain {
    /// What became of `id`.
    #[must_use]
    pub fn fate(&self, id: &ShareId) -> Fate {
        if let Some(height) = self.listed.get(id).copied() {
            return match self.main_at(height) {
                Some(link) if link == *id => Fate::MainLink(height),
                Some(link) => Fate::Listed { link, height },
                None => Fate::Unknown,
            };
        }
        if let Some(credit) = self.credits.get(id) {
            let depth = self.height().child().above(credit.anchor_height);
            return if depth > self.params.listing_depth { Fate::Expired } else { Fate::Pending };
        }
        if let Some(waiter) = self.held.get(id) {
            return Fate::Held(waiter.missing);
        }
        self.refused.get(id).map_or(Fate::Unknown, Fate::Refused)
    }
}
