//! The best policy, and what any policy earns.
//!
//! A race starts anew whenever the attacker joins the public branch, so the attacker's part of all rewards is the expected
//! reward of a race, divided by what all get during one. A policy is the best one when none has a greater expectation of
//! `own - part * all` at the part that it reaches itself (Dinkelbach's way of maximising a quotient). Both expectations are
//! found by sweeps over all states, the longest branches first, as nothing but the end of a race leads to shorter ones.
//! What a policy earns is exact for branches no longer than the game's limit; which policy is the best is so for all rules
//! but those of links, where the search reckons with the expected number of shares at stake.

use super::policy::{FORKS, Policy, fork_index, place, states};
use super::race::{Action, Fork, Game, State};
use super::rules::{Reward, Rules};

/// Rounds of sweeps, at most; it takes ten to a few hundred.
const ROUNDS: usize = 2_000;
/// Sweeps between two of these over states with a short public branch, at most. An attacker close to half of the hash rate
/// stays ahead for hundreds of links.
const STRIP_SWEEPS: usize = 8;
/// Public branches that count as short, in links.
const STRIP: usize = 8;
/// Change of the attacker's part in a round that is none.
const PRECISION: f64 = 1e-8;
/// Change of what is to come in a race that is none, in shares.
const CHANGE: f64 = 1e-5;

/// A solved game.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// The attacker's part of all rewards.
    pub part: f64,
    /// How it gets it.
    pub policy: Policy,
}

/// The policy with the greatest part of all rewards.
#[must_use]
pub fn best(game: &Game) -> Solution {
    let mut search = Search::new(game, game.gamma > 0.0);
    search.run(None);
    let policy = Policy::new(game, |state| if search.reachable(state) { search.choose(state) } else { Action::Adopt });
    Solution { part: search.run(Some(&policy)), policy }
}

/// The part of all rewards that a policy earns.
#[must_use]
pub fn earned(game: &Game, policy: &Policy) -> f64 {
    Search::new(game, true).run(Some(policy))
}

/// What is still to come in a race, by state.
struct Search<'a> {
    game: &'a Game,
    /// See [`Rules::cases`].
    cases: usize,
    /// The attacker's part so far: the price of a reward to anybody.
    part: f64,
    to_come: Vec<[Future; FORKS.len()]>,
    facts: Vec<Facts>,
    /// Whether states of a tie matter.
    ties: bool,
}

/// What is to come in one state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Future {
    /// Until the race ends.
    reward: Reward,
    /// The chance that what is at stake on a branch is paid in the end.
    kept: Reward,
}

/// What depends neither on the part so far nor on what comes.
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

    /// Finds the part of all rewards, of the policy or of the best one.
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

    /// Reckons all states with a public branch of at most `public` links once more; the greatest change of one that the end
    /// of a race leads to. Up and down in turn, as a race goes either way.
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

    /// Reckons a state once more, whoever found the last link; the greatest change.
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

    /// Whether a race may come to a state.
    const fn reachable(&self, state: State) -> bool {
        let State { own, public, fork, uncles } = state;
        match fork {
            Fork::Irrelevant => own > 0 || (public == 0 && uncles > 0),
            Fork::Relevant => public > 0,
            Fork::Active => self.ties && public > 0 && own >= public,
        }
    }

    /// The best action; of equals the simplest.
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

    /// Rewards at the price of the part so far.
    fn worth(&self, reward: Reward) -> f64 {
        reward.own - self.part * (reward.own + reward.others)
    }

    /// What is to come after an action.
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

    /// What is to come after the next link, with what is paid for the shares before it.
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

    /// What is to come in a state; nothing more when no race is on.
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
    /// This with a chance, the other otherwise.
    fn or(self, chance: f64, other: Self) -> Self {
        let mix = |one: Reward, other: Reward| Reward {
            own: chance * one.own + (1.0 - chance) * other.own,
            others: chance * one.others + (1.0 - chance) * other.others,
        };
        Self { reward: mix(self.reward, other.reward), kept: mix(self.kept, other.kept) }
    }
}

/// The attacker's branch replaces the other one.
fn won(reward: Reward, then: Future) -> Future {
    Future { reward: sum(reward, then.reward), kept: Reward { own: 1.0, others: 0.0 } }
}

fn sum(one: Reward, other: Reward) -> Reward {
    Reward { own: one.own + other.own, others: one.others + other.others }
}

#[cfg(test)]
mod tests;
