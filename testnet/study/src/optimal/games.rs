//! The games to solve, and their results.

use crate::jobs::Size;
use crate::stats::Estimate;
use sim::mdp::play::play;
use sim::mdp::{Game, LinkPay, Policy, Rules, Uncles, best};
use sim::rng::stream;

/// Parts of the others' hashrate that mine on the attacker's branch in a tie.
pub(super) const GAMMAS: [f64; 3] = [0.0, 0.5, 1.0];
/// Anchor depths to compare, in links, including mainnet's.
pub(super) const ANCHOR_DEPTHS: [usize; 3] = [18, 60, 120];
/// Link credit divisors to compare. With `None`, links earn nothing extra.
pub(super) const DIVISORS: [Option<u32>; 4] = [None, Some(16), Some(32), Some(64)];
/// Attackers for whom the optimum of a linear chain is published (gamma 0), with the part that it earns: Sapirshtein et
/// al., 2016, table 1.
pub(super) const PUBLISHED: [(f64, f64); 6] =
    [(1.0 / 3.0, 0.33705), (0.35, 0.37077), (0.375, 0.42600), (0.4, 0.48866), (0.425, 0.56808), (0.45, 0.66891)];

/// Longest race on classic chains, in blocks: that of the published table.
const LONGEST_CLASSIC: usize = 95;
/// Longest race with uncles, in blocks. The leftovers of races make each one 32 times as costly.
const LONGEST_UNCLES: usize = 40;
/// Longest race for links. In a longer one, a settled link would have to be given up.
const LONGEST_LINKS: usize = 360;
/// Longest race for attackers below [`STRONG`], who never reach the limit.
const LONGEST_WEAK: usize = 180;
/// Part of the hashrate from which an attacker gets the longer limit.
const STRONG: f64 = 0.36;
/// Number of games with dice per estimate.
const REPLICATES: u64 = 8;

/// A rule set and its constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// p2pool.
    Linear,
    /// p2poolv2.
    P2poolV2,
    /// Monero's p2pool.
    Monero,
    /// Shoal's link pay, with an anchor depth and a divisor of the link credit.
    LinkPay(usize, Option<u32>),
}

impl Chain {
    /// The constants of mainnet.
    pub(super) const MAIN: Self = Self::LinkPay(60, Some(64));
    /// The rule sets to compare.
    pub(super) const ALL: [Self; 4] = [Self::Linear, Self::P2poolV2, Self::Monero, Self::MAIN];

    /// Returns mainnet's constants without the link credit.
    pub(super) const fn without_link_credit() -> Self {
        Self::LinkPay(60, None)
    }

    /// Returns its name in tables and plots.
    pub(super) fn name(self) -> String {
        match self {
            Self::Linear => "p2pool (linear)".to_owned(),
            Self::P2poolV2 => "p2poolv2 (uncles, 90/10)".to_owned(),
            Self::Monero => "Monero p2pool (uncles, 80/20)".to_owned(),
            Self::LinkPay(..) if self == Self::MAIN => "links and shares, as on main".to_owned(),
            Self::LinkPay(depth, Some(divisor)) => format!("anchor {depth}, link credit 1/{divisor}"),
            Self::LinkPay(depth, None) => format!("anchor {depth}, no link credit"),
        }
    }

    const fn uncles(self) -> Option<Uncles> {
        match self {
            Self::Linear | Self::LinkPay(..) => None,
            Self::P2poolV2 => Some(Uncles::P2POOL_V2),
            Self::Monero => Some(Uncles::MONERO),
        }
    }

    fn rules(self) -> Rules {
        match self {
            Self::Linear => Rules::Linear,
            Self::P2poolV2 => Rules::Uncles(Uncles::P2POOL_V2),
            Self::Monero => Rules::Uncles(Uncles::MONERO),
            Self::LinkPay(anchor_depth, divisor) => {
                let bonus = divisor.map_or(0.0, |divisor| LinkPay::MAIN.shares / f64::from(divisor));
                Rules::LinkPay(LinkPay { anchor_depth, bonus, ..LinkPay::MAIN })
            }
        }
    }
}

/// A game to solve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Job {
    pub(super) chain: Chain,
    pub(super) alpha: f64,
    pub(super) gamma: f64,
}

impl Job {
    /// Returns the game.
    pub(super) fn game(self) -> Game {
        let longest = match self.chain {
            Chain::Linear => LONGEST_CLASSIC,
            Chain::P2poolV2 | Chain::Monero => LONGEST_UNCLES,
            Chain::LinkPay(..) if self.alpha < STRONG => LONGEST_WEAK,
            Chain::LinkPay(..) => LONGEST_LINKS,
        };
        Game { alpha: self.alpha, gamma: self.gamma, longest, rules: self.chain.rules() }
    }
}

/// The result of a game.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    pub(super) job: Job,
    /// The attacker's part of all rewards, as solved.
    pub(super) part: f64,
    /// The same as played with dice, for games that were played.
    pub(super) played: Option<Estimate>,
    pub(super) policy: Policy,
}

impl Solved {
    /// Returns the attacker's revenue as a ratio to its fair share.
    pub(super) fn ratio(&self) -> f64 {
        self.part / self.job.alpha
    }
}

/// Returns all games of a study.
pub(super) fn jobs(size: Size) -> Vec<Job> {
    let alphas: &[f64] = size.pick(&[0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.49], &[0.3, 0.4]);
    let mut chains = Chain::ALL.to_vec();
    if size == Size::Standard {
        chains.extend(
            ANCHOR_DEPTHS.map(|depth| Chain::LinkPay(depth, Some(64))).into_iter().filter(|it| *it != Chain::MAIN),
        );
        chains.extend(DIVISORS.map(|divisor| Chain::LinkPay(60, divisor)).into_iter().filter(|it| *it != Chain::MAIN));
    }
    let all = chains.into_iter().flat_map(|chain| GAMMAS.map(move |gamma| (chain, gamma)));
    // Games with uncles take longest.
    let kept = |job: &Job| size == Size::Standard || job.chain.uncles().is_none() || job.gamma == 0.5;
    let mut jobs: Vec<Job> = all
        .flat_map(|(chain, gamma)| alphas.iter().map(move |&alpha| Job { chain, alpha, gamma }))
        .filter(kept)
        .collect();
    for (alpha, _) in PUBLISHED {
        let job = Job { chain: Chain::Linear, alpha, gamma: 0.0 };
        if !jobs.contains(&job) {
            jobs.push(job);
        }
    }
    jobs
}

/// Solves a game, and plays it if that adds information.
pub(super) fn solve(job: Job, size: Size, seed: u64) -> Solved {
    let game = job.game();
    let solution = best(&game);
    let dice = job.alpha == 0.4 || (job.chain == Chain::MAIN && job.alpha >= 0.3);
    let played = dice.then(|| {
        let links = size.pick(1_000_000, 100_000);
        let purpose = format!("optimal {job:?}");
        let parts: Vec<f64> = (0..REPLICATES)
            .map(|run| {
                let paid = play(&game, &solution.policy, links, &mut stream(seed, &purpose, run));
                paid.own / (paid.own + paid.others)
            })
            .collect();
        Estimate::of(&parts)
    });
    Solved { job, part: solution.part, played, policy: solution.policy }
}

/// Returns the difference between a solution and the published one, if there is one.
pub(super) fn error(solved: &Solved) -> Option<f64> {
    let Job { chain, alpha, gamma } = solved.job;
    let published = PUBLISHED.iter().find(|(at, _)| chain == Chain::Linear && gamma == 0.0 && *at == alpha);
    published.map(|(_, part)| (solved.part - part).abs())
}
