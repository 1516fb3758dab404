//! What each rule set pays when a race ends.
//!
//! Everything is counted in shares of one target. Where shares and links are different things, as in Shoal, these are only
//! what links earn; shares are paid when they are found, unless they are at stake.

use super::race::State;

/// What both sides get.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reward {
    /// The attacker.
    pub own: f64,
    /// Everybody else.
    pub others: f64,
}

/// A rule set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rules {
    /// One chain; what is not on it earns nothing: Bitcoin, p2pool.
    Linear,
    /// One chain with uncles.
    Uncles(Uncles),
    /// Shoal: links order, shares earn.
    Links(Links),
}

/// Uncles that are young enough when a block of the chain names them.
///
/// Approximated: all miners but the attacker name every uncle they may, the attacker names none; uncles do not count for
/// fork choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncles {
    /// The part of its reward that an uncle's miner keeps; the rest is for the block that names it.
    pub kept: f64,
    /// The most blocks that an uncle may be below the block that names it.
    pub depth: usize,
}

/// Shoal's rules, in links.
///
/// A share on the `i`-th link of a branch that lost has its anchor on the chain as long as `i` is at most `anchor_depth`;
/// it then earns if it is listed in time. Others list in their next link whatever can be listed, the attacker lists nothing
/// of theirs. Where numbers of shares are expected ones, every order in which the links of two branches were found is taken
/// to be equally likely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Links {
    /// Shares for each link, the link included.
    pub shares: f64,
    /// What a link of the chain earns in addition, in shares: `shares / link_credit_divisor`.
    pub bonus: f64,
    /// How far below its parent a share's anchor is.
    pub anchor_depth: usize,
    /// How far below the link that lists it a share's anchor may be.
    pub credit_depth: usize,
}

impl Links {
    /// The constants of main.
    pub const MAIN: Self = Self { shares: 32.0, bonus: 1.0, anchor_depth: 60, credit_depth: 240 };

    /// Whether a share earns even if the branch loses on which it stands on the link of this number; 0 is the last common
    /// link.
    #[must_use]
    pub const fn safe(&self, link: usize) -> bool {
        link <= self.anchor_depth
    }

    /// Shares found on the links of a branch from number `from` on, in expectation, by miners with a part `rate` of the
    /// hash rate. The branch has `length` links, the other one `against`.
    fn found(&self, rate: f64, length: usize, against: usize, from: usize) -> f64 {
        if from > length {
            return 0.0;
        }
        let links = count(length - from);
        let intervals = links + count(against) * (1.0 - count(from) / count(length + 1));
        rate * (self.shares - 1.0) * intervals + links
    }

    /// The others' shares that get too old to be listed while `shown` links of the attacker's replace theirs, without
    /// those that lose their anchor.
    fn too_old(&self, alpha: f64, state: State, shown: usize) -> f64 {
        // The next link can list a share on link `i` while `shown + 1 - (i - anchor_depth) <= credit_depth`.
        let first = (shown + 1 + self.anchor_depth).saturating_sub(self.credit_depth).min(self.anchor_depth + 1);
        let found = |from| self.found(1.0 - alpha, state.public, state.own, from);
        if first == 0 { 0.0 } else { found(0) - found(first) }
    }
}

impl Uncles {
    /// Monero's p2pool: 80% for the uncle, 20% for its nephew, three blocks.
    pub const MONERO: Self = Self { kept: 0.8, depth: 3 };
    /// p2poolv2: 90% and 10%, three blocks.
    pub const P2POOL_V2: Self = Self { kept: 0.9, depth: 3 };

    /// The others' uncles that will be named after the attacker has shown one block more than they had and keeps `rest`.
    fn named(&self, alpha: f64, public: usize, rest: usize) -> f64 {
        (1..=public)
            .map(|place| {
                // Heights that may still name it, less those that the attacker has already found.
                let chances = (place + self.depth).saturating_sub(public + 1 + rest);
                1.0 - alpha.powf(count(chances))
            })
            .sum()
    }

    /// Uncles among the first `length` blocks of a branch that lost against one of `against` blocks.
    fn young(&self, length: usize, against: usize) -> f64 {
        count(length.saturating_sub(against.saturating_sub(self.depth)))
    }
}

impl Rules {
    /// Shares found so far that earn only if the branch wins on which they stand, in expectation.
    #[must_use]
    pub fn at_stake(&self, alpha: f64, state: State) -> Reward {
        match self {
            Self::Linear | Self::Uncles(_) => Reward::default(),
            Self::Links(links) => {
                let first = links.anchor_depth + 1;
                Reward {
                    own: links.found(alpha, state.own, state.public, first),
                    others: links.found(1.0 - alpha, state.public, state.own, first),
                }
            }
        }
    }

    /// What is paid when the attacker adopts the public branch.
    #[must_use]
    pub fn adopted(&self, alpha: f64, state: State) -> Reward {
        let links = count(state.public);
        match self {
            Self::Linear => Reward { own: 0.0, others: links },
            Self::Uncles(uncles) => {
                let named = uncles.young(state.own.min(state.public), state.public);
                let for_nephews = (1.0 - uncles.kept) * named;
                Reward { own: uncles.kept * named + alpha * for_nephews, others: links + (1.0 - alpha) * for_nephews }
            }
            Self::Links(rules) => Reward { own: 0.0, others: rules.bonus * links },
        }
    }

    /// What is paid when the attacker shows one link more than the public branch has.
    #[must_use]
    pub fn overridden(&self, alpha: f64, state: State) -> Reward {
        let shown = state.public + 1;
        match self {
            Self::Linear => Reward { own: count(shown), others: 0.0 },
            Self::Uncles(uncles) => {
                Reward { own: count(shown), others: uncles.named(alpha, state.public, state.own - shown) }
            }
            Self::Links(rules) => {
                Reward { own: rules.bonus * count(shown), others: -rules.too_old(alpha, state, shown) }
            }
        }
    }

    /// What is paid when somebody else's link follows what the attacker showed in a tie.
    #[must_use]
    pub fn joined(&self, alpha: f64, state: State) -> Reward {
        let shown = state.public;
        match self {
            Self::Linear => Reward { own: count(shown), others: 0.0 },
            Self::Uncles(uncles) => Reward { own: count(shown), others: uncles.young(shown, shown) },
            Self::Links(rules) => {
                Reward { own: rules.bonus * count(shown), others: -rules.too_old(alpha, state, shown) }
            }
        }
    }
}

/// A length as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "races are far shorter than 2^53")]
const fn count(length: usize) -> f64 {
    length as f64
}
