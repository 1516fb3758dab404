use std::time::{Duration, Instant};

use super::Vardiff;
use crate::difficulty::{Difficulty, DifficultyRange};
use crate::limits;

fn vardiff_from(start: f64, now: Instant) -> Vardiff {
    Vardiff::new(DifficultyRange { start, ..DifficultyRange::default() }, now)
}

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
        let seen = run(&mut vardiff_from(1_024.0, start), cap, per_second, 3_600.0, start);
        let rate = shares_per_minute(*seen.last().expect("not empty"), per_second);
        assert!((4.0..18.0).contains(&rate), "{rate} shares per minute at {per_second}");
        assert!(seen.len() < 2_000, "{} shares in the first hour at {per_second}", seen.len());
    }
}

#[test]
fn a_steady_miner_keeps_its_difficulty() {
    let start = Instant::now();
    let mut seen = run(&mut vardiff_from(1_024.0, start), Difficulty::floor(4e9), 150.0, 3_600.0, start);
    seen.dedup();
    assert!(seen.len() <= 2, "{seen:?}");
}

#[test]
fn the_difficulty_never_exceeds_the_cap() {
    let now = Instant::now();
    let mut vardiff = vardiff_from(1_024.0, now);
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
    let mut vardiff = vardiff_from(1_024.0, start);
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
    let mut vardiff = vardiff_from(1_024.0, start);
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
    let vardiff = vardiff_from(1e9, Instant::now());
    let sent = vardiff.choose(Difficulty::floor(1_000.0), None);
    assert_eq!(vardiff.choose(Difficulty::floor(1_030.0), Some(sent)), sent);
    assert_eq!(vardiff.choose(Difficulty::floor(990.0), Some(sent)).to_f64(), 990.0);
    assert_eq!(vardiff.choose(Difficulty::floor(1_200.0), Some(sent)).to_f64(), 1_200.0);
}

/// Shares at random times, as hashing finds them: the same times for the same seed.
struct Finds(u64);

impl Finds {
    /// Returns the time to the next share, for a mean of `mean` seconds.
    fn wait(&mut self, mean: f64) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = ((self.0 >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
        -uniform.ln() * mean
    }
}

/// Runs a miner of `hashes_per_second` from the difficulty `initial`, until three more jobs or 15 minutes have passed.
/// Returns the mean seconds between two shares at the difficulty of the last job.
fn settled_interval(initial: f64, cap: Difficulty, hashes_per_second: f64, finds: &mut Finds) -> f64 {
    let start = Instant::now();
    let interval = |difficulty: Difficulty| difficulty.to_f64() * 4_294_967_296.0 / hashes_per_second;
    let mut vardiff = vardiff_from(initial, start);
    let mut sent = vardiff.choose(cap, None);
    let (mut at, mut tick, mut jobs) = (0.0, 0.5, 0);
    let mut find = finds.wait(interval(sent));
    // A farm at a low share target finds shares by the million.
    for _ in 0..100_000 {
        if jobs >= 3 || at >= 900.0 {
            break;
        }
        if find < tick {
            at = find;
            vardiff.share(sent);
            find = at + finds.wait(interval(sent));
        } else {
            at = tick;
            tick += 0.5;
        }
        vardiff.judge(sent, start + Duration::from_secs_f64(at));
        let next = vardiff.choose(cap, Some(sent));
        assert!(next <= cap, "{next} is above the share target");
        if next != sent {
            jobs += 1;
            sent = next;
            find = at + finds.wait(interval(sent));
        }
    }
    interval(sent)
}

/// From any first difficulty, three more jobs bring every device from 1 GH/s to 10 PH/s to its rate, up to the share
/// target.
#[test]
fn every_rate_is_reached_within_three_jobs() {
    let (mut runs, mut far) = (0, 0);
    for initial in [1.0, 32.0, 1_024.0, 32_768.0, 1e6, 1.6e7] {
        for step in 0..=28 {
            let hashes_per_second = 1e9 * 10f64.powf(f64::from(step) / 4.0);
            for seed in 0..20 {
                let mut finds = Finds(seed * 1_000 + step as u64);
                let got = settled_interval(initial, Difficulty::floor(4e9), hashes_per_second, &mut finds);
                runs += 1;
                far += u32::from(!(crate::limits::SHARE_INTERVAL_S / 4.0..28.0).contains(&got));
                assert!((0.2..300.0).contains(&got), "{got} s from {initial} at {hashes_per_second}");
            }
        }
    }
    assert!(far * 50 < runs, "{far} of {runs} are off by more than a factor of 4");
}

#[test]
fn a_low_share_target_caps_every_rate() {
    for cap in [0.01, 1.0, 5_000.0, 1e6] {
        let cap = Difficulty::floor(cap);
        for hashes_per_second in [1e9, 1e12, 1e14, 1e16] {
            let got = settled_interval(1_024.0, cap, hashes_per_second, &mut Finds(1));
            let at_cap = cap.to_f64() * 4_294_967_296.0 / hashes_per_second;
            assert!(got <= at_cap && got >= at_cap.min(1.0) / 1_024.0, "{got} s at {hashes_per_second}");
        }
    }
}

#[test]
fn a_range_bounds_what_a_miner_asks_for() {
    let now = Instant::now();
    let mut vardiff = Vardiff::new(DifficultyRange { start: 10.0, min: 500.0, max: 2_000.0 }, now);
    let cap = Difficulty::floor(1e6);
    assert_eq!(vardiff.choose(cap, None).to_f64(), 500.0);
    for (asked, given) in [(1.0, 500.0), (700.0, 700.0), (1e5, 2_000.0)] {
        vardiff.suggest(asked);
        assert_eq!(vardiff.choose(cap, None).to_f64(), given);
    }
    assert_eq!(vardiff.choose(Difficulty::floor(100.0), None).to_f64(), 100.0, "the share target caps the minimum too");
}

#[test]
fn a_miner_that_calls_itself_slow_again_and_again_floods_nobody() {
    let claims: [fn(f64) -> f64; 3] = [|_| 1e-9, |sent| sent, |sent| sent * 1.000_001];
    for claim in claims {
        let start = Instant::now();
        let cap = Difficulty::floor(4e9);
        let mut vardiff = vardiff_from(1.0, start);
        let mut sent = vardiff.choose(cap, None);
        let (mut at, mut shares) = (0.0, 0);
        // 100 TH/s for ten minutes, with a claim after each share.
        while at < 600.0 && shares < 10_000 {
            at += sent.to_f64() / 23_283.0;
            let now = start + Duration::from_secs_f64(at);
            vardiff.share(sent);
            vardiff.judge(sent, now);
            vardiff.expect(claim(sent.to_f64()), now);
            sent = vardiff.choose(cap, Some(sent));
            shares += 1;
        }
        assert!(shares < 2_000, "{shares} shares in {at} s");
    }
}

#[test]
fn a_device_that_was_measured_before_keeps_its_rate_and_its_wishes_are_minimums() {
    let (cap, now) = (Difficulty::floor(1e9), Instant::now());
    let mut vardiff = vardiff_from(1_024.0, now);
    assert_eq!(vardiff.fitting(), None, "its shares say nothing yet");
    vardiff.go_on_from(50_000.0);
    assert_eq!((vardiff.choose(cap, None).to_f64(), vardiff.fitting()), (50_000.0, None));
    for (asked, given) in [(5.0, 50_000.0), (60_000.0, 60_000.0)] {
        vardiff.suggest(asked);
        assert_eq!(vardiff.choose(cap, None).to_f64(), given);
    }
    let sent = Difficulty::floor(60_000.0);
    for _ in 0..limits::VARDIFF_SHARES {
        vardiff.share(sent);
    }
    assert!(vardiff.judge(sent, now + Duration::from_secs(1)));
    assert!(vardiff.fitting().is_some_and(|difficulty| difficulty > 1e6));
}
