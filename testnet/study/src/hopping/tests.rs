use super::*;

fn case(part: f64, counted: Counted) -> Case {
    Case { hashrate_hs: PETA, part, counted }
}

/// Mines for this many days, then leaves for as many.
fn by_turns(act: Act, days: [f64; 2]) -> Cadence {
    Cadence::of_two((act, days[0] * DAY_S), (Act::Away, days[1] * DAY_S))
}

#[test]
fn a_miner_that_never_leaves_gains_nothing() {
    for counted in [Counted::Proofs, Counted::Rows { others: 30.0 }] {
        for act in [Act::Whole, Act::Split] {
            let always = Cadence { acts: vec![(act, DAY_S)] };
            let gain = case(0.3, counted).gain(&always);
            assert!(gain.abs() < 1e-6, "{counted:?} {act:?}: {gain}");
        }
    }
}

/// The gain by a sum over time: constant proofs a second, so that each window is as long as the others.
fn by_sum(part: f64, days: [f64; 2]) -> f64 {
    const STEPS_A_DAY: f64 = 288.0;
    let steps = |days: f64| (days * STEPS_A_DAY).round() as usize;
    let (on, period) = (steps(days[0]), steps(days[0] + days[1]));
    let (window, lag) =
        (steps(changes::window_s() / DAY_S), steps(course::lag_s(&sharechain::ChainParams::main()) / DAY_S));
    let mine = |step: usize| if step % period < on { part } else { 0.0 };
    let mut sums = vec![[0.0; 2]];
    for step in 0..3 * period + window {
        let last = sums[step];
        sums.push([last[0] + mine(step), last[1] + mine(step) + 1.0 - part]);
    }
    let from = period * (window + lag).div_ceil(period);
    let (mut paid, mut due) = (0.0, 0.0);
    for step in from..from + period {
        let of = |at: usize| sums[step - lag][at] - sums[step - lag - window][at];
        paid += (mine(step) + 1.0 - part) * of(0) / of(1);
        due += mine(step);
    }
    paid / due - 1.0
}

#[test]
fn gains_are_those_of_a_sum_over_time() {
    for days in [[14.0, 14.0], [4.0, 4.0], [2.0, 6.0]] {
        for part in PARTS {
            let (gain, sum) = (case(part, Counted::Proofs).gain(&by_turns(Act::Whole, days)), by_sum(part, days));
            assert!((gain - sum).abs() < 0.002 * part.sqrt(), "{days:?}, {part}: {gain}, not {sum}");
        }
    }
}

#[test]
fn fresh_scripts_gain_by_rows_and_nothing_by_proofs() {
    let (split, whole) = (by_turns(Act::Split, [4.0, 8.0]), by_turns(Act::Whole, [4.0, 8.0]));
    let now = case(0.1, Counted::Proofs);
    assert_eq!(now.gain(&split).to_bits(), now.gain(&whole).to_bits(), "scripts are not counted");
    let before = case(0.1, Counted::Rows { others: 10.0 });
    assert!(before.gain(&split) > before.gain(&whole) + 0.002);
}

#[test]
fn acts_repeat_and_join() {
    let cadence = Cadence { acts: vec![(Act::Whole, 10.0), (Act::Whole, 5.0), (Act::Away, 5.0)] };
    assert_eq!([0.0, 14.9, 15.0, 19.9, 20.0].map(|at_s| cadence.at(at_s).0), {
        use Act::{Away, Whole};
        [Whole, Whole, Away, Away, Whole]
    });
    assert_eq!(cadence.at(22.0), (Act::Whole, 30.0));
    assert_eq!(cadence.joined(), [(Act::Whole, 15.0), (Act::Away, 5.0)]);
    assert!((cadence.part(Act::Away) - 0.25).abs() < 1e-9);
}

#[test]
fn the_last_hash_is_paid_what_the_integral_says() {
    // Blocks come at half the rate, and the window's work falls from 1 to 1/2: the integral of 0.5 / (1 - x / 2).
    let before = changes::all()[0].measure();
    assert!((before.hour - 2_f64.ln()).abs() < 0.01, "{before:?}");
}
