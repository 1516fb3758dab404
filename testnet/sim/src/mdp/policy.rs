//! The action for each state.

use super::race::Game;
use super::state::{Action, Fork, State};

/// An action for each state of a game. It depends on lengths only, so a strategy in a whole network can use it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    longest: usize,
    cases: usize,
    actions: Vec<Action>,
}

impl Policy {
    /// Creates the policy of a rule. Actions that the game does not allow are replaced by allowed ones.
    pub fn new(game: &Game, rule: impl Fn(State) -> Action) -> Self {
        let actions = states(game).flat_map(|state| FORKS.map(|fork| State { fork, ..state })).map(|state| {
            let action = rule(state);
            if game.allows(state, action) { action } else { forced(game, state) }
        });
        Self { longest: game.longest, cases: game.rules.cases(), actions: actions.collect() }
    }

    /// Returns the action. A branch longer than the table is shown if it wins, and given up otherwise.
    #[must_use]
    pub fn action(&self, state: State) -> Action {
        let State { own, public, fork, .. } = state;
        if own > self.longest || public > self.longest {
            return if own > public { Action::Override } else { Action::Adopt };
        }
        self.actions[place(self.longest, self.cases, state) * FORKS.len() + fork_index(fork)]
    }

    /// The honest policy: shows every link at once and withholds none.
    #[must_use]
    pub fn honest(game: &Game) -> Self {
        Self::new(game, |state| if state.own > state.public { Action::Override } else { Action::Adopt })
    }

    /// Eyal and Sirer's policy: withholds a lead until it is down to one link.
    #[must_use]
    pub fn selfish(game: &Game) -> Self {
        Self::new(game, |State { own, public, fork, .. }| match (own, public) {
            _ if public > own => Action::Adopt,
            // The tie that it hoped for is decided.
            _ if own == public + 1 && public > 0 => Action::Override,
            _ if fork == Fork::Relevant => Action::Match,
            _ => Action::Wait,
        })
    }

    /// The lead-stubborn miner of Nayak et al.: answers each link with one of its own and never overrides while it
    /// leads.
    #[must_use]
    pub fn lead_stubborn(game: &Game) -> Self {
        Self::new(game, |State { own, public, fork, .. }| match () {
            () if public > own => Action::Adopt,
            () if fork == Fork::Active && own == public + 1 => Action::Override,
            () if fork == Fork::Relevant => Action::Match,
            () => Action::Wait,
        })
    }

    /// Mines in private until its branch has `depth` links or more and is the longer one. Its aim is to leave as many
    /// of the others' shares as possible without an anchor. It gives up when it is `behind` links short.
    #[must_use]
    pub fn deep(game: &Game, depth: usize, behind: usize) -> Self {
        Self::new(game, |State { own, public, .. }| match () {
            () if public > own + behind => Action::Adopt,
            () if own == public + 1 && public >= depth => Action::Override,
            () => Action::Wait,
        })
    }

    /// A lazy miner: stays on a parent until `links` links follow it, and never shows one of its own links in time.
    #[must_use]
    pub fn lazy(game: &Game, links: usize) -> Self {
        Self::new(
            game,
            |State { own, public, .. }| {
                if public >= links || own > 0 { Action::Adopt } else { Action::Wait }
            },
        )
    }
}

/// All values of [`State::fork`].
pub(super) const FORKS: [Fork; 3] = [Fork::Irrelevant, Fork::Relevant, Fork::Active];

/// Returns the index of a value of [`State::fork`].
pub(super) const fn fork_index(fork: Fork) -> usize {
    match fork {
        Fork::Irrelevant => 0,
        Fork::Relevant => 1,
        Fork::Active => 2,
    }
}

/// Returns all states without the value of [`State::fork`], in the order of the tables.
pub(super) fn states(game: &Game) -> impl Iterator<Item = State> {
    let sides = || 0..=game.longest;
    let lengths = sides().flat_map(move |own| sides().map(move |public| (own, public)));
    let cases = game.rules.cases();
    lengths.flat_map(move |(own, public)| (0..cases).map(move |uncles| State { own, public, uncles, ..State::START }))
}

/// Returns the table index of a state, whatever its [`State::fork`].
pub(super) const fn place(longest: usize, cases: usize, state: State) -> usize {
    (state.own * (longest + 1) + state.public) * cases + state.uncles
}

/// Returns the replacement for an action that is not allowed: wait, if possible.
const fn forced(game: &Game, state: State) -> Action {
    if game.allows(state, Action::Wait) {
        Action::Wait
    } else if game.allows(state, Action::Override) {
        Action::Override
    } else {
        Action::Adopt
    }
}
