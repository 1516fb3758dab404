//! The race of an attacker's private branch against the public one, from their last common link.

use super::rules::Rules;
use super::state::{Action, Fork, State};

/// The parameters of a game.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Game {
    /// The attacker's part of the hashrate, below 0.5.
    pub alpha: f64,
    /// The part of the others' hashrate that mines on the attacker's branch while there is a tie.
    pub gamma: f64,
    /// Longest branch of either side, in links. The attacker must end a race that reaches it. The result is therefore a
    /// lower bound of what an unlimited attacker earns. For links, it is the depth at which links settle: a limit of any
    /// attack that does not outgrow the pool for hours.
    pub longest: usize,
    /// The reward rules.
    pub rules: Rules,
}

impl Game {
    /// Returns the state after the attacker has joined the public branch.
    #[must_use]
    pub fn adopted(&self, state: State) -> State {
        State { uncles: self.rules.left_by_own(state), ..State::START }
    }

    /// Returns the state after the attacker has shown one link more than the public branch had.
    #[must_use]
    pub fn overridden(&self, state: State) -> State {
        let shown = state.public + 1;
        let uncles = self.rules.left_by_others(state, shown);
        State { own: state.own - shown, public: 0, fork: Fork::Irrelevant, uncles }
    }

    /// Returns the state after the others have found a link on the attacker's branch in a tie.
    #[must_use]
    pub fn joined(&self, state: State) -> State {
        let uncles = self.rules.left_by_others(state, state.public);
        State { own: state.own - state.public, public: 1, fork: Fork::Relevant, uncles }
    }

    /// Returns whether an action is allowed in a state. In every state but the start, at least one is.
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
