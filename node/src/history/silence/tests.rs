use stratum::{ConnectionSnapshot, Totals};

use super::{News, Silence};
use crate::limits::{WORKER_FORGOTTEN_S, WORKER_SILENT_S, WORKERS_WATCHED_MAX};

fn connection(worker: &str, connected_s: u64, last_share_age_s: Option<u64>) -> ConnectionSnapshot {
    ConnectionSnapshot {
        id: 1,
        peer: "192.0.2.1:1".parse().unwrap(),
        workers: vec![worker.to_owned()],
        account: None,
        agent: String::new(),
        coinbase_bytes: None,
        coinbase_bytes_max: None,
        difficulty: None,
        submits: Totals::default(),
        hashrate_hs: 0.0,
        connected_s,
        last_share_age_s,
    }
}

#[test]
fn a_miner_that_falls_silent_is_told_once_and_once_more_when_it_is_back() {
    let mut silence = Silence::default();
    let start = 1_000_000;
    assert_eq!(silence.look(&[connection("a", 5, Some(1))], start), []);
    assert_eq!(silence.look(&[], start + WORKER_SILENT_S - 2), []);
    let seconds = WORKER_SILENT_S + 1;
    let gone = News::Silent { worker: "a".into(), seconds };
    assert_eq!(silence.look(&[], start + WORKER_SILENT_S), [gone]);
    assert_eq!(silence.look(&[], start + WORKER_SILENT_S + 30), []);
    assert_eq!(silence.look(&[connection("a", 3, None)], start + 5_000), [News::Back { worker: "a".into() }]);
}

#[test]
fn a_miner_that_is_connected_and_sends_nothing_is_silent() {
    let mut silence = Silence::default();
    assert_eq!(silence.look(&[connection("a", 30, None)], 10_000), []);
    let told = silence.look(&[connection("a", WORKER_SILENT_S, None)], 10_000 + WORKER_SILENT_S - 30);
    assert!(matches!(&told[..], [News::Silent { .. }]), "{told:?}");
}

#[test]
fn no_more_miners_are_watched_than_there_is_room_for_and_old_ones_make_room() {
    let mut silence = Silence::default();
    let many: Vec<_> = (0..=WORKERS_WATCHED_MAX).map(|number| connection(&number.to_string(), 1, None)).collect();
    silence.look(&many, 100);
    assert_eq!(silence.workers.len(), WORKERS_WATCHED_MAX);
    silence.look(&[], 100 + WORKER_FORGOTTEN_S);
    assert!(silence.workers.is_empty());
}
