//! The same game played with dice, to check the solver. Each share stays on the link on which it was found, and each
//! uncle waits for a block that may name it. The solver uses expected values instead.

use rand::Rng;

use super::policy::Policy;
use super::race::Game;
use super::rules::{LinkPay, Reward, Rules, Uncles};
use super::state::{Action, Fork, State};
use crate::rng::SimRng;

/// Returns the rewards of both sides while `links` links are found on either branch, and until the race then in
/// progress ends.
#[must_use]
pub fn play(game: &Game, policy: &Policy, links: u64, rng: &mut SimRng) -> Reward {
    let mut table = Table::new(game);
    let mut state = State::START;
    let mut found = 0;
    while found < links || !state.is_start() {
        let action = if state.is_start() { Action::Wait } else { policy.action(state) };
        match action {
            Action::Adopt => {
                table.adopt(state);
                state = game.adopted(state);
            }
            Action::Override => {
                table.win(state, state.public + 1);
                state = game.overridden(state);
            }
            Action::Match | Action::Wait => {
                if action == Action::Match {
                    state.fork = Fork::Active;
                }
                state = table.next(state, rng);
                found += 1;
            }
        }
    }
    table.paid
}

/// A game in progress.
struct Table<'a> {
    game: &'a Game,
    paid: Reward,
    /// Shares found on each link of a branch since the fork. The first entry belongs to the last common link.
    own_shares: Vec<f64>,
    public_shares: Vec<f64>,
    /// Shares of the others on the attacker's branch, found during ties.
    joined_shares: Vec<f64>,
    /// Number of blocks on the chain so far.
    height: u64,
    /// Uncles that no block has named.
    waiting: Vec<Uncle>,
}

#[derive(Clone, Copy)]
struct Uncle {
    height: u64,
    own: bool,
}

impl<'a> Table<'a> {
    fn new(game: &'a Game) -> Self {
        let (own_shares, public_shares, joined_shares, waiting) = <_>::default();
        Self { game, paid: Reward::default(), own_shares, public_shares, joined_shares, height: 0, waiting }
    }

    /// Finds a link. Returns the next state.
    fn next(&mut self, state: State, rng: &mut SimRng) -> State {
        let Game { alpha, gamma, rules, .. } = *self.game;
        let tie = state.fork == Fork::Active;
        let split = if tie { gamma } else { 0.0 };
        if let Rules::LinkPay(LinkPay { shares, .. }) = rules {
            let others = (1.0 - alpha) * (shares - 1.0);
            add(&mut self.own_shares, state.own, alpha * (shares - 1.0));
            add(&mut self.public_shares, state.public, others * (1.0 - split));
            add(&mut self.joined_shares, state.public, others * split);
        }
        if rng.random_bool(alpha) {
            add(&mut self.own_shares, state.own, 1.0);
            state.longer()
        } else if tie && rng.random_bool(gamma) {
            self.win(state, state.public);
            add(&mut self.public_shares, 0, 1.0);
            self.game.joined(state)
        } else {
            add(&mut self.public_shares, state.public, 1.0);
            state.behind()
        }
    }

    /// The attacker gives up its branch.
    fn adopt(&mut self, state: State) {
        match self.game.rules {
            Rules::Linear => self.paid.others += count(state.public),
            Rules::Uncles(uncles) => {
                let fork = self.height;
                self.grow(uncles, state.public, false);
                // No block could name these earlier.
                self.waiting.extend((1..=state.own as u64).map(|place| Uncle { height: fork + place, own: true }));
            }
            Rules::LinkPay(LinkPay { bonus, anchor_depth, .. }) => {
                let kept = anchor_depth + 1;
                self.paid.own += self.own_shares.iter().take(kept).sum::<f64>();
                self.paid.others += self.joined_shares.iter().take(kept).sum::<f64>();
                self.paid.others += self.public_shares.iter().sum::<f64>() + bonus * count(state.public);
            }
        }
        self.own_shares.clear();
        self.public_shares.clear();
        self.joined_shares.clear();
    }

    /// The first `shown` links of the attacker's branch replace the public one.
    fn win(&mut self, state: State, shown: usize) {
        match self.game.rules {
            Rules::Linear => self.paid.own += count(shown),
            Rules::Uncles(uncles) => {
                let others = (1..=state.public as u64).map(|place| Uncle { height: self.height + place, own: false });
                self.waiting.extend(others);
                self.grow(uncles, shown, true);
            }
            Rules::LinkPay(LinkPay { bonus, anchor_depth, credit_depth, .. }) => {
                let oldest = (shown + 1 + anchor_depth).saturating_sub(credit_depth);
                let listed = self.public_shares.iter().take(anchor_depth + 1).skip(oldest).sum::<f64>();
                let joined: f64 = drain(&mut self.joined_shares, shown).into_iter().sum();
                self.paid.others += listed + joined;
                let own: f64 = drain(&mut self.own_shares, shown).into_iter().sum();
                self.paid.own += own + bonus * count(shown);
            }
        }
        // Shares that the others found on the link that is now common.
        self.public_shares = std::mem::take(&mut self.joined_shares);
    }

    /// Adds blocks of one side to the chain.
    fn grow(&mut self, uncles: Uncles, blocks: usize, own: bool) {
        for _ in 0..blocks {
            self.height += 1;
            let height = self.height;
            let mut named = Reward::default();
            self.waiting.retain(|uncle| {
                let may = uncle.height < height && uncle.height + uncles.depth as u64 >= height;
                if may && (uncle.own || !own) {
                    *if uncle.own { &mut named.own } else { &mut named.others } += uncles.kept;
                    *if own { &mut named.own } else { &mut named.others } += 1.0 - uncles.kept;
                    return false;
                }
                uncle.height + uncles.depth as u64 > height
            });
            *if own { &mut named.own } else { &mut named.others } += 1.0;
            self.paid.own += named.own;
            self.paid.others += named.others;
        }
    }
}

/// Adds shares on a link.
fn add(shares: &mut Vec<f64>, on: usize, found: f64) {
    if shares.len() <= on {
        shares.resize(on + 1, 0.0);
    }
    shares[on] += found;
}

/// Removes and returns the shares on the first links. The rest moves to the front.
fn drain(shares: &mut Vec<f64>, links: usize) -> Vec<f64> {
    shares.drain(..links.min(shares.len())).collect()
}

#[expect(clippy::cast_precision_loss, reason = "races are far shorter than 2^53")]
const fn count(length: usize) -> f64 {
    length as f64
}
