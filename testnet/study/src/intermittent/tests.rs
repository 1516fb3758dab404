use sharechain::{ChainParams, Weight};

use super::hours::{Kind, coins};
use super::*;
use crate::models::pay::pay_run::PayRun;
use crate::models::pay::units::{DAY_S, EXA};

#[test]
fn habits_keep_their_hours() {
    let mines = |kind: Kind, hour: f64| kind.mines((48.0 + hour) * 3_600.0, &[]);
    assert!(!mines(Kind::Sun, 8.9) && mines(Kind::Sun, 9.0) && mines(Kind::Sun, 14.9) && !mines(Kind::Sun, 15.0));
    assert!(mines(Kind::CheapPower, 23.0) && mines(Kind::CheapPower, 6.9) && !mines(Kind::CheapPower, 7.0));
    let coins = coins(1_000.0 * 3_600.0, &mut stream(1, "test", 0));
    let heads = coins.iter().filter(|coin| **coin).count();
    assert!((430..570).contains(&heads), "{heads}");
}

/// A pool of 500 EH/s with a window of one hour.
fn short(solar: f64) -> Pool {
    let params = ChainParams { window_weight: Weight(3 << 64), ..ChainParams::main() };
    Pool { name: String::new(), params, hashrate: 500.0 * EXA, solar, is_in_question: false }
}

#[test]
fn what_is_paid_is_received() {
    let hashrate = |at_s: f64| if hours::is_sunny(at_s) { 500.0 * EXA } else { 300.0 * EXA };
    let run =
        PayRun { params: short(0.0).params, hashrate: &hashrate, miners: 100, from_s: DAY_S, until_s: 2.0 * DAY_S };
    let worths = run.simulate(&mut stream(1, "test", 0));
    assert!((worths.paid / worths.received - 1.0).abs() < 1e-9, "{} {}", worths.paid, worths.received);
    assert!(worths.paid > 50.0);
    assert_eq!(worths.moments, run.simulate(&mut stream(1, "test", 0)).moments);
}

#[test]
fn steady_pools_pay_every_hash_the_same() {
    let day = short(0.0).measure(60, &mut stream(2, "test", 0));
    assert!((day.constant - 1.0).abs() < 0.02, "{}", day.constant);
    // Chance alone spreads a habit's pay by 3% in ten days.
    for habit in 0..3 {
        assert!((day.ratio(habit) - 1.0).abs() < 0.04, "{}", day.ratio(habit));
    }
}

#[test]
fn work_before_the_sun_earns_by_it_when_the_window_is_short() {
    let day = short(0.3).measure(10, &mut stream(3, "test", 0));
    // It takes two hours from work to snapshot. Work from 6:00 on is paid by blocks from 9:00 on.
    let mean = |hours: std::ops::Range<usize>| day.by_hour[hours].iter().sum::<f64>() / 3.0;
    assert!(mean(6..9) > 1.3 * mean(12..15), "{:?}", day.by_hour);
}
