use std::time::{Duration, Instant};

use super::Meter;

/// A miner with 1 TH/s at difficulty 1,024 finds a share every 4.4 s.
#[test]
fn the_estimate_of_a_steady_miner_is_right_from_early_on() {
    let start = Instant::now();
    let mut meter = Meter::new(start);
    let interval = 1_024.0 * 4_294_967_296.0 / 1e12;
    for share in 1..=1_000 {
        let now = start + Duration::from_secs_f64(f64::from(share) * interval);
        meter.add(1_024.0, now);
        if share > 20 {
            let rate = meter.hashes_per_second(now);
            assert!((0.95e12..1.1e12).contains(&rate), "{rate} after {share} shares");
        }
    }
}

#[test]
fn the_estimate_decays_after_a_miner_stops() {
    let start = Instant::now();
    let mut meter = Meter::new(start);
    meter.add(1_000.0, start + Duration::from_secs(10));
    let soon = meter.hashes_per_second(start + Duration::from_secs(20));
    let late = meter.hashes_per_second(start + Duration::from_secs(3_600));
    assert!(late < soon / 1_000.0);
}
