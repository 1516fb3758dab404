use super::*;

/// Returns the hashes done in `seconds` if a slice takes `slice_ms`.
fn hashes_in(hashrate: f64, seconds: u64, slice_ms: u64) -> f64 {
    let start = Instant::now();
    let mut now = start;
    let mut throttle = Throttle::new(hashrate, now);
    let mut hashes = 0.0;
    while now - start < Duration::from_secs(seconds) {
        hashes += f64::from(throttle.slice_hashes());
        now += Duration::from_millis(slice_ms);
        now += throttle.pause(now);
    }
    hashes
}

#[test]
fn keeps_the_hashrate_whatever_a_slice_takes() {
    for hashrate in [10.0, 1234.5, 80_000.0, 400_000.0] {
        for slice_ms in [0, 1, 15] {
            let done = hashes_in(hashrate, 30, slice_ms) / 30.0;
            assert!((done / hashrate - 1.0).abs() < 0.01, "{hashrate}: {done} at {slice_ms} ms");
        }
    }
}

#[test]
fn slices_stay_short_at_any_hashrate() {
    let throttle = Throttle::new(1e9, Instant::now());
    assert!(f64::from(throttle.slice_hashes()) <= MINER_SLICE_HASHES_MAX);
    assert!(Throttle::new(0.0, Instant::now()).slice_hashes() >= 1);
}

#[test]
fn makes_up_for_a_short_gap_and_gives_up_a_long_one() {
    let now = Instant::now();
    let mut throttle = Throttle::new(1000.0, now);
    let late = now + Duration::from_secs(1);
    assert_eq!(throttle.pause(late), Duration::ZERO);
    assert_eq!(throttle.pause(late), Duration::ZERO, "still a second behind");

    let much_later = late + Duration::from_secs(60);
    assert_eq!(throttle.pause(much_later), Duration::ZERO);
    assert!(throttle.pause(much_later) > Duration::ZERO, "the minute is not made up for");
}
