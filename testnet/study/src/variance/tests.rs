use super::central::Even;
use super::spread::{Pays, variation};
use super::*;
use crate::models::pay::units::YEAR_S;

#[test]
fn times_without_pay_count() {
    let pays = Pays { count: 10, paid: vec![2.0, 4.0, 4.0] };
    assert!((pays.unpaid() - 0.7).abs() < 1e-9);
    assert_eq!(pays.quantile(0.5), 0.0);
    assert_eq!(pays.quantile(1.0), 4.0);
    // Mean 1, mean square 3.6.
    assert!((variation(&[&pays, &pays]).mean - 2.6_f64.sqrt()).abs() < 1e-9);
}

#[test]
fn even_payments_are_poisson() {
    let often = Even::blocks_of(EXA);
    let mean = solo_mean(EXA);
    assert!((often.variation(YEAR_S) - mean.sqrt().recip()).abs() < 1e-9);
    // Poisson of mean 52.6: 95% lie at or below 65.
    assert!((often.quantile(YEAR_S, 0.95) * mean - 65.0).abs() < 1e-6);
    assert_eq!(Even::blocks_of(TERA).quantile(YEAR_S, 0.95), 0.0);
    // Exact and normal quantiles agree where one replaces the other.
    let (below, above) = (Even::blocks_of(9.4 * EXA), Even::blocks_of(9.6 * EXA));
    assert!((below.quantile(YEAR_S, 0.05) - above.quantile(YEAR_S, 0.05)).abs() < 0.005);
}

fn solo_mean(hashrate: f64) -> f64 {
    central::solo_blocks_per_year(hashrate)
}

#[test]
fn the_same_seed_gives_the_same_pay() {
    let miners = Miners::new(&[Group::new(20, 100.0 * PETA), Group::new(100, 80.0 * PETA)]);
    let history = || History::simulate(&miners, &ChainParams::main(), 1, &mut stream(7, "test", 0));
    let (one, other) = (history(), history());
    for (one, other) in one.groups.iter().zip(&other.groups) {
        assert_eq!((&one.months, &one.years), (&other.months, &other.years));
        // More than 500 blocks in the year, and all miners large: a few percent of noise.
        assert!((one.paid_of_due - 1.0).abs() < 0.05, "{}", one.paid_of_due);
    }
    let paid: f64 = one.groups[0].months.paid.iter().sum();
    assert!(paid > 0.0);
}
