//! Status of a share, for queries.

use super::branch::Branch;
use super::{Chain, Missing};
use crate::check::list::earned;
use crate::error::RuleError;
use crate::units::{Height, ShareId, Weight};

/// Status of a share as this node knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A link of the main chain, with its height.
    MainLink(Height),
    /// Listed by a link of the main chain.
    Listed {
        /// Link that lists it.
        link: ShareId,
        /// Height of that link.
        height: Height,
    },
    /// Valid, but no link of the main chain lists it yet.
    Pending,
    /// Valid, but too deep to be listed anymore.
    Expired,
    /// Held: it cannot be judged yet.
    Held(Missing),
    /// The id is invalid: every proof with it breaks this rule.
    Refused(RuleError),
    /// Unknown, or so old that only the store knows it.
    Unknown,
}

/// Why a listed share earns nothing (SC-410).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpaid {
    /// It builds on a Bitcoin block that was no longer the tip, for more links than `stale_depth`.
    StaleTip,
    /// Its anchor was more than `credit_depth` links below the link that lists it.
    TooDeep,
}

impl Chain {
    /// Returns why a share that a link of the main chain lists earns nothing. `None` if it earns its weight, is not listed,
    /// or is so deep that the chain has dropped its data.
    #[must_use]
    pub fn unpaid(&self, id: &ShareId) -> Option<Unpaid> {
        let Fate::Listed { link, height } = self.fate(id) else { return None };
        let credit = self.credits.get(id)?;
        let branch = Branch::new(self, self.links.get(&link)?.parent)?;
        if earned(credit, height, &branch, &self.params) > Weight::ZERO {
            return None;
        }
        let too_deep = height.above(credit.anchor_height) > self.params.credit_depth;
        Some(if too_deep { Unpaid::TooDeep } else { Unpaid::StaleTip })
    }

    /// Returns the status of `id`.
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
