//! The best policy, and the earnings of any policy.
//!
//! A race restarts whenever the attacker joins the public branch. The attacker's part of all rewards is therefore the
//! attacker's expected reward in a race, divided by everyone's. A policy is the best one if none has a greater
//! expectation of `own - part * all` at the part that it reaches itself (Dinkelbach's method for quotients). Both
//! expectations are found by sweeps over all states, longest branches first, because only the end of a race leads to
//! shorter ones. The earnings of a policy are exact for branches within the game's limit. The best policy is exact for
//! all rules but those of links, where the search uses the expected number of shares at stake.

use super::policy::{FORKS, Policy, fork_index, place, states};
use super::race::Game;
use super::rules::{Reward, Rules};
use super::state::{Action, Fork, State};

/// Largest number of rounds. A search takes ten to a few hundred.
const ROUNDS: usize = 2_000;
/// Largest number of sweeps over states with a short public branch between two full sweeps. An attacker with close to
/// half of the hashrate stays ahead for hundreds of links.
const STRIP_SWEEPS: usize = 8;
/// Length of a short public branch, in links.
const STRIP: usize = 8;
/// Change of the attacker's part in a round that counts as convergence.
const PRECISION: f64 = 1e-8;
/// Change of the expected future reward that counts as convergence, in shares.
const CHANGE: f64 = 1e-5;

/// A solved game.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// The attacker's part of all rewards, 0 to 1.
    pub part: f64,
    /// The policy that earns it.
    pub policy: Policy,
}

/// Returns the policy with the largest part of all rewards.
#[must_use]
pub fn best(game: &Game) -> Solution {
    let mut search = Search::new(game, game.gamma > 0.0);
    search.run(None);
    let policy = Policy::new(game, |state| if search.reachable(state) { search.choose(state) } else { Action::Adopt });
    Solution { part: search.run(Some(&policy)), policy }
}

/// Returns the part of all rewards that a policy earns, 0 to 1.
#[must_use]
pub fn earned(game: &Game, policy: &Policy) -> f64 {
    Search::new(game, true).run(Some(policy))
}

/// The expected future of a race, for each state.
struct Search<'a> {
    game: &'a Game,
    /// See [`Rules::cases`].
    cases: usize,
    /// The attacker's part so far: the price of one reward to any miner.
    part: f64,
    to_come: Vec<[Future; FORKS.len()]>,
    facts: Vec<Facts>,
    /// Whether states of a tie matter.
    ties: bool,
}

/// The expected future of one state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Future {
    /// Expected rewards until the race ends.
    reward: Reward,
    /// Probability that the shares at stake on each branch are paid in the end.
    kept: Reward,
}

/// Facts of a state that depend neither on the part so far nor on its future.
#[derive(Clone, Copy, Default)]
struct Facts {
    adopted: Reward,
    overridden: Reward,
    joined: Reward,
    at_stake: Reward,
}

impl<'a> Search<'a> {
    fn new(game: &'a Game, ties: bool) -> Self {
        let facts: Vec<_> = states(game).map(|state| Facts::of(game, state)).collect();
        let cases = game.rules.cases();
        Self { game, cases, part: game.alpha, to_come: vec![<_>::default(); facts.len()], facts, ties }
    }

    /// Finds the part of all rewards, of the given policy or of the best one.
    fn run(&mut self, policy: Option<&Policy>) -> f64 {
        let longest = self.game.longest;
        for _ in 0..ROUNDS {
            let mut change = self.sweep(longest, policy);
            for _ in 0..STRIP_SWEEPS {
                let strip = self.sweep(STRIP.min(longest), policy);
                if strip < change / 2.0 {
                    break;
                }
                change = change.max(strip);
            }
            let Reward { own, others } = self.go_on(State::START).reward;
            let gained = own / (own + others) - self.part;
            self.part += gained;
            if gained.abs() < PRECISION && change < CHANGE {
                break;
            }
        }
        self.part
    }

    /// Updates all states with a public branch of at most `public` links. Returns the largest change of a state that
    /// the end of a race leads to. Sweeps alternate in direction, because a race can go either way.
    fn sweep(&mut self, public: usize, policy: Option<&Policy>) -> f64 {
        let longest = self.game.longest;
        let whole = public == longest;
        let mut change: f64 = 0.0;
        for turn in 0..=longest {
            let own = if whole { longest - turn } else { turn };
            for public in (0..=public).rev() {
                for uncles in 0..self.cases {
                    let changed = self.reckon(State { own, public, uncles, ..State::START }, policy);
                    if public <= 1 {
                        change = change.max(changed);
                    }
                }
            }
        }
        change
    }

    /// Updates one state for all values of [`State::fork`]. Returns the largest change.
    fn reckon(&mut self, lengths: State, policy: Option<&Policy>) -> f64 {
        let mut change: f64 = 0.0;
        for fork in FORKS {
            let state = State { fork, ..lengths };
            if self.reachable(state) {
                let action = policy.map_or_else(|| self.choose(state), |policy| policy.action(state));
                let now = self.after(state, action);
                let at = self.place(state);
                let before = std::mem::replace(&mut self.to_come[at][fork_index(fork)], now);
                change = change.max((self.worth(now.reward) - self.worth(before.reward)).abs());
            }
        }
        change
    }

    fn place(&self, state: State) -> usize {
        place(self.game.longest, self.cases, state)
    }

    /// Returns whether a race may reach a state.
    const fn reachable(&self, state: State) -> bool {
        let State { own, public, fork, uncles } = state;
        match fork {
            Fork::Irrelevant => own > 0 || (public == 0 && uncles > 0),
            Fork::Relevant => public > 0,
            Fork::Active => self.ties && public > 0 && own >= public,
        }
    }

    /// Returns the best action, and of equal ones the simplest.
    fn choose(&self, state: State) -> Action {
        let mut best = (Action::Adopt, f64::NEG_INFINITY);
        let at_stake = self.facts(state).at_stake;
        for action in [Action::Adopt, Action::Override, Action::Wait, Action::Match] {
            if self.game.allows(state, action) && (self.ties || action != Action::Match) {
                let Future { reward, kept } = self.after(state, action);
                let own = reward.own + at_stake.own * kept.own;
                let others = reward.others + at_stake.others * kept.others;
                let worth = self.worth(Reward { own, others });
                if worth > best.1 {
                    best = (action, worth);
                }
            }
        }
        best.0
    }

    /// Returns the value of rewards at the price of the part so far.
    fn worth(&self, reward: Reward) -> f64 {
        reward.own - self.part * (reward.own + reward.others)
    }

    /// Returns the future after an action.
    fn after(&self, state: State, action: Action) -> Future {
        match action {
            Action::Adopt => {
                let then = self.at(self.game.adopted(state));
                let reward = sum(self.facts(state).adopted, then.reward);
                Future { reward, kept: Reward { own: 0.0, others: 1.0 } }
            }
            Action::Override => won(self.facts(state).overridden, self.at(self.game.overridden(state))),
            Action::Match => self.go_on(State { fork: Fork::Active, ..state }),
            Action::Wait => self.go_on(state),
        }
    }

    /// Returns the future after the next link, including the pay for the shares before it.
    fn go_on(&self, state: State) -> Future {
        let Game { alpha, gamma, rules, .. } = *self.game;
        let split = if state.fork == Fork::Active { gamma } else { 0.0 };
        let (own_link, others_link) = (self.at(state.longer()), self.at(state.behind()));
        let joined =
            if split > 0.0 { won(self.facts(state).joined, self.at(self.game.joined(state))) } else { others_link };
        let next = own_link.or(alpha, joined.or(split, others_link));
        let Rules::LinkPay(links) = rules else { return next };
        let paid = |link: usize, chance: f64| if links.safe(link) { 1.0 } else { chance };
        let State { own, public, .. } = state;
        let shares = links.shares - 1.0;
        let on_own = shares * paid(own, next.kept.own) + paid(own, own_link.kept.own);
        let on_public = shares * paid(public, next.kept.others) + paid(public, others_link.kept.others);
        let on_shown = shares * paid(public, next.kept.own) + 1.0;
        let found =
            Reward { own: alpha * on_own, others: (1.0 - alpha) * (split * on_shown + (1.0 - split) * on_public) };
        Future { reward: sum(found, next.reward), ..next }
    }

    fn facts(&self, state: State) -> &Facts {
        &self.facts[self.place(state)]
    }

    /// Returns the future of a state. It is zero if no race is on.
    fn at(&self, state: State) -> Future {
        if state == State::START {
            return Future::default();
        }
        self.to_come[self.place(state)][fork_index(state.fork)]
    }
}

impl Facts {
    fn of(game: &Game, state: State) -> Self {
        let Game { alpha, rules, .. } = *game;
        let shown = |links: usize| {
            if links > 0 && links <= state.own { rules.shown(alpha, state, links) } else { Reward::default() }
        };
        Self {
            adopted: rules.adopted(state),
            overridden: shown(state.public + 1),
            joined: shown(state.public),
            at_stake: rules.at_stake(alpha, state),
        }
    }
}

impl Future {
    /// Mixes two futures: this one with probability `chance`, the other one otherwise.
    fn or(self, chance: f64, other: Self) -> Self {
        let mix = |one: Reward, other: Reward| Reward {
            own: chance * one.own + (1.0 - chance) * other.own,
            others: chance * one.others + (1.0 - chance) * other.others,
        };
        Self { reward: mix(self.reward, other.reward), kept: mix(self.kept, other.kept) }
    }
}

/// Returns the future after the attacker's branch replaces the other one.
fn won(reward: Reward, then: Future) -> Future {
    Future { reward: sum(reward, then.reward), kept: Reward { own: 1.0, others: 0.0 } }
}

fn sum(one: Reward, other: Reward) -> Reward {
    Reward { own: one.own + other.own, others: one.others + other.others }
}

#[cfg(test)]
mod tests;
