//! A pool without chance, step by step: expected intervals under the real targets, expected shares with the real
//! weights, and pay by the real window.
//!
//! A step is one link of a pool that is thinned by [`SCALE`]: a thirtieth of main's links, each with thirty times as
//! many shares. The retarget has the same half-life, the window the same number of proofs, and the snapshot the same
//! age. Nothing here lasts less than an hour, so steps of five minutes are short.

use std::collections::VecDeque;

use sharechain::target::{link_bonus, link_target, share_target, weight_of_share};
use sharechain::window::Row;
use sharechain::{ChainParams, Height, U256, Weight};

use crate::models::pay::ledger::Ledger;
use crate::models::pay::miners::script;
use crate::models::pay::units::{BLOCK_INTERVAL_S, BLOCK_WORK, bits, target_of_work, to_f64, to_u128, work_of};

/// Number of main's links in one step.
const SCALE: u32 = 30;

/// The miner in question, and all others.
const MINE: u32 = 0;
const OTHERS: u32 = 1;

/// What a window counts until it ends, besides weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Counted {
    /// Proofs, as in SC-303.
    Proofs,
    /// Rows, as in version 1: one for each link and script. The others are this many miners of equal size.
    Rows {
        /// Number of other miners.
        others: f64,
    },
}

/// What happens from a moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Now {
    /// When that ends, in seconds.
    pub(super) until_s: f64,
    /// Hashes per second of the miner in question.
    pub(super) mine_hs: f64,
    /// Hashes per second of all others.
    pub(super) others_hs: f64,
    /// Whether the miner pays each share to a script of its own.
    pub(super) is_split: bool,
    /// Value of a Bitcoin block.
    pub(super) value: f64,
    /// Factor on the weight of proofs: 1 under the pool's rules.
    pub(super) weight: f64,
}

/// Pay and due of the miner in question up to some time, in blocks of value 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pay {
    pub(super) paid: f64,
    pub(super) due: f64,
}

impl Pay {
    /// Returns the pay per hash, relative to what a hash finds.
    pub(super) fn per_hash(self) -> f64 {
        self.paid / self.due
    }
}

/// The state of a pool.
pub(super) struct Course<N> {
    params: ChainParams,
    counted: Counted,
    now: N,
    ledger: Ledger,
    /// Link targets down to the anchor, oldest first.
    targets: VecDeque<U256>,
    /// Seconds before the last link.
    interval_s: i64,
    /// Links younger than a snapshot: height, and time in seconds.
    young: VecDeque<(Height, f64)>,
    at_s: f64,
    /// Parts of proofs that were not counted yet: the miner's, and the others'.
    left: [f64; 2],
    /// Pay and due up to the last link, and up to the one before it.
    sums: [Pay; 2],
    /// Time of the link before the last one, in seconds.
    before_s: f64,
}

/// What is found during a step.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    /// Hashes of the miner in question, and of all others.
    hashes: [f64; 2],
    /// Blocks, by value: the miner's, and all.
    blocks: [f64; 2],
    is_split: bool,
    weight: f64,
}

/// Seconds from a link to the blocks that it pays as the snapshot.
pub(super) fn lag_s(params: &ChainParams) -> f64 {
    f64::from(params.snapshot_bitcoin_depth) * BLOCK_INTERVAL_S
        + f64::from(params.snapshot_burial) * f64::from(params.link_interval_s)
}

impl<N: Fn(f64) -> Now> Course<N> {
    /// Starts a pool under these rules. Its window is empty.
    pub(super) fn new(params: &ChainParams, counted: Counted, now: N) -> Self {
        let thinned = ChainParams {
            link_interval_s: SCALE * params.link_interval_s,
            shares_per_link: SCALE * params.shares_per_link,
            anchor_depth: params.anchor_depth / SCALE,
            snapshot_burial: 0,
            ..params.clone()
        };
        let first = now(0.0);
        let interval_s = thinned.link_interval_s;
        let target = target_of_work(to_u128((first.mine_hs + first.others_hs) * f64::from(interval_s)).max(1));
        Self {
            counted,
            now,
            ledger: Ledger::new(thinned.clone()),
            targets: (0..=thinned.anchor_depth).map(|_| target).collect(),
            params: thinned,
            interval_s: i64::from(interval_s),
            young: VecDeque::new(),
            at_s: 0.0,
            left: [0.0; 2],
            sums: [Pay::default(); 2],
            before_s: 0.0,
        }
    }

    /// Runs until the window is full, and returns the time.
    pub(super) fn fill(&mut self, lag_s: f64) -> f64 {
        while self.ledger.window().oldest() == Height(0) {
            self.step(lag_s);
        }
        self.at_s
    }

    /// Runs until this time, and returns pay and due from the start to then. Within a step they grow evenly.
    pub(super) fn run_until(&mut self, until_s: f64, lag_s: f64) -> Pay {
        while self.at_s < until_s {
            self.step(lag_s);
        }
        let [before, last] = self.sums;
        let part = (until_s - self.before_s) / (self.at_s - self.before_s);
        let between = |one: f64, other: f64| one + part * (other - one);
        Pay { paid: between(before.paid, last.paid), due: between(before.due, last.due) }
    }

    /// Finds the next link.
    fn step(&mut self, lag_s: f64) {
        let anchor = self.targets.front().copied().unwrap_or(U256::MAX);
        let parent = self.targets.back().copied().unwrap_or(U256::MAX);
        let share = share_target(anchor, &self.params);
        let link = link_target(parent, self.interval_s, share, &self.params);
        let part = self.part_of_window(lag_s);
        self.before_s = self.at_s;
        let work = self.work(work_of(link));
        self.credit(share, link, &work);
        #[expect(clippy::cast_possible_truncation, reason = "seconds between two links")]
        let interval_s = (self.at_s.floor() - self.before_s.floor()) as i64;
        self.interval_s = interval_s;
        self.targets.push_back(link);
        self.targets.pop_front();
        self.young.push_back((self.ledger.tip(), self.at_s));
        let [_, last] = self.sums;
        let [mine, all] = work.blocks;
        self.sums = [last, Pay { paid: last.paid + all * part, due: last.due + mine }];
    }

    /// Does this many hashes, and moves the time. Changes in between are met exactly.
    fn work(&mut self, hashes: f64) -> Work {
        let mut work = Work::default();
        let mut left = hashes;
        while left > 0.0 {
            let now = (self.now)(self.at_s);
            let hashrate_hs = now.mine_hs + now.others_hs;
            let seconds = (left / hashrate_hs).min(now.until_s - self.at_s);
            for (sum, rate_hs) in work.hashes.iter_mut().zip([now.mine_hs, now.others_hs]) {
                *sum += rate_hs * seconds;
            }
            for (sum, rate_hs) in work.blocks.iter_mut().zip([now.mine_hs, hashrate_hs]) {
                *sum += rate_hs * seconds / to_f64(BLOCK_WORK) * now.value;
            }
            work.is_split |= now.is_split;
            work.weight = now.weight;
            if seconds < now.until_s - self.at_s {
                self.at_s += seconds;
                break;
            }
            left -= hashrate_hs * seconds;
            self.at_s = now.until_s;
        }
        work
    }

    /// Moves the window to the snapshot of this time, and returns the miner's part of it.
    fn part_of_window(&mut self, lag_s: f64) -> f64 {
        let mut snapshot = None;
        while let Some((height, at_s)) = self.young.front().copied()
            && at_s <= self.at_s - lag_s
        {
            snapshot = Some(height);
            self.young.pop_front();
        }
        if let Some(snapshot) = snapshot {
            self.ledger.settle(snapshot);
        }
        let window = self.ledger.window();
        to_f64(window.sum(script(MINE)).weight.0) / to_f64(window.total().0.max(1))
    }

    /// Credits the expected shares of a link.
    fn credit(&mut self, share: U256, link: U256, work: &Work) {
        let shares = work_of(link) / work_of(share);
        let each = to_f64(weight_of_share(share, bits(), &self.params).0);
        let weight = (shares * each + to_f64(link_bonus(link, bits(), &self.params).0)) * work.weight;
        let parts = work.hashes.map(|hashes| hashes / work.hashes.iter().sum::<f64>());
        let counts = self.counts(parts.map(|part| part * shares), work.is_split);
        let [mine, others] = [MINE, OTHERS];
        let rows = [mine, others].into_iter().zip(parts).zip(counts).zip(&mut self.left);
        let rows = rows.map(|(((number, part), count), left)| {
            *left += count;
            let whole = left.floor();
            *left -= whole;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "about a thousand shares")]
            let shares = whole as u32;
            Row { script: script(number), weight: Weight(to_u128(part * weight)), shares }
        });
        let rows = rows.collect();
        self.ledger.push(rows);
    }

    /// Returns what the window counts of these expected shares of the miner and of the others.
    fn counts(&self, shares: [f64; 2], is_split: bool) -> [f64; 2] {
        let Counted::Rows { others } = self.counted else { return shares };
        // Of `miners` with `each` shares a link together, those with at least one make a row. Shares are Poisson.
        let links = f64::from(SCALE);
        let rows = |shares: f64, miners: f64| links * miners * (1.0 - (-shares / links / miners).exp());
        [if is_split { shares[0] } else { rows(shares[0], 1.0) }, rows(shares[1], others)]
    }
}
