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
    LinkPay(LinkPay),
}

/// Uncles that are young enough when a block of the chain names them.
///
/// All miners but the attacker name every uncle they may; the attacker names only its own. Left out: how many uncles a
/// block may name, and that uncles may count for fork choice.
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
pub struct LinkPay {
    /// Shares for each link, the link included.
    pub shares: f64,
    /// What a link of the chain earns in addition, in shares: `shares / link_credit_divisor`.
    pub bonus: f64,
    /// How far below its parent a share's anchor is.
    pub anchor_depth: usize,
    /// How far below the link that lists it a share's anchor may be.
    pub credit_depth: usize,
}

impl LinkPay {
    /// The constants of main.
    pub const MAIN: Self = Self { shares: 32.0, bonus: 0.5, anchor_depth: 60, credit_depth: 240 };

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

    /// What races can leave behind.
    const fn cases(&self) -> usize {
        (self.depth + 1) << self.depth
    }

    /// What earlier races left: the number of the attacker's own uncles, which the next block names, and a bit for each
    /// number of blocks, one to `depth`, that are the last ones to name an uncle of the others'.
    #[must_use]
    pub const fn left(&self, state: State) -> (usize, usize) {
        (state.uncles >> self.depth, state.uncles & ((1 << self.depth) - 1))
    }

    /// Uncles among the first `length` blocks of a branch that lost against one of `against` blocks.
    const fn young(&self, length: usize, against: usize) -> usize {
        length.saturating_sub(against.saturating_sub(self.depth))
    }

    /// What is left after the attacker has shown `shown` blocks, which name none of the others'.
    fn left_by_others(&self, state: State, shown: usize) -> usize {
        let (_, others) = self.left(state);
        let older = others.checked_shr(u32::try_from(shown).unwrap_or(u32::MAX)).unwrap_or(0);
        // The `i`-th of the branch that lost may be named up to `depth` above it.
        let chances = (1..=state.public).map(|place| (place + self.depth).saturating_sub(shown));
        chances.filter(|&chances| chances > 0).fold(older, |left, chances| left | 1 << (chances - 1))
    }
}

impl Rules {
    /// Shares found so far that earn only if the branch wins on which they stand, in expectation.
    #[must_use]
    pub fn at_stake(&self, alpha: f64, state: State) -> Reward {
        match self {
            Self::Linear | Self::Uncles(_) => Reward::default(),
            Self::LinkPay(links) => {
                let first = links.anchor_depth + 1;
                Reward {
                    own: links.found(alpha, state.own, state.public, first),
                    others: links.found(1.0 - alpha, state.public, state.own, first),
                }
            }
        }
    }

    /// How many values [`State::uncles`] has.
    #[must_use]
    pub const fn cases(&self) -> usize {
        match self {
            Self::Linear | Self::LinkPay(_) => 1,
            Self::Uncles(uncles) => uncles.cases(),
        }
    }

    /// What an adopted branch leaves behind, as [`State::uncles`].
    pub(super) fn left_by_own(&self, state: State) -> usize {
        match self {
            Self::Linear | Self::LinkPay(_) => 0,
            Self::Uncles(uncles) => uncles.young(state.own.min(state.public), state.public) << uncles.depth,
        }
    }

    /// What a public branch leaves behind that `shown` links of the attacker's replace, as [`State::uncles`].
    pub(super) fn left_by_others(&self, state: State, shown: usize) -> usize {
        match self {
            Self::Linear | Self::LinkPay(_) => 0,
            // The attacker's first block names its own.
            Self::Uncles(uncles) => uncles.left_by_others(state, shown),
        }
    }

    /// What is paid when the attacker adopts the public branch.
    #[must_use]
    pub fn adopted(&self, state: State) -> Reward {
        let links = count(state.public);
        match self {
            Self::Linear => Reward { own: 0.0, others: links },
            Self::Uncles(uncles) => {
                let (own, others) = uncles.left(state);
                let own = count(own);
                let others = f64::from(others.count_ones());
                Reward { own: uncles.kept * own, others: links + others + (1.0 - uncles.kept) * own }
            }
            Self::LinkPay(rules) => Reward { own: 0.0, others: rules.bonus * links },
        }
    }

    /// What is paid when `shown` links of the attacker's, at least one, replace the public branch.
    #[must_use]
    pub fn shown(&self, alpha: f64, state: State, shown: usize) -> Reward {
        match self {
            Self::Linear => Reward { own: count(shown), others: 0.0 },
            Self::Uncles(uncles) => Reward { own: count(shown) + count(uncles.left(state).0), others: 0.0 },
            Self::LinkPay(rules) => {
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
