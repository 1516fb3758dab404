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

#[test]
fn heartbeats_come_once_a_second() {
    assert_eq!(next_beat(5_300_000, 200_000), 6_200_000);
    assert_eq!(next_beat(5_300_000, 300_000), 5_300_000);
    assert_eq!(next_beat(5_300_000, 400_000), 5_400_000);
}
