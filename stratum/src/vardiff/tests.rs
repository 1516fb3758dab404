use std::time::{Duration, Instant};

use super::Vardiff;
use crate::difficulty::Difficulty;

/// Simulates a miner with `per_second` difficulty-1 shares per second, evenly spaced, for `seconds`.
/// Returns the difficulty of each job.
fn run(vardiff: &mut Vardiff, cap: Difficulty, per_second: f64, seconds: f64, start: Instant) -> Vec<Difficulty> {
    let mut sent = vardiff.choose(cap, None);
    let (mut at, mut seen) = (0.0, vec![sent]);
    while at < seconds {
        let wait = sent.to_f64() / per_second;
        let ticks = (wait / 0.5).floor();
        for tick in 0..(ticks.min(10_000.0) as u32) {
            vardiff.judge(sent, start + Duration::from_secs_f64(at + f64::from(tick) * 0.5));
        }
        at += wait;
        vardiff.share(sent);
        vardiff.judge(sent, start + Duration::from_secs_f64(at));
        sent = vardiff.choose(cap, Some(sent));
        seen.push(sent);
    }
    seen
}

fn shares_per_minute(difficulty: Difficulty, per_second: f64) -> f64 {
    60.0 * per_second / difficulty.to_f64()
}

#[test]
fn miners_of_every_size_settle_near_nine_shares_per_minute() {
    let cap = Difficulty::floor(4e9);
    for per_second in [0.5, 200.0, 50_000.0, 2_000_000.0] {
        let start = Instant::now();
        let seen = run(&mut Vardiff::new(1_024.0, start), cap, per_second, 3_600.0, start);
        let rate = shares_per_minute(*seen.last().expect("not empty"), per_second);
        assert!((4.0..18.0).contains(&rate), "{rate} shares per minute at {per_second}");
        assert!(seen.len() < 2_000, "{} shares in the first hour at {per_second}", seen.len());
    }
}

#[test]
fn a_steady_miner_keeps_its_difficulty() {
    let start = Instant::now();
    let mut seen = run(&mut Vardiff::new(1_024.0, start), Difficulty::floor(4e9), 150.0, 3_600.0, start);
    seen.dedup();
    assert!(seen.len() <= 2, "{seen:?}");
}

#[test]
fn the_difficulty_never_exceeds_the_cap() {
    let now = Instant::now();
    let mut vardiff = Vardiff::new(1_024.0, now);
    vardiff.suggest(1e9);
    for cap in [3e-5, 0.7, 1.0, 500.0, 1e8] {
        let cap = Difficulty::floor(cap);
        assert_eq!(vardiff.choose(cap, None), cap);
        assert_eq!(vardiff.choose(cap, Some(Difficulty::floor(2e9))), cap);
    }
}

#[test]
fn silence_lowers_the_difficulty_but_not_below_one_with_a_whole_cap() {
    let start = Instant::now();
    let mut vardiff = Vardiff::new(1_024.0, start);
    let cap = Difficulty::floor(2_048.0);
    let mut sent = vardiff.choose(cap, None);
    for period in 1..20 {
        vardiff.judge(sent, start + Duration::from_secs(100 * period));
        sent = vardiff.choose(cap, Some(sent));
    }
    assert_eq!(sent, Difficulty::ONE);
}

#[test]
fn silence_does_not_lower_the_difficulty_below_the_minimum() {
    let start = Instant::now();
    let mut vardiff = Vardiff::new(1_024.0, start);
    vardiff.suggest(512.0);
    let cap = Difficulty::floor(100_000.0);
    let mut sent = vardiff.choose(cap, None);
    for period in 1..20 {
        vardiff.judge(sent, start + Duration::from_secs(100 * period));
        sent = vardiff.choose(cap, Some(sent));
    }
    assert_eq!(sent, Difficulty::floor(512.0));
}

#[test]
fn a_slowly_moving_cap_keeps_the_difficulty() {
    let vardiff = Vardiff::new(1e9, Instant::now());
    let sent = vardiff.choose(Difficulty::floor(1_000.0), None);
    assert_eq!(vardiff.choose(Difficulty::floor(1_030.0), Some(sent)), sent);
    assert_eq!(vardiff.choose(Difficulty::floor(990.0), Some(sent)).to_f64(), 990.0);
    assert_eq!(vardiff.choose(Difficulty::floor(1_200.0), Some(sent)).to_f64(), 1_200.0);
}
