use std::collections::BTreeMap;

use stratum::{Rejected, Totals};

use super::*;

const START: u32 = 1_800_000_000;
const WORKING: Surroundings = Surroundings { working: true, resting: false, pool_hs: None };

fn connection(account: u8, last_share_age_s: Option<u64>) -> ConnectionSnapshot {
    ConnectionSnapshot {
        id: 1,
        peer: "192.0.2.1:1".parse().unwrap(),
        workers: Vec::new(),
        account: Some(Account::from(vec![account])),
        agent: String::new(),
        protocol: stratum::Protocol::V1,
        difficulty: None,
        coinbase_bytes: None,
        coinbase_bytes_max: None,
        submits: Totals::default(),
        hashrate_hs: 1e12,
        connected_s: 1_000,
        last_share_age_s,
    }
}

/// This many miners with the same hashrate each, and this many submits in total.
fn miners(count: u8, accepted: u64, stale: u64) -> Snapshot {
    let connections: Vec<_> = (0..count).map(|number| connection(number, Some(3))).collect();
    let rejected = Rejected { stale, ..Rejected::default() };
    Snapshot {
        hashrate_hs: connections.iter().map(|connection| connection.hashrate_hs).sum(),
        connections,
        totals: Totals { accepted, rejected, ..Totals::default() },
        connections_taken: 0,
        connections_refused: 0,
        connections_closed: BTreeMap::new(),
    }
}

/// Kinds of the states after each minute of what `at` returns, and the minute in which the first one began.
fn run(minutes: std::ops::Range<u32>, health: &mut MiningHealth, at: impl Fn(u32) -> Snapshot) -> Vec<String> {
    for minute in minutes {
        health.look(&at(minute), WORKING, START + 60 * minute);
    }
    health.states().into_iter().map(|state| state.kind).collect()
}

#[test]
fn the_only_miner_is_gone() {
    let mut health = MiningHealth::default();
    assert!(run(0..3, &mut health, |_| miners(0, 0, 0)).is_empty(), "a node without miners misses none");
    assert!(run(3..60, &mut health, |minute| miners(1, minute.into(), 0)).is_empty());
    assert!(run(60..61, &mut health, |_| miners(0, 59, 0)).is_empty(), "it may be restarting");
    assert_eq!(run(61..63, &mut health, |_| miners(0, 59, 0)), ["miners_gone"]);
    assert_eq!(health.states()[0].since_unix_s, START + 60 * 59, "since it was seen last");
    assert_eq!(run(63..1_400, &mut health, |_| miners(0, 59, 0)), ["miners_gone"]);
    assert!(run(1_400..1_401, &mut health, |_| miners(1, 60, 0)).is_empty());
    assert!(run(1_401..3_000, &mut health, |_| miners(0, 60, 0)).is_empty(), "taken away on purpose");
}

#[test]
fn a_tenth_of_the_miners_is_gone() {
    let mut health = MiningHealth::default();
    assert!(run(0..100, &mut health, |minute| miners(11, minute.into(), 0)).is_empty());
    assert!(run(100..115, &mut health, |minute| miners(9, minute.into(), 0)).is_empty());
    assert_eq!(run(115..120, &mut health, |minute| miners(9, minute.into(), 0)), ["miners_lost"]);
}

#[test]
fn miners_that_send_nothing_or_only_stale_work() {
    let mut health = MiningHealth::default();
    assert!(run(0..30, &mut health, |minute| miners(1, minute.into(), 0)).is_empty());
    assert_eq!(run(30..46, &mut health, |_| miners(1, 29, 0)), ["miners_silent"]);
    assert!(run(46..70, &mut health, |minute| miners(1, minute.into(), 5)).is_empty());
    assert_eq!(
        run(70..90, &mut health, |minute| miners(1, minute.into(), u64::from(minute - 60))),
        ["submits_rejected"]
    );
    let mut waiting = MiningHealth::default();
    for minute in 0..30 {
        waiting.look(&miners(1, 7, 0), Surroundings::default(), START + 60 * minute);
    }
    assert!(waiting.states().is_empty(), "without work there is nothing to send");
}

#[test]
fn half_of_the_hashrate_is_gone_here_or_in_the_pool() {
    let mut health = MiningHealth::default();
    let with = |minute: u32, hashrate_hs| Snapshot { hashrate_hs, ..miners(2, minute.into(), 0) };
    assert!(run(0..120, &mut health, |minute| with(minute, 2e12)).is_empty());
    assert_eq!(run(120..181, &mut health, |minute| with(minute, 0.9e12)), ["hashrate_halved"]);
    let mut pool = MiningHealth::default();
    for (recent, wrong) in [(100, false), (61, false), (59, true), (50, true)] {
        pool.look(&miners(1, 1, 0), Surroundings { pool_hs: Some([recent, 100]), ..WORKING }, START);
        assert_eq!(pool.states().iter().any(|state| state.kind == "pool_halved"), wrong, "{recent}");
    }
}

#[test]
fn the_last_submit_is_known_after_the_device_died() {
    let mut health = MiningHealth::default();
    health.look(&miners(2, 1, 0), WORKING, START);
    health.look(&miners(0, 1, 0), WORKING, START + 3_600);
    assert_eq!((health.last_submit(&[1]), health.last_submit(&[2])), (Some(START - 3), None));
    for number in 0..=PAYEES_SEEN_MAX as u32 {
        let mut other = miners(1, 1, 0);
        other.connections[0].account = Some(Account::from(number.to_be_bytes().to_vec()));
        health.look(&other, WORKING, START + 3_600 + number);
    }
    assert_eq!(health.submits.len(), PAYEES_SEEN_MAX);
    assert_eq!(health.last_submit(&[1]), None, "the oldest made room");
}
