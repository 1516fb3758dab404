use super::*;

#[test]
fn quantiles_are_those_of_the_samples() {
    let mut histogram = Histogram::default();
    (1..=100).for_each(|millis| histogram.add(millis * 1_000));
    assert!((histogram.quantile_s(0.5) - 0.050).abs() < 1e-9);
    assert!((histogram.quantile_s(0.99) - 0.099).abs() < 1e-9);
    assert!((histogram.mean_s() - 0.0505).abs() < 1e-9);
    assert!(Histogram::default().quantile_s(0.5).is_nan());
}
