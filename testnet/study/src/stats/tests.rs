use super::*;

#[test]
fn an_estimate_has_students_interval() {
    let estimate = Estimate::of(&[1.0, 2.0, 3.0]);
    assert!((estimate.mean - 2.0).abs() < 1e-12);
    assert!((estimate.high - (2.0 + 4.303 / 3_f64.sqrt())).abs() < 1e-9, "{estimate:?}");
    assert!((estimate.high + estimate.low - 4.0).abs() < 1e-9);
}

#[test]
fn one_sample_says_nothing_about_the_spread() {
    assert_eq!(Estimate::of(&[5.0]).high, f64::INFINITY);
}

#[test]
fn a_negative_factor_turns_the_interval_round() {
    let turned = Estimate { mean: 2.0, low: 1.0, high: 4.0 }.times(-1.0);
    assert_eq!(turned, Estimate { mean: -2.0, low: -4.0, high: -1.0 });
}

#[test]
fn quantiles_are_samples() {
    let samples = [3.0, 1.0, 2.0];
    assert_eq!([quantile(&samples, 0.0), quantile(&samples, 0.5), quantile(&samples, 1.0)], [1.0, 2.0, 3.0]);
    assert!(quantile(&[], 0.5).is_nan());
}
