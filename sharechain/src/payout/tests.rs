use std::collections::BTreeMap;

use bitcoin::hashes::{Hash, sha256};
use proptest::prelude::*;

use super::*;

const SUBSIDY_SAT: u64 = 312_500_000;

fn script(n: u32) -> ScriptBuf {
    let key = sha256::Hash::hash(&n.to_le_bytes()).to_byte_array();
    ScriptBuf::from_bytes([&[0x51, 0x20], &key[..]].concat())
}

fn dues(weights: &[u128]) -> Vec<Due> {
    (0..).zip(weights).map(|(n, weight)| Due { script: script(n), weight: Weight(*weight) }).collect()
}

fn seed(n: u64) -> [u8; 32] {
    sha256::Hash::hash(&n.to_le_bytes()).to_byte_array()
}

fn chosen(dues: &[Due], seed: &[u8; 32], subsidy_sat: u64, params: &ChainParams) -> Selection {
    let borrowed = dues.iter().map(|due| (due.script.as_script(), due.weight));
    select(borrowed, seed, subsidy_sat, params).unwrap().unwrap()
}

fn with_outputs(outputs_max: usize) -> ChainParams {
    ChainParams { outputs_max, ..ChainParams::main() }
}

/// Parameters without a floor, so outputs may have any size.
fn with_outputs_and_no_floor(outputs_max: usize) -> ChainParams {
    ChainParams { output_floor_sat: 0, ..with_outputs(outputs_max) }
}

/// The rules as the specification states them, with divisions, full sorts and full hashes, for small weights. Returns
/// the number of proportional outputs and all payments.
fn naive(dues: &[Due], seed: &[u8; 32], subsidy_sat: u64, params: &ChainParams) -> (usize, Vec<(ScriptBuf, u128)>) {
    let mut sorted: Vec<_> = dues.iter().filter(|due| due.weight.0 > 0).cloned().collect();
    sorted.sort_by(|a, b| b.weight.cmp(&a.weight).then(a.script.as_bytes().cmp(b.script.as_bytes())));
    let weight = |i: usize| sorted[i].weight.0;
    let sum: u128 = sorted.iter().map(|due| due.weight.0).sum();
    let mut k = params.outputs_max.min(sorted.len());
    let (exact, tail) = loop {
        let rest = |c: usize| (c..sorted.len()).map(weight).sum::<u128>();
        let (exact, tail, total) = if k == sorted.len() {
            (k, weight(k - 1), sum)
        } else {
            let even = |c: usize| rest(c) / (k - c) as u128;
            let c = (0..k).find(|c| even(*c) >= weight(*c)).unwrap();
            (c, even(c), sum - rest(c) + even(c) * (k - c) as u128)
        };
        if k == 1 || u128::from(subsidy_sat) * tail / total >= u128::from(params.output_floor_sat) {
            break (exact, tail);
        }
        k -= 1;
    };
    let tag = sha256::Hash::hash(b"shoal/draw").to_byte_array();
    let key = sha256::Hash::hash(&[tag, tag, *seed].concat()).to_byte_array();
    let keyed = |bytes: &[u8]| sha256::Hash::hash(&[&key[..], &key[..], bytes].concat()).to_byte_array();
    let mut line = sorted.split_off(exact);
    line.sort_by_key(|due| keyed(due.script.as_bytes()));
    // Long multiplication by halves: the high 128 bits of random * tail.
    let random = u128::from_be_bytes(keyed(&[])[..16].try_into().unwrap());
    let (high, low) = (random >> 64, random & u128::from(u64::MAX));
    let start = (high * tail + ((low * tail) >> 64)) >> 64;
    let mut result: Vec<_> = sorted.into_iter().map(|due| (due.script, due.weight.0)).collect();
    for j in 0..(k - exact) as u128 {
        let mut end = 0;
        let hit = line.iter().find(|due| {
            end += due.weight.0;
            start + j * tail < end
        });
        result.push((hit.unwrap().script.clone(), tail));
    }
    (exact, result)
}

fn small_weights() -> impl Strategy<Value = Vec<u128>> {
    let weight = prop_oneof![Just(0), Just(1), Just(7), 1..40_u128, 1..100_000_u128, Just(1 << 40)];
    prop::collection::vec(weight, 1..90).prop_filter("somebody is due", |weights| weights.iter().any(|w| *w > 0))
}

fn some_params() -> impl Strategy<Value = ChainParams> {
    (1..=48_usize, prop_oneof![Just(0), Just(10_000), Just(30_000_000)]).prop_map(|(outputs_max, output_floor_sat)| {
        ChainParams { outputs_max, output_floor_sat, ..ChainParams::main() }
    })
}

proptest! {
    #[test]
    fn selection_is_what_the_rules_say(
        weights in small_weights(),
        params in some_params(),
        n in any::<u64>(),
        subsidy_sat in prop_oneof![Just(SUBSIDY_SAT), Just(0), 0..=SUBSIDY_SAT],
    ) {
        let dues = dues(&weights);
        let selection = chosen(&dues, &seed(n), subsidy_sat, &params);
        let entries: Vec<_> = selection.entries().iter().map(|due| (due.script.clone(), due.weight.0)).collect();
        prop_assert_eq!((selection.exact(), entries), naive(&dues, &seed(n), subsidy_sat, &params));
    }

    #[test]
    fn outputs_are_few_distinct_and_sum_to_the_value(
        weights in small_weights(),
        params in some_params(),
        n in any::<u64>(),
        value_sat in SUBSIDY_SAT..=2_100_000_000_000_000,
    ) {
        let selection = chosen(&dues(&weights), &seed(n), SUBSIDY_SAT, &params);
        let outputs = selection.amounts(value_sat).unwrap();
        prop_assert_eq!(outputs.iter().map(|out| out.value.to_sat()).sum::<u64>(), value_sat);
        prop_assert!(outputs.len() <= params.outputs_max);
        if outputs.len() > 1 {
            prop_assert!(outputs.iter().all(|out| out.value.to_sat() >= params.output_floor_sat));
        }
        let distinct: std::collections::BTreeSet<_> = outputs.iter().map(|out| &out.script_pubkey).collect();
        prop_assert_eq!(distinct.len(), outputs.len());
        prop_assert_eq!(selection.total().0, selection.entries().iter().map(|due| due.weight.0).sum::<u128>());
    }

    /// The selection does not depend on the order of the dues, nor on the coinbase value, which is not one of its
    /// arguments.
    #[test]
    fn input_order_changes_nothing(weights in small_weights(), params in some_params(), n in any::<u64>(), cut in any::<prop::sample::Index>()) {
        let mut dues = dues(&weights);
        let before = chosen(&dues, &seed(n), SUBSIDY_SAT, &params);
        let cut = cut.index(dues.len());
        dues.rotate_left(cut);
        dues[..cut].reverse();
        prop_assert_eq!(before, chosen(&dues, &seed(n), SUBSIDY_SAT, &params));
    }

    /// No due in the lottery is longer than a step, and proportional dues are larger. So no script is selected twice.
    #[test]
    fn the_tail_payment_lies_between_exact_and_drawn_dues(weights in small_weights(), outputs_max in 1..=48_usize) {
        let mut claims: Vec<u128> = weights.into_iter().filter(|weight| *weight > 0).collect();
        claims.sort_unstable_by(|a, b| b.cmp(a));
        let ranked: Vec<_> = claims.iter().take(outputs_max).map(|weight| Claim { script: Script::new(), weight: *weight }).collect();
        let split = Split::new(&ranked, claims.len(), claims.iter().sum(), SUBSIDY_SAT, &with_outputs(outputs_max)).unwrap();
        prop_assert!(split.drawn == 0 || claims[..split.exact].iter().all(|weight| *weight > split.tail));
        prop_assert!(claims[split.exact..].iter().all(|weight| *weight <= split.tail));
    }

    #[test]
    fn amounts_are_exact_at_the_edges_of_the_range(weights in prop::collection::vec(1..=u128::MAX / 64, 1..48), value_sat in 0..=2_100_000_000_000_000_u64) {
        let selection = chosen(&dues(&weights), &seed(0), SUBSIDY_SAT, &with_outputs_and_no_floor(48));
        let outputs = selection.amounts(value_sat).unwrap();
        prop_assert_eq!(outputs.iter().map(|out| out.value.to_sat()).sum::<u64>(), value_sat);
    }
}

/// Mean payment to each script over many seeds, as a fraction of the coinbase.
fn means(dues: &[Due], seeds: u64, params: &ChainParams) -> BTreeMap<ScriptBuf, f64> {
    let mut sums: BTreeMap<ScriptBuf, f64> = dues.iter().map(|due| (due.script.clone(), 0.0)).collect();
    for n in 0..seeds {
        let selection = chosen(dues, &seed(n), SUBSIDY_SAT, params);
        for due in selection.entries() {
            *sums.get_mut(&due.script).unwrap() += due.weight.0 as f64 / selection.total().0 as f64;
        }
    }
    sums.into_iter().map(|(script, sum)| (script, sum / seeds as f64)).collect()
}

/// A few large and many small miners.
fn pool() -> Vec<Due> {
    let unit = 1_u128 << 50;
    let mut weights: Vec<u128> = vec![900 * unit, 400 * unit, 150 * unit];
    weights.extend((1..=60).map(|n| unit * n / 7 + n));
    dues(&weights)
}

/// Each payment is T or nothing, so the mean of n lotteries of a due p*T has the variance T^2 p (1 - p) / n. The
/// largest of 60 independent normal deviations is below 5 in all but 3 of 100,000 sets, and the seeds here are fixed.
#[test]
fn expectation_is_the_due() {
    const SEEDS: u64 = 20_000;
    let (dues, params) = (pool(), with_outputs(10));
    let total: f64 = dues.iter().map(|due| due.weight.0 as f64).sum();
    let selection = chosen(&dues, &seed(0), SUBSIDY_SAT, &params);
    let tail = selection.entries().last().unwrap().weight.0 as f64 / total;
    let means = means(&dues, SEEDS, &params);
    let (mut chi_square, mut drawn) = (0.0, 0);
    for due in &dues {
        let expected = due.weight.0 as f64 / total;
        let mean = means[&due.script];
        if expected > tail {
            assert!((mean - expected).abs() < 1e-12, "{mean} {expected}: paid exactly");
            continue;
        }
        let chance = expected / tail;
        let deviation = (mean - expected) / (tail * (chance * (1.0 - chance) / SEEDS as f64).sqrt());
        assert!(deviation.abs() < 5.0, "{deviation} standard errors off the due");
        chi_square += deviation * deviation;
        drawn += 1;
    }
    assert_eq!(drawn, 60);
    // About 60 with a standard deviation of 11 if the payments were independent. The fixed number of winners makes it
    // smaller.
    assert!(chi_square < 60.0 + 5.0 * 11.0, "chi square {chi_square} of {drawn}");
}

/// Splits one small due in two: the expected payments of the parts add up to that of the whole.
#[test]
fn splitting_an_address_gains_nothing() {
    const SEEDS: u64 = 20_000;
    let (mut dues, params) = (pool(), with_outputs(10));
    let sum: u128 = dues.iter().map(|due| due.weight.0).sum();
    let whole = dues.pop().unwrap();
    let part = whole.weight.0 / 3;
    let parts = [
        Due { script: script(1_000), weight: Weight(part) },
        Due { script: script(1_001), weight: Weight(whole.weight.0 - part) },
    ];
    dues.extend(parts.clone());
    let tail = chosen(&dues, &seed(0), SUBSIDY_SAT, &params).entries().last().unwrap().weight.0 as f64 / sum as f64;
    let means = means(&dues, SEEDS, &params);
    let together = means[&parts[0].script] + means[&parts[1].script];
    let expected = whole.weight.0 as f64 / sum as f64;
    // At worst, the draw pays both or neither. So the variance of the sum of two payments is at most twice the sum of
    // their variances.
    let error = (2.0 * tail * expected / SEEDS as f64).sqrt();
    assert!((together - expected).abs() < 5.0 * error, "{together} for {expected} +- {error}");
}

/// Thousands of dues in the lottery, so that every stretch of the line has several.
#[test]
fn long_lines_are_drawn_as_the_rules_say() {
    for n in 0..20 {
        let weights: Vec<u128> = (0..5_000_u128).map(|i| 1 + i * (i + u128::from(n)) % 10_007 * (i % 3)).collect();
        let (dues, params) = (dues(&weights), with_outputs_and_no_floor(48));
        let selection = chosen(&dues, &seed(n), SUBSIDY_SAT, &params);
        let entries: Vec<_> = selection.entries().iter().map(|due| (due.script.clone(), due.weight.0)).collect();
        assert_eq!((selection.exact(), entries), naive(&dues, &seed(n), SUBSIDY_SAT, &params));
    }
}

#[test]
fn nobody_due_means_no_selection() {
    let none = select([(script(1).as_script(), Weight::ZERO)], &seed(0), SUBSIDY_SAT, &ChainParams::main());
    assert_eq!(none, Ok(None));
}

#[test]
fn the_finder_alone_gets_everything() {
    let selection = Selection::finder_alone(script(3));
    assert_eq!(
        (selection.entries(), selection.total()),
        (&[Due { script: script(3), weight: Weight(1) }][..], Weight(1))
    );
    let outputs = selection.amounts(SUBSIDY_SAT).unwrap();
    assert_eq!(outputs, [TxOut { value: Amount::from_sat(SUBSIDY_SAT), script_pubkey: script(3) }]);
}

#[test]
fn as_many_outputs_as_dues_are_all_exact_even_when_equal() {
    let dues = dues(&[5, 9, 5]);
    let selection = chosen(&dues, &seed(0), SUBSIDY_SAT, &with_outputs(3));
    let mut equal = [script(0), script(2)];
    equal.sort();
    let scripts: Vec<_> = selection.entries().iter().map(|due| due.script.clone()).collect();
    assert_eq!(scripts, [script(1), equal[0].clone(), equal[1].clone()]);
    assert_eq!(selection.total(), Weight(19));
}

#[test]
fn a_single_output_is_drawn_from_all() {
    let dues = dues(&[1, 2, 3]);
    let winners: std::collections::BTreeSet<_> =
        (0..100).map(|n| chosen(&dues, &seed(n), SUBSIDY_SAT, &with_outputs(1)).entries()[0].script.clone()).collect();
    assert_eq!(winners.len(), 3);
    let single = chosen(&dues, &seed(0), SUBSIDY_SAT, &with_outputs(1));
    assert_eq!(chosen(&dues, &seed(0), SUBSIDY_SAT, &with_outputs(0)), single, "a coinbase pays somebody");
}

/// A due below the floor enters the lottery instead of getting a tiny amount in every block.
#[test]
fn the_floor_turns_crumbs_into_draws() {
    let dues = dues(&[1_000_000, 1_000_000, 1]);
    let selection = chosen(&dues, &seed(0), SUBSIDY_SAT, &ChainParams::main());
    assert_eq!(selection.entries().len(), 2);
}

#[test]
fn weights_beyond_the_range_are_an_error() {
    let dues = dues(&[u128::MAX, 1]);
    let borrowed = dues.iter().map(|due| (due.script.as_script(), due.weight));
    assert_eq!(select(borrowed, &seed(0), SUBSIDY_SAT, &ChainParams::main()), Err(RuleError::Overflow));
}
