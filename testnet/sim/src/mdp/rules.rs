//! Rewards at the end of a race.
//!
//! The unit is a share of one fixed target. Where shares and links differ, as in Shoal, these rewards are only those of
//! links. Shares are paid when they are found, unless they are at stake.

use super::state::State;

/// The rewards of both sides, in shares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reward {
    /// The attacker's reward.
    pub own: f64,
    /// The reward of all other miners.
    pub others: f64,
}

/// A rule set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rules {
    /// One chain. Blocks off the chain earn nothing: Bitcoin, p2pool.
    Linear,
    /// One chain with uncles.
    Uncles(Uncles),
    /// Shoal: links order, shares earn.
    LinkPay(LinkPay),
}

/// A rule set in which a block of the chain may name uncles that are young enough.
///
/// All miners but the attacker name every uncle they may. The attacker names only its own. The model ignores limits on
/// uncles per block, and the weight of uncles in fork choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncles {
    /// The part of an uncle's reward that its miner keeps. The rest goes to the block that names it.
    pub kept: f64,
    /// Largest number of blocks between an uncle and the block that names it.
    pub depth: usize,
}

/// Shoal's rules, in links.
///
/// A share on link `i` of a losing branch has its anchor on the chain if `i` is at most `anchor_depth`. It then earns
/// if it is listed in time. The other miners list all they can in their next link; the attacker lists no shares of
/// theirs. Expected numbers of shares assume that all orders in which the links of two branches were found are equally
/// likely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkPay {
    /// Shares per link, including the link.
    pub shares: f64,
    /// Extra reward of a main-chain link, in shares: `shares / link_credit_divisor`.
    pub bonus: f64,
    /// Number of links between a share's parent and its anchor.
    pub anchor_depth: usize,
    /// Largest number of links between a share's anchor and the link that lists it.
    pub credit_depth: usize,
}

impl LinkPay {
    /// The constants of mainnet.
    pub const MAIN: Self = Self { shares: 32.0, bonus: 0.5, anchor_depth: 60, credit_depth: 240 };

    /// Returns whether a share on this link earns even if its branch loses. Link 0 is the last common one.
    #[must_use]
    pub const fn safe(&self, link: usize) -> bool {
        link <= self.anchor_depth
    }

    /// Returns the expected number of shares on the links of a branch from number `from`, found by miners with the part
    /// `rate` of the hashrate. The branch has `length` links, the other one `against`.
    fn found(&self, rate: f64, length: usize, against: usize, from: usize) -> f64 {
        if from > length {
            return 0.0;
        }
        let links = count(length - from);
        let intervals = links + count(against) * (1.0 - count(from) / count(length + 1));
        rate * (self.shares - 1.0) * intervals + links
    }

    /// Returns the others' shares that become too old to be listed while `shown` links of the attacker replace theirs.
    /// Shares that lose their anchor are not included.
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

    /// Returns the number of possible leftovers of a race.
    const fn cases(&self) -> usize {
        (self.depth + 1) << self.depth
    }

    /// Returns the leftovers of earlier races: the number of the attacker's uncles, which the next block names, and a
    /// bit mask of the others' uncles. Bit `n - 1` is set if one of them can be named by the next `n` blocks only.
    #[must_use]
    pub const fn left(&self, state: State) -> (usize, usize) {
        (state.uncles >> self.depth, state.uncles & ((1 << self.depth) - 1))
    }

    /// Returns the number of uncles among the first `length` blocks of a losing branch, against one of `against`
    /// blocks.
    const fn young(&self, length: usize, against: usize) -> usize {
        length.saturating_sub(against.saturating_sub(self.depth))
    }

    /// Returns the leftovers after the attacker has shown `shown` blocks, which name none of the others' uncles.
    fn left_by_others(&self, state: State, shown: usize) -> usize {
        let (_, others) = self.left(state);
        let older = others.checked_shr(u32::try_from(shown).unwrap_or(u32::MAX)).unwrap_or(0);
        // Block `i` of the losing branch can be named up to `depth` blocks above it.
        let chances = (1..=state.public).map(|place| (place + self.depth).saturating_sub(shown));
        chances.filter(|&chances| chances > 0).fold(older, |left, chances| left | 1 << (chances - 1))
    }
}

impl Rules {
    /// Returns the expected number of shares that earn only if their branch wins.
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

    /// Returns the number of values of [`State::uncles`].
    #[must_use]
    pub const fn cases(&self) -> usize {
        match self {
            Self::Linear | Self::LinkPay(_) => 1,
            Self::Uncles(uncles) => uncles.cases(),
        }
    }

    /// Returns the leftovers of a branch that the attacker gave up, as [`State::uncles`].
    pub(super) fn left_by_own(&self, state: State) -> usize {
        match self {
            Self::Linear | Self::LinkPay(_) => 0,
            Self::Uncles(uncles) => uncles.young(state.own.min(state.public), state.public) << uncles.depth,
        }
    }

    /// Returns the leftovers of a public branch that `shown` links of the attacker replace, as [`State::uncles`].
    pub(super) fn left_by_others(&self, state: State, shown: usize) -> usize {
        match self {
            Self::Linear | Self::LinkPay(_) => 0,
            // The attacker's first block names its own uncles.
            Self::Uncles(uncles) => uncles.left_by_others(state, shown),
        }
    }

    /// Returns the rewards when the attacker adopts the public branch.
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

    /// Returns the rewards when `shown` links of the attacker, at least one, replace the public branch.
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

/// Converts a length to a float.
#[expect(clippy::cast_precision_loss, reason = "races are far shorter than 2^53")]
const fn count(length: usize) -> f64 {
    length as f64
}
