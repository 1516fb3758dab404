//! The states of the race, and the attacker's actions.

/// The last link's finder, which decides whether the attacker can force a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fork {
    /// The attacker found it. It is too late to show a branch of the same length.
    Irrelevant,
    /// Another miner found it, and the network is about to hear of it.
    Relevant,
    /// The attacker has shown as many links as the public branch has, and the other miners are split.
    Active,
}

/// An action of the attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Give up the branch and join the public one.
    Adopt,
    /// Show one link more than the public branch has. All miners follow it.
    Override,
    /// Show as many links as the public branch has.
    Match,
    /// Continue in private.
    Wait,
}

/// A state of a race. Lengths are in links since the last common one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// Length of the attacker's branch.
    pub own: usize,
    /// Length of the public branch.
    pub public: usize,
    /// The finder of the last link.
    pub fork: Fork,
    /// Uncles of earlier races that can still be named; see [`Uncles::left`](super::Uncles::left). 0 without uncles.
    pub uncles: usize,
}

impl State {
    /// No race. The attacker works on the public tip.
    pub const START: Self = Self { own: 0, public: 0, fork: Fork::Irrelevant, uncles: 0 };

    /// Returns whether no race is on.
    #[must_use]
    pub const fn is_start(&self) -> bool {
        self.own == 0 && self.public == 0
    }

    /// Returns the state after the attacker has found a link.
    #[must_use]
    pub const fn longer(self) -> Self {
        let fork = if matches!(self.fork, Fork::Active) { Fork::Active } else { Fork::Irrelevant };
        Self { own: self.own + 1, fork, ..self }
    }

    /// Returns the state after the others have found a link on their own branch.
    #[must_use]
    pub const fn behind(self) -> Self {
        Self { public: self.public + 1, fork: Fork::Relevant, ..self }
    }
}
