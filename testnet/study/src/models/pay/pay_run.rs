//! A pool of varying hashrate: the worth of a hash by the time at which it was done.
//!
//! It runs link by link, with the real targets, weights and window. The pay of a link's credits needs no draw: a pool
//! with a given amount of work finds an expected number of blocks, and each one pays a credit its part of the window.
//! The worth of a hash is therefore exact, except for the randomness of the times of links and Bitcoin blocks, which
//! averages out within days.

use std::collections::VecDeque;

use rand::Rng;
use rand_distr::{Distribution, Exp1, Poisson};
use sharechain::target::{link_bonus, link_target, share_target, weight_of_share};
use sharechain::window::{Row, Window};
use sharechain::{ChainParams, Height, U256, Weight};

use super::ledger::Ledger;
use super::miners::script;
use super::units::{BLOCK_INTERVAL_S, BLOCK_WORK, bits, blocks, target_of_work, to_f64, to_u128, work_of};
use sim::rng::SimRng;

/// A pool and the time span of its simulation. Times are in seconds since its start, which is a midnight.
pub struct PayRun<'a> {
    /// The protocol's constants.
    pub params: ChainParams,
    /// Hashes per second as a function of time.
    pub hashrate: &'a (dyn Fn(f64) -> f64 + Sync),
    /// Number of miners of equal hashrate, which determines the rows of a link.
    pub miners: u32,
    /// Start of the measurement. The window fills before it.
    pub from_s: f64,
    /// End of the measurement. The simulation continues until the window has passed it.
    pub until_s: f64,
}

/// The worth of hashes that one link lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Time of the link, in seconds.
    pub at_s: f64,
    /// Seconds since the previous link.
    pub span_s: f64,
    /// Pay of a hash, relative to its expected finds.
    pub worth: f64,
}

/// The facts of a link that later ones need.
#[derive(Clone, Copy, Debug)]
struct Link {
    target: U256,
    /// Whole seconds, as in a header.
    time_s: i64,
}

/// A snapshot, and the first block that it pays.
#[derive(Clone, Copy, Debug)]
struct Settled {
    oldest: Height,
    newest: Height,
    total: Weight,
}

/// The state of the simulation.
struct Course<'a, 'b> {
    run: &'b PayRun<'a>,
    ledger: Ledger,
    /// The last links, newest at the back: an anchor's depth and two more.
    links: VecDeque<Link>,
    /// Height of the first link after each of the last Bitcoin blocks.
    firsts: VecDeque<Height>,
    settled: Option<Settled>,
    /// Expected blocks of the pool since the last Bitcoin block.
    work: f64,
    /// Expected number of blocks paid so far.
    paid: f64,
    now_s: f64,
    next_block_s: f64,
    /// For each height: the link's time, its credit, and the difference between its worth and the previous link's.
    times_s: Vec<f64>,
    credits: Vec<f64>,
    steps: Vec<f64>,
}

/// The worth of all measured links.
#[derive(Clone, Debug)]
pub struct Worths {
    /// Links by time.
    pub moments: Vec<Moment>,
    /// Expected number of blocks paid in the whole simulation.
    pub paid: f64,
    /// The same, computed from the worth of all credits. It equals `paid` except for rounding.
    pub received: f64,
}

impl PayRun<'_> {
    /// Runs until the window has passed [`Self::until_s`].
    ///
    /// # Panics
    /// If the hashrate is not positive.
    #[must_use]
    pub fn simulate(&self, rng: &mut SimRng) -> Worths {
        let mut course = Course::new(self, rng);
        let mut last = None;
        loop {
            course.link(rng);
            if last.is_none() && course.now_s >= self.until_s {
                last = Some(course.ledger.tip());
            }
            if let (Some(last), Some(settled)) = (last, course.settled)
                && settled.oldest > last
            {
                return course.worths(last);
            }
        }
    }
}

impl<'a, 'b> Course<'a, 'b> {
    fn new(run: &'b PayRun<'a>, rng: &mut SimRng) -> Self {
        let params = &run.params;
        let interval_s = i64::from(params.link_interval_s);
        let target = target_of_work(to_u128((run.hashrate)(0.0) * f64::from(params.link_interval_s)).max(1));
        let back = i64::from(params.anchor_depth) + 2;
        let first_wait: f64 = rng.sample(Exp1);
        Self {
            ledger: Ledger::new(params.clone()),
            links: (0..back).map(|ago| Link { target, time_s: (ago + 1 - back) * interval_s }).collect(),
            firsts: VecDeque::new(),
            settled: None,
            work: 0.0,
            paid: 0.0,
            now_s: 0.0,
            next_block_s: first_wait * BLOCK_INTERVAL_S,
            times_s: vec![0.0],
            credits: vec![0.0],
            steps: vec![0.0],
            run,
        }
    }

    /// Returns the share target and link target of the next proofs.
    fn targets(&self) -> (U256, U256) {
        let params = &self.run.params;
        let mut last = self.links.iter().rev();
        let (parent, grandparent) = (last.next(), last.next());
        let anchor = self.links.iter().rev().nth(usize::try_from(params.anchor_depth).unwrap_or(0));
        let (Some(parent), Some(grandparent), Some(anchor)) = (parent, grandparent, anchor) else {
            return (U256::MAX, U256::MAX);
        };
        let share = share_target(anchor.target, params);
        (share, link_target(parent.target, parent.time_s - grandparent.time_s, share, params))
    }

    /// Adds the next link, the shares that it lists, and the Bitcoin blocks before it.
    fn link(&mut self, rng: &mut SimRng) {
        let (share, link) = self.targets();
        let luck: f64 = rng.sample(Exp1);
        let effort = luck * work_of(link);
        let hashrate = (self.run.hashrate)(self.now_s);
        let at_s = self.now_s + effort / hashrate;
        let mut after = 0;
        while self.next_block_s < at_s {
            let until_s = self.next_block_s;
            self.work += hashrate * (until_s - self.now_s) / to_f64(BLOCK_WORK);
            self.now_s = until_s;
            self.bitcoin_block();
            let wait: f64 = rng.sample(Exp1);
            self.next_block_s += wait * BLOCK_INTERVAL_S;
            after += 1;
        }
        self.work += hashrate * (at_s - self.now_s) / to_f64(BLOCK_WORK);
        self.now_s = at_s;
        let others = effort * (1.0 / work_of(share) - 1.0 / work_of(link)).max(0.0);
        let height = self.credit(share, link, others, rng);
        self.firsts.extend((0..after).map(|_| height));
        self.links.push_back(Link { target: link, time_s: to_i64(at_s) });
        self.links.pop_front();
    }

    /// Credits a link and an expected number of other shares, each of a random miner. Returns the link's height.
    fn credit(&mut self, share: U256, link: U256, others: f64, rng: &mut SimRng) -> Height {
        let params = &self.run.params;
        let weight = weight_of_share(share, bits(), params);
        let bonus = link_bonus(link, bits(), params);
        let others = Poisson::new(others).map_or(0.0, |poisson| poisson.sample(rng));
        let miner = |rng: &mut SimRng| script(rng.random_range(0..self.run.miners));
        let mut rows = vec![Row { script: miner(rng), weight: weight.plus(bonus), shares: 1 }];
        rows.extend((0..to_i64(others)).map(|_| Row { script: miner(rng), weight, shares: 1 }));
        self.times_s.push(self.now_s);
        self.credits.push(rows.iter().map(|row| blocks(row.weight)).sum());
        self.steps.push(0.0);
        self.ledger.push(rows)
    }

    /// Pays the pool's work since the last Bitcoin block by the snapshot of that time, and sets the next snapshot.
    fn bitcoin_block(&mut self) {
        self.pay();
        let depth = usize::try_from(self.run.params.snapshot_bitcoin_depth.saturating_sub(1)).unwrap_or(0);
        // The new tip is not among the firsts yet, because no link has followed it.
        if self.firsts.len() > depth {
            self.firsts.drain(..self.firsts.len() - depth - 1);
            let first = self.firsts.front().copied().unwrap_or_default();
            let window = self.ledger.settle(first.below(self.run.params.snapshot_burial));
            let is_full = window.oldest() > Height(0);
            self.settled = is_full.then(|| settled(window));
        }
    }

    fn pay(&mut self) {
        let work = std::mem::take(&mut self.work);
        let Some(Settled { oldest, newest, total }) = self.settled else { return };
        let worth = work / blocks(total);
        for (height, step) in [(oldest, worth), (newest.child(), -worth)] {
            if let Some(sum) = self.steps.get_mut(index(height)) {
                *sum += step;
            }
        }
        self.paid += work;
    }

    /// Returns the worth of the links up to `last`.
    fn worths(&self, last: Height) -> Worths {
        let divisor = f64::from(self.run.params.link_credit_divisor);
        let per_hash = 1.0 + divisor.recip();
        let (mut worth, mut received, mut before_s) = (0.0, 0.0, 0.0);
        let mut moments = Vec::new();
        for (height, ((at_s, credit), step)) in self.times_s.iter().zip(&self.credits).zip(&self.steps).enumerate() {
            worth += step;
            received += worth * credit;
            if *at_s >= self.run.from_s && height <= index(last) {
                moments.push(Moment { at_s: *at_s, span_s: at_s - before_s, worth: worth * per_hash });
            }
            before_s = *at_s;
        }
        Worths { moments, paid: self.paid, received }
    }
}

fn settled(window: &Window) -> Settled {
    Settled { oldest: window.oldest(), newest: window.newest(), total: window.total() }
}

fn index(height: Height) -> usize {
    usize::try_from(height.0).unwrap_or(usize::MAX)
}

/// Rounds down.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and times are years at most")]
fn to_i64(value: f64) -> i64 {
    value.floor() as i64
}
