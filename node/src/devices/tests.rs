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
