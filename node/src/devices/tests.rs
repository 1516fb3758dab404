use stratum::{Rejected, Totals};

use super::*;

const START: u32 = 1_800_000_000;

fn connection(name: &str, hashrate_hs: f64, last_share_age_s: Option<u64>) -> ConnectionSnapshot {
    ConnectionSnapshot {
        id: 1,
        peer: "192.0.2.1:1".parse().unwrap(),
        workers: vec![name.to_owned()],
        account: Some(Account::from(vec![1])),
        agent: String::new(),
        difficulty: None,
        coinbase_bytes: None,
        coinbase_bytes_max: None,
        submits: Totals { accepted: 5, rejected: Rejected { stale: 2, ..Rejected::default() }, ..Totals::default() },
        hashrate_hs,
        connected_s: 1_000,
        last_share_age_s,
    }
}

fn states(devices: &Devices, now: u32) -> Vec<(String, DeviceState)> {
    devices.of(&[1], now).into_iter().map(|device| (device.name, device.state)).collect()
}

#[test]
fn a_device_is_ok_low_or_silent_by_its_own_average() {
    let mut devices = Devices::default();
    // The second one hangs from the 80th minute on.
    let hangs_s = |minute: u32| Some(u64::from(60 * minute.saturating_sub(80) + 4));
    for minute in 0..90 {
        devices.look(&[connection("a", 1e12, Some(3)), connection("b", 2e12, hangs_s(minute))], START + 60 * minute);
    }
    let now = START + 60 * 90;
    devices.look(&[connection("a", 0.4e12, Some(3)), connection("b", 2e12, hangs_s(90))], now);
    assert_eq!(states(&devices, now), [("a".to_owned(), DeviceState::Low), ("b".to_owned(), DeviceState::Silent)]);
    devices.look(&[connection("a", 0.9e12, Some(3))], now + 1);
    let found = devices.of(&[1], now + 1);
    assert_eq!((found[0].state, found[1].state, found[1].connected), (DeviceState::Ok, DeviceState::Silent, false));
    assert!((found[0].mean_hs.unwrap() / 1e12 - 0.993).abs() < 0.002, "{:?}", found[0].mean_hs);
    assert_eq!(found[1].last_submit_unix_s, Some(START + 60 * 80 - 4), "still known after it is gone");
    assert_eq!(found[0].rejected, BTreeMap::from([("stale".to_owned(), 2)]));
    assert!(devices.of(&[2], now).is_empty(), "another address");
    devices.look(&[], now + 90_000);
    assert!(devices.of(&[1], now + 90_000).is_empty(), "forgotten after a day");
}

#[test]
fn connections_with_one_name_are_one_device_and_a_new_one_has_no_average() {
    let mut devices = Devices::default();
    devices.look(&[connection("a", 1e12, None), connection("a", 2e12, Some(9))], START);
    let found = devices.of(&[1], START);
    assert_eq!((found.len(), found[0].hashrate_hs, found[0].accepted_total), (1, 3e12, 10));
    assert_eq!((found[0].mean_hs, found[0].last_submit_unix_s), (None, Some(START - 9)));
    let many: Vec<_> = (0..=DEVICES_MAX).map(|number| connection(&number.to_string(), 1.0, None)).collect();
    devices.look(&many, START + 1);
    assert_eq!(devices.known.len(), DEVICES_MAX);
}

/// Looks at `connections` and returns the events that follow.
fn told(devices: &mut Devices, connections: &[ConnectionSnapshot], now: u32) -> Vec<DeviceNews> {
    devices.look(connections, now);
    devices.news(now)
}

#[test]
fn a_device_that_falls_silent_is_told_once_and_once_more_when_it_is_back() {
    let mut devices = Devices::default();
    assert_eq!(told(&mut devices, &[connection("a", 1e12, Some(1))], START), []);
    assert_eq!(told(&mut devices, &[], START + DEVICE_TOLD_S - 2), []);
    let gone = DeviceNews::Silent { name: "a".into(), seconds: DEVICE_TOLD_S + 1 };
    assert_eq!(told(&mut devices, &[], START + DEVICE_TOLD_S), [gone]);
    assert_eq!(told(&mut devices, &[], START + DEVICE_TOLD_S + 30), []);
    let back = DeviceNews::Back { name: "a".into() };
    assert_eq!(told(&mut devices, &[connection("a", 1e12, Some(3))], START + 5_000), [back]);
}

#[test]
fn a_device_that_is_connected_and_sends_nothing_is_silent() {
    let mut devices = Devices::default();
    let hangs = connection("a", 1e12, None);
    let told = told(&mut devices, &[hangs], START);
    assert!(matches!(&told[..], [DeviceNews::Silent { seconds: 1_000, .. }]), "{told:?}");
}

#[test]
fn a_low_hashrate_is_told_once_it_lasts_and_once_more_when_it_ends() {
    let mut devices = Devices::default();
    let at = |hashrate_hs| [connection("a", hashrate_hs, Some(3))];
    for minute in 0..90 {
        assert_eq!(told(&mut devices, &at(1e12), START + 60 * minute), []);
    }
    let low = START + 60 * 90;
    assert_eq!(told(&mut devices, &at(0.4e12), low), []);
    assert_eq!(told(&mut devices, &at(1e12), low + 60), [], "a short dip is not worth a message");
    assert_eq!(told(&mut devices, &at(0.4e12), low + 120), []);
    let news = told(&mut devices, &at(0.4e12), low + 120 + DEVICE_TOLD_S);
    assert!(matches!(&news[..], [DeviceNews::Low { hashrate_hs: 0.4e12, .. }]), "{news:?}");
    assert_eq!(told(&mut devices, &at(0.3e12), low + 200 + DEVICE_TOLD_S), []);
    let back = DeviceNews::Back { name: "a".into() };
    assert_eq!(told(&mut devices, &at(0.9e12), low + 300 + DEVICE_TOLD_S), [back]);
}

#[test]
fn averages_and_best_shares_survive_a_restart_and_counters_of_connections_do_not() {
    let mut devices = Devices::default();
    let mut at = connection("a", 1e12, Some(3));
    at.submits.best_difficulty = 5e9;
    for minute in 0..90 {
        devices.look(&[at.clone()], START + 60 * minute);
    }
    let now = START + 60 * 90;
    let mut restarted = Devices::default();
    restarted.restore(&devices.to_bytes());
    let found = &restarted.of(&[1], now)[0];
    assert_eq!((found.best_difficulty, found.mean_hs, found.accepted_total), (Some(5e9), Some(1e12), 0));
    assert!(!found.connected && found.last_submit_unix_s.is_some());
    at.submits.best_difficulty = 1e3;
    restarted.look(&[at], now);
    assert_eq!(restarted.all(now)[0].best_difficulty, Some(5e9), "a worse share changes nothing");
    restarted.restore(b"not JSON");
    assert_eq!(restarted.all(now).len(), 1);
}

#[test]
fn names_that_come_and_go_without_work_make_no_news_and_give_up_their_places() {
    let mut devices = Devices::default();
    let made_up = |number: usize| ConnectionSnapshot { connected_s: 1, ..connection(&format!("x{number}"), 0.0, None) };
    let many: Vec<_> = (0..DEVICES_MAX).map(made_up).collect();
    assert_eq!(told(&mut devices, &many, START), []);
    assert_eq!(told(&mut devices, &[], START + DEVICE_TOLD_S + 30), [], "they have gone");
    let own = connection("a", 1e12, Some(1));
    assert_eq!(told(&mut devices, &[own], START + DEVICE_TOLD_S + 60), []);
    assert_eq!(states(&devices, START + DEVICE_TOLD_S + 60), [("a".to_owned(), DeviceState::Ok)]);
}
