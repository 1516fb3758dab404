//! Fairness of the draw: over all points at which it can start, over many seeds, to the satoshi.

use bitcoin::hashes::{Hash, HashEngine};
use rand::Rng;
use sharechain::hash::{Tag, keyed_engine};
use sharechain::{ChainParams, U256, Weight};

use super::line::{Line, seed};
use crate::models::pay::miners::p2tr;
use crate::models::pay::units::{SUBSIDY_SAT, to_f64};
use crate::stats::as_f64;
use sim::rng::SimRng;

/// A pool with dues so small that a draw can start at only a few hundred points. All of them are tried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grid {
    /// Number of seeds tried.
    pub(super) draws: u64,
    /// Number of seeds for which the pool's code differs from the rule, plus the number of miners that are selected,
    /// over all points, more or less often than their due.
    pub(super) faults: u64,
}

/// An independent implementation of the rule: the line in the order of a seed.
struct Rule {
    /// Numbers of the miners that draw, and their dues, in order.
    order: Vec<(usize, u128)>,
    tail: u128,
    drawn: u128,
    /// The point that the seed chooses.
    point: u128,
}

impl Rule {
    fn new(line: &Line, seed: &[u8; 32], params: &ChainParams) -> Self {
        let mut ranked: Vec<(usize, u128)> = line.weights.iter().map(|weight| weight.0).enumerate().collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| script_bytes(a.0).cmp(&script_bytes(b.0))));
        let mut rest = line.total();
        let mut outputs = u128::try_from(params.outputs_max).unwrap_or(1);
        let mut exact = 0;
        while let Some((_, weight)) = ranked.get(exact)
            && rest < weight * outputs
        {
            rest -= weight;
            outputs -= 1;
            exact += 1;
        }
        let key = Tag::Draw.hash(&[seed]);
        let hash = |bytes: &[u8]| {
            let mut engine = keyed_engine(&key);
            engine.input(bytes);
            bitcoin::hashes::sha256::Hash::from_engine(engine).to_byte_array()
        };
        let mut order = ranked.split_off(exact.min(ranked.len()));
        order.sort_by_cached_key(|(number, _)| hash(&script_bytes(*number)));
        let tail = rest / outputs;
        let random = hash(&[]).first_chunk().map_or(0, |first| u128::from_be_bytes(*first));
        let point = (U256::from(random) * U256::from(tail)) >> 128;
        Self { order, tail, drawn: outputs, point: u128::try_from(point).unwrap_or(0) }
    }

    /// Returns the miners selected when the draw starts at `point`.
    fn selected(&self, point: u128) -> Vec<usize> {
        let mut start = 0;
        let mut selected = Vec::new();
        for (number, weight) in &self.order {
            let end = start + weight;
            let hit = |j: u128| (start..end).contains(&(point + j * self.tail));
            if (0..self.drawn).any(hit) {
                selected.push(*number);
            }
            start = end;
        }
        selected
    }
}

fn script_bytes(number: usize) -> Vec<u8> {
    p2tr(u32::try_from(number).unwrap_or(u32::MAX)).into_bytes()
}

impl Grid {
    /// Checks `draws` pools with one seed each.
    pub(super) fn check(draws: usize, rng: &mut SimRng) -> Self {
        /// One seed in this many is checked at all points, which costs a hundred times as much.
        const WHOLE: usize = 10;
        let mut grid = Self::default();
        for draw in 0..draws {
            let params =
                ChainParams { outputs_max: rng.random_range(2..10), output_floor_sat: 0, ..ChainParams::main() };
            let count = rng.random_range(12..40);
            let line = Line::of_weights((0..count).map(|_| Weight(rng.random_range(1..=60))).collect());
            let seed = seed(rng);
            let rule = Rule::new(&line, &seed, &params);
            let selection = line.select(&seed, &params);
            let exact = params.outputs_max - usize::try_from(rule.drawn).unwrap_or(0);
            let drawn: Vec<usize> = line.paid(&selection).skip(exact).map(|(number, _)| number).collect();
            grid.draws += 1;
            grid.faults += u64::from(drawn != rule.selected(rule.point));
            if draw % WHOLE == 0 {
                grid.faults += rule.unfair();
            }
        }
        grid
    }
}

impl Rule {
    /// Returns the number of miners that are not selected exactly as often as their due, over all points. The last one
    /// in line may lose the remainder of the division that makes payments whole.
    fn unfair(&self) -> u64 {
        let mut counts = vec![0_u128; self.order.len()];
        for point in 0..self.tail {
            let selected = self.selected(point);
            for (count, (number, _)) in counts.iter_mut().zip(&self.order) {
                *count += u128::from(selected.contains(number));
            }
        }
        let mut left = self.order.iter().map(|(_, weight)| weight).sum::<u128>() - self.tail * self.drawn;
        let mut unfair = 0;
        for (count, (_, weight)) in counts.iter().zip(&self.order).rev() {
            let lost = left.min(*weight);
            left -= lost;
            unfair += u64::from(*count != weight - lost);
        }
        unfair
    }
}

/// Pay over due in a large pool, for groups of miners.
#[derive(Clone, Debug)]
pub(super) struct Bias {
    /// The smallest miners: 750 of 1,000.
    pub(super) tail: f64,
    /// The medium miners, who also draw.
    pub(super) middle: f64,
    /// The miners who are paid exactly.
    pub(super) exact: f64,
    /// Largest expected payment minus due, in satoshi, without the first output.
    pub(super) most_sat: f64,
    /// The first output's payment beyond its due, in satoshi.
    pub(super) first_sat: f64,
}

impl Bias {
    /// Averages over `draws` seeds.
    pub(super) fn measure(draws: usize, rng: &mut SimRng) -> Self {
        let params = ChainParams::main();
        let line = Line::honest();
        let mut sums = [0.0; 3];
        let ranges = [0..3, 3..250, 250..line.weights.len()];
        for _ in 0..draws {
            let selection = line.select(&seed(rng), &params);
            for (sum, range) in sums.iter_mut().zip(&ranges) {
                *sum += line.part_of(range, &selection);
            }
        }
        let due = |range: &std::ops::Range<usize>| {
            let dues = line.weights.get(range.clone()).unwrap_or_default();
            to_f64(dues.iter().map(|weight| weight.0).sum()) / to_f64(line.total())
        };
        let [exact, middle, tail] = [0, 1, 2].map(|at| match (sums.get(at), ranges.get(at)) {
            (Some(sum), Some(range)) => sum / as_f64(draws) / due(range),
            _ => f64::NAN,
        });
        let (most_sat, first_sat) = rounding(&line, &seed(rng), &params);
        Self { tail, middle, exact, most_sat, first_sat }
    }
}

/// Returns the largest difference between expected payment and due, and the first output's payment beyond its due, in
/// satoshi.
fn rounding(line: &Line, seed: &[u8; 32], params: &ChainParams) -> (f64, f64) {
    let selection = line.select(seed, params);
    let amounts = selection.amounts(SUBSIDY_SAT).unwrap_or_default();
    let paid_sat: Vec<f64> = amounts.iter().map(|output| to_f64(u128::from(output.value.to_sat()))).collect();
    let tail = selection.entries().last().map_or(1.0, |due| to_f64(due.weight.0));
    let tail_sat = paid_sat.last().copied().unwrap_or(0.0);
    let due_sat = |weight: &Weight| to_f64(u128::from(SUBSIDY_SAT)) * to_f64(weight.0) / to_f64(line.total());
    let drawn = line.weights.iter().filter(|weight| to_f64(weight.0) < tail);
    let of_drawn = drawn.map(|weight| (tail_sat * to_f64(weight.0) / tail - due_sat(weight)).abs());
    let exact = selection.entries().iter().zip(&paid_sat).skip(1).filter(|(due, _)| to_f64(due.weight.0) > tail);
    let of_exact = exact.map(|(due, sat)| (sat - due_sat(&due.weight)).abs());
    let first = selection.entries().iter().zip(&paid_sat).next().map_or(0.0, |(due, sat)| sat - due_sat(&due.weight));
    (of_drawn.chain(of_exact).fold(0.0, f64::max), first)
}
