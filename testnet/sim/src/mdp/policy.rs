//! Which action in which state.

use super::race::{Action, Fork, Game, State};

/// An action for each state of a game. It plays by lengths alone, so that a strategy in a whole network can ask it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    longest: usize,
    cases: usize,
    actions: Vec<Action>,
}

impl Policy {
    /// The policy that a rule gives. What the game does not allow is replaced by what it does.
    pub fn new(game: &Game, rule: impl Fn(State) -> Action) -> Self {
        let actions = states(game).flat_map(|state| FORKS.map(|fork| State { fork, ..state })).map(|state| {
            let action = rule(state);
            if game.allows(state, action) { action } else { forced(game, state) }
        });
        Self { longest: game.longest, cases: game.rules.cases(), actions: actions.collect() }
    }

    /// What to do. A branch that is longer than the table is shown when it wins, and given up otherwise.
    #[must_use]
    pub fn action(&self, state: State) -> Action {
        let State { own, public, fork, .. } = state;
        if own > self.longest || public > self.longest {
            return if own > public { Action::Override } else { Action::Adopt };
        }
        self.actions[place(self.longest, self.cases, state) * FORKS.len() + fork_index(fork)]
    }

    /// Shows every link at once and keeps nothing.
    #[must_use]
    pub fn honest(game: &Game) -> Self {
        Self::new(game, |state| if state.own > state.public { Action::Override } else { Action::Adopt })
    }

    /// Eyal and Sirer's: keeps a lead to itself until it is down to one link.
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

    /// Nayak and others' lead-stubborn miner: answers each link with one of its own and never overrides while it leads.
    #[must_use]
    pub fn lead_stubborn(game: &Game) -> Self {
        Self::new(game, |State { own, public, fork, .. }| match () {
            () if public > own => Action::Adopt,
            () if fork == Fork::Active && own == public + 1 => Action::Override,
            () if fork == Fork::Relevant => Action::Match,
            () => Action::Wait,
        })
    }

    /// Mines in private until its branch is `depth` links long or more and the longer one, to leave as many of the others'
    /// shares as possible without an anchor; gives up when it is `behind` links short.
    #[must_use]
    pub fn deep(game: &Game, depth: usize, behind: usize) -> Self {
        Self::new(game, |State { own, public, .. }| match () {
            () if public > own + behind => Action::Adopt,
            () if own == public + 1 && public >= depth => Action::Override,
            () => Action::Wait,
        })
    }

    /// A lazy miner: stays on a parent until `links` links have come after it, and never shows a link of its own in time.
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

/// All values of the last part of a state.
pub(super) const FORKS: [Fork; 3] = [Fork::Irrelevant, Fork::Relevant, Fork::Active];

/// Number of a value of the last part of a state.
pub(super) const fn fork_index(fork: Fork) -> usize {
    match fork {
        Fork::Irrelevant => 0,
        Fork::Relevant => 1,
        Fork::Active => 2,
    }
}

/// All states but for the last link, in the order of tables.
pub(super) fn states(game: &Game) -> impl Iterator<Item = State> {
    let sides = || 0..=game.longest;
    let lengths = sides().flat_map(move |own| sides().map(move |public| (own, public)));
    let cases = game.rules.cases();
    lengths.flat_map(move |(own, public)| (0..cases).map(move |uncles| State { own, public, uncles, ..State::START }))
}

/// Where a state stands in a table, whoever found the last link.
pub(super) const fn place(longest: usize, cases: usize, state: State) -> usize {
    (state.own * (longest + 1) + state.public) * cases + state.uncles
}

/// What is done where a rule's action is not allowed: going on if possible.
const fn forced(game: &Game, state: State) -> Action {
    if game.allows(state, Action::Wait) {
        Action::Wait
    } else if game.allows(state, Action::Override) {
        Action::Override
    } else {
        Action::Adopt
    }
}
