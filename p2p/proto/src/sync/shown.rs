//! The verified part of a peer's chain.

use sharechain::{Height, ShareId, Work};

use crate::Millis;

/// Where a header chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// At a link of this node's own chain.
    OnOwnChain,
    /// At the peer's claimed beginning of its lowest link.
    AtBeginning {
        /// Height of the first link.
        first: Height,
        /// Height of the last link whose rows are needed to start from there.
        rows_to: Height,
    },
}

/// The part of a peer's chain that this node has verified by link headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Where it begins.
    pub begins: Begins,
    /// Height of the last link.
    pub height: Height,
    /// Chain work of the last link.
    pub chain_work: Work,
    /// Work of the links since a Bitcoin block of a week ago, as far as it is verified.
    pub recent_work: Work,
    /// Locator of the chain, newest first.
    pub locator: Vec<ShareId>,
}

impl Shown {
    /// Work by which it ranks. A newcomer does not trust the claimed chain work below.
    pub(super) const fn rank(&self) -> Work {
        match self.begins {
            Begins::OnOwnChain => self.chain_work,
            Begins::AtBeginning { .. } => self.recent_work,
        }
    }
}

/// A header chain that is followed.
#[derive(Clone, Debug)]
pub(super) struct Follow {
    /// The verified part; none before the first response.
    pub(super) shown: Option<Shown>,
    /// True if the peer said that it has no more, or that nothing follows.
    pub(super) ended: bool,
    /// True if it was shown to its end, even if the peer has claimed more since.
    pub(super) complete: bool,
    /// True if the peer must be asked for its beginning first.
    pub(super) at_beginning: bool,
    /// When it last grew.
    pub(super) progress_at: Millis,
    /// Time before which the next headers are not requested.
    pub(super) next_at: Millis,
    /// When lists or rows of it last arrived, or were first requested.
    pub(super) fetched_at: Option<Millis>,
    /// True if lists or rows of it have arrived.
    pub(super) fetched: bool,
}

impl Follow {
    pub(super) fn new(at_beginning: bool, now: Millis) -> Self {
        Self {
            shown: None,
            ended: false,
            complete: false,
            at_beginning,
            progress_at: now,
            next_at: now,
            fetched_at: None,
            fetched: false,
        }
    }

    /// The verified part, if it begins on this node's own chain.
    pub(super) fn on_own_chain(&self) -> Option<&Shown> {
        self.shown.as_ref().filter(|shown| shown.begins == Begins::OnOwnChain)
    }

    /// The verified part, if it begins below this node's own chain and is complete.
    pub(super) fn candidate(&self) -> Option<&Shown> {
        self.shown.as_ref().filter(|shown| self.complete && shown.begins != Begins::OnOwnChain)
    }

    /// True if the peer claims more than it has shown.
    pub(super) fn falls_short(&self, claimed: Work) -> bool {
        self.shown.as_ref().is_none_or(|shown| shown.chain_work < claimed)
    }
}
