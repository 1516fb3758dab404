//! The race: an attacker's private branch against the public one, from the last link that both have in common.

use super::rules::Rules;

/// How the last link came, which decides whether a tie can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fork {
    /// The attacker found it: too late to show a branch of the same length.
    Irrelevant,
    /// Everybody else found it and is about to hear of it.
    Relevant,
    /// The attacker has shown as much as the public branch has, and the others are split.
    Active,
}

/// What the attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Gives its branch up and joins the public one.
    Adopt,
    /// Shows one link more than the public branch has, which everybody follows.
    Override,
    /// Shows as many links as the public branch has.
    Match,
    /// Goes on in private.
    Wait,
}

/// A moment of a race: lengths in links since the last common one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The attacker's branch.
    pub own: usize,
    /// The public branch.
    pub public: usize,
    /// Who found the last link.
    pub fork: Fork,
    /// What earlier races left behind that may still be named; see [`Uncles::left`](super::Uncles::left). Without uncles 0.
    pub uncles: usize,
}

/// A game: who plays by which rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Game {
    /// The attacker's part of the hash rate, below 0.5.
    pub alpha: f64,
    /// The part of the others' hash rate that mines on the attacker's branch while there is a tie.
    pub gamma: f64,
    /// Longest branch, either way, in links. The attacker has to end a race that reaches it, so what is found is a lower
    /// bound of what an attacker without that limit earns; for links it is the depth of finality, which is a limit.
    pub longest: usize,
    /// What is paid.
    pub rules: Rules,
}

impl State {
    /// No race: the attacker works on the public tip.
    pub const START: Self = Self { own: 0, public: 0, fork: Fork::Irrelevant, uncles: 0 };

    /// Whether no race is on.
    #[must_use]
    pub const fn is_start(&self) -> bool {
        self.own == 0 && self.public == 0
    }

    /// After a link of the attacker's.
    #[must_use]
    pub const fn longer(self) -> Self {
        let fork = if matches!(self.fork, Fork::Active) { Fork::Active } else { Fork::Irrelevant };
        Self { own: self.own + 1, fork, ..self }
    }

    /// After a link of the others' on their own branch.
    #[must_use]
    pub const fn behind(self) -> Self {
        Self { public: self.public + 1, fork: Fork::Relevant, ..self }
    }
}

impl Game {
    /// After the attacker has joined the public branch.
    #[must_use]
    pub fn adopted(&self, state: State) -> State {
        State { uncles: self.rules.left_by_own(state), ..State::START }
    }

    /// After the attacker has shown one link more than the public branch had.
    #[must_use]
    pub fn overridden(&self, state: State) -> State {
        let shown = state.public + 1;
        let uncles = self.rules.left_by_others(state, shown);
        State { own: state.own - shown, public: 0, fork: Fork::Irrelevant, uncles }
    }

    /// After a link of the others' on what the attacker had shown in a tie.
    #[must_use]
    pub fn joined(&self, state: State) -> State {
        let uncles = self.rules.left_by_others(state, state.public);
        State { own: state.own - state.public, public: 1, fork: Fork::Relevant, uncles }
    }

    /// Whether an action can be taken in a state. In every state but the start one of them can.
    #[must_use]
    pub const fn allows(&self, state: State, action: Action) -> bool {
        let goes_on = state.own < self.longest && state.public < self.longest;
        match action {
            Action::Adopt => state.public > 0,
            Action::Override => state.own > state.public,
            Action::Match => {
                goes_on && matches!(state.fork, Fork::Relevant) && state.public > 0 && state.own >= state.public
            }
            Action::Wait => goes_on,
        }
    }
}
