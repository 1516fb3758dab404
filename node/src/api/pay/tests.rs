use super::*;

/// The pool finds a block every 60 days, and the lottery draws the address in one block of 400: the interval of the pool
/// is not the one of the address.
#[test]
fn an_address_that_one_block_in_400_draws_is_paid_every_65_years() {
    let pay = Pay::new(60.0 * DAY_S, 780.0, 1.0 / 400.0);
    assert_eq!(pay.every_s.map(|seconds| (seconds / YEAR_S).floor()), Some(65.0));
    assert_eq!(pay.payout_sat.map(f64::round), Some(312_000.0));
    assert_eq!(pay.day_sat, 13.0);
    assert!((pay.month_probability - 30.0 / 60.0 / 400.0).abs() < 1e-5, "{}", pay.month_probability);
    assert!((pay.year_probability - 0.015).abs() < 0.001, "{}", pay.year_probability);
}

#[test]
fn what_a_day_brings_is_the_amount_of_a_payout_times_how_often_it_comes() {
    for (block_s, due_sat, probability) in [(600.0, 1e6, 1.0), (7.0, 3.0, 0.3), (1e9, 1e-3, 1e-6)] {
        let pay = Pay::new(block_s, due_sat, probability);
        let by_payouts = pay.payout_sat.unwrap() * DAY_S / pay.every_s.unwrap();
        assert!((by_payouts / pay.day_sat - 1.0).abs() < 1e-9, "{pay:?}");
        assert!(pay.month_probability <= pay.year_probability && pay.year_probability <= 1.0);
    }
}

#[test]
fn an_address_without_work_is_never_paid() {
    let pay = Pay::new(600.0, 0.0, 0.0);
    assert_eq!((pay.day_sat, pay.payout_sat, pay.every_s), (0.0, None, None));
    assert_eq!((pay.month_probability, pay.year_probability), (0.0, 0.0));
}
