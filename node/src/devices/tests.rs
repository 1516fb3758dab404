use stratum::{Rejected, Totals};

use super::*;
use crate::config::PowerConfig;
use crate::limits::{DEVICE_TOLD_S, DEVICES_ANSWER_BYTES_MAX, SPLIT_PARTS_MAX};

const START: u32 = 1_800_000_000;

fn connection(name: &str, hashrate_hs: f64, last_share_age_s: Option<u64>) -> ConnectionSnapshot {
    ConnectionSnapshot {
        id: name.bytes().map(u64::from).sum(),
        peer: "192.0.2.1:1".parse().unwrap(),
        workers: vec![name.to_owned()],
        account: Some(Account::from(vec![1])),
        agent: String::new(),
        protocol: stratum::Protocol::V1,
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
    // The second device hangs from the 80th minute on.
    let hangs_s = |minute: u32| Some(u64::from(60 * minute.saturating_sub(80) + 4));
    for minute in 0..90 {
        devices.look(
            &[],
            &[connection("a", 1e12, Some(3)), connection("b", 2e12, hangs_s(minute))],
            START + 60 * minute,
        );
    }
    let now = START + 60 * 90;
    devices.look(&[], &[connection("a", 0.4e12, Some(3)), connection("b", 2e12, hangs_s(90))], now);
    assert_eq!(states(&devices, now), [("a".to_owned(), DeviceState::Low), ("b".to_owned(), DeviceState::Silent)]);
    devices.look(&[], &[connection("a", 0.9e12, Some(3))], now + 1);
    let found = devices.of(&[1], now + 1);
    let [silent, ok] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (silent.state, silent.connected, ok.state),
        (DeviceState::Silent, false, DeviceState::Ok),
        "those that need attention first"
    );
    assert!((ok.mean_hs.unwrap() / 1e12 - 0.993).abs() < 0.002, "{:?}", ok.mean_hs);
    assert_eq!(silent.last_submit_unix_s, Some(START + 60 * 80 - 4), "still known after it is gone");
    assert_eq!(ok.rejected, BTreeMap::from([("stale".to_owned(), 2)]));
    assert!(devices.of(&[2], now).is_empty(), "another address");
    devices.look(&[], &[], now + 90_000);
    assert!(devices.of(&[1], now + 90_000).is_empty(), "forgotten after a day");
}

#[test]
fn connections_with_one_name_are_one_device_and_a_new_one_has_no_average() {
    let mut devices = Devices::default();
    let second = ConnectionSnapshot { id: 2, ..connection("a", 2e12, Some(9)) };
    devices.look(&[], &[connection("a", 1e12, None), second], START);
    let found = devices.of(&[1], START);
    assert_eq!((found.len(), found[0].hashrate_hs, found[0].accepted_total), (1, 3e12, 10));
    assert_eq!((found[0].mean_hs, found[0].last_submit_unix_s), (None, Some(START - 9)));
    let many: Vec<_> = (0..=DEVICES_MAX).map(|number| connection(&number.to_string(), 1.0, None)).collect();
    devices.look(&[], &many, START + 1);
    assert_eq!(devices.known.len(), DEVICES_MAX);
}

/// Looks at `connections` and returns the events that follow.
fn told(devices: &mut Devices, connections: &[ConnectionSnapshot], now: u32) -> Vec<DeviceNews> {
    devices.look(&[], connections, now);
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

/// A connection that had no submit accepted so far, and so many rejected.
fn vain(name: &str, rejected: Rejected) -> ConnectionSnapshot {
    let submits = Totals { rejected, ..Totals::default() };
    ConnectionSnapshot { submits, connected_s: 30, ..connection(name, 0.0, None) }
}

#[test]
fn a_device_whose_submits_are_all_rejected_is_told_once_with_the_reason() {
    let mut devices = Devices::default();
    let low = |low_difficulty: u64| vain("a", Rejected { low_difficulty, stale: 3, ..Rejected::default() });
    assert_eq!(told(&mut devices, &[low(40)], START), [], "a device that comes back may have a few for another pool");
    let news = DeviceNews::Rejected { name: "a".into(), count: 53, reason: "low_difficulty" };
    assert_eq!(told(&mut devices, &[low(50)], START + 60), [news]);
    assert_eq!(told(&mut devices, &[low(90)], START + 90), []);
    let accepts = |accepted: u64, rejected: u64| {
        let low = low(rejected);
        let submits = Totals { accepted, ..low.submits };
        ConnectionSnapshot { submits, last_share_age_s: Some(1), hashrate_hs: 1e12, ..low }
    };
    assert_eq!(told(&mut devices, &[accepts(1, 90)], START + 120), [DeviceNews::Back { name: "a".into() }]);
    for minute in 3..10 {
        let now = START + 60 * minute;
        let some = accepts(u64::from(minute), 90 + 20 * u64::from(minute));
        assert_eq!(told(&mut devices, &[some], now), [], "some are accepted");
    }
}

#[test]
fn what_a_connection_did_before_it_closed_counts_for_its_device() {
    let mut devices = Devices::default();
    // A device that cannot hold the coinbase is disconnected after 16 submits, within seconds, and never comes back.
    let closed = vain("a", Rejected { low_difficulty: 16, ..Rejected::default() });
    devices.look(&[closed], &[], START);
    assert_eq!(devices.news(START), []);
    let rejected = DeviceNews::Rejected { name: "a".into(), count: 16, reason: "low_difficulty" };
    assert_eq!(told(&mut devices, &[], START + 60), [rejected]);
    assert_eq!(devices.of(&[1], START + 60)[0].rejected["low_difficulty"], 16);
    // It connects again later. Until a submit is accepted, it is not back.
    let later = START + 60 + 2 * DEVICE_TOLD_S;
    assert_eq!(told(&mut devices, &[vain("a", Rejected::default())], later), []);
    // What was counted while a connection was open is not counted again.
    let open = connection("b", 1e12, Some(1));
    devices.look(&[], std::slice::from_ref(&open), START + 60);
    let more = Totals { accepted: 7, ..open.submits };
    devices.look(&[ConnectionSnapshot { submits: more, ..open }], &[], START + 90);
    let device = devices.of(&[1], START + 90).into_iter().find(|device| device.name == "b").unwrap();
    assert_eq!((device.accepted_total, device.rejected["stale"], device.connected), (7, 2, false));
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
fn averages_counts_and_best_shares_survive_a_restart() {
    let mut devices = Devices::default();
    let mut at = connection("a", 1e12, Some(3));
    at.agent = "bitaxe/BM1370".to_owned();
    (at.submits.best_difficulty, at.submits.day, at.submits.day_best_difficulty) = (5e9, START / 86_400, 4e9);
    for minute in 0..90 {
        at.submits.accepted = 5 + u64::from(minute);
        // 1 TH/s for a minute.
        at.submits.accepted_difficulty = f64::from(minute) * 60.0 * 1e12 / 4_294_967_296.0;
        devices.look(&[], &[at.clone()], START + 60 * minute);
    }
    let now = START + 60 * 89 + 30;
    let mut restarted = Devices::default();
    restarted.restore(&devices.to_bytes());
    let found = &restarted.of(&[1], now)[0];
    assert_eq!((found.best_difficulty, found.mean_hs, found.accepted_total), (Some(5e9), Some(1e12), 94));
    assert_eq!(
        (found.best_today_difficulty, &found.agent[..], &found.protocol[..]),
        (Some(4e9), "bitaxe/BM1370", "v1")
    );
    assert_eq!((restarted.best(now), restarted.best(now + 86_400)), ((Some(4e9), Some(5e9)), (None, Some(5e9))));
    for average in [found.averages.ten_minutes_hs, found.averages.hour_hs, found.averages.day_hs] {
        assert!((average.unwrap() / 1e12 - 1.0).abs() < 0.06, "{:?}", found.averages);
    }
    assert!(!found.connected && found.last_submit_unix_s.is_some());
    at.submits.best_difficulty = 1e3;
    (at.submits.accepted, at.submits.accepted_difficulty) = (2, 0.0);
    restarted.look(&[], &[at], now);
    let again = &restarted.all(now)[0];
    assert_eq!((again.best_difficulty, again.accepted_total), (Some(5e9), 96), "a worse share changes nothing");
    assert_eq!(again.rejected["stale"], 4);
    restarted.restore(b"not JSON");
    assert_eq!(restarted.all(now).len(), 1);
}

#[test]
fn names_that_come_and_go_without_work_make_no_news_and_give_up_their_places() {
    let mut devices = Devices::default();
    let made_up = |number: usize| ConnectionSnapshot { connected_s: 1, ..connection(&format!("x{number}"), 0.0, None) };
    // A device that worked, and left before the others came.
    devices.look(&[], &[connection("w", 1e12, Some(1))], START - 300);
    let many: Vec<_> = (1..DEVICES_MAX).map(made_up).collect();
    assert_eq!(told(&mut devices, &many, START), []);
    assert_eq!(told(&mut devices, &[], START + 30), [], "they have gone");
    let now = START + 90;
    let own: Vec<_> = (0..100).map(|number| connection(&format!("a{number}"), 1e12, Some(1))).collect();
    assert_eq!(told(&mut devices, &own, now), []);
    let of = |state| states(&devices, now).into_iter().filter(|(_, other)| *other == state).count();
    assert_eq!(of(DeviceState::Ok), own.len());
    // The hundred devices freed 64 places twice.
    assert_eq!(of(DeviceState::Silent), DEVICES_MAX - 2 * DEVICES_ROOM);
    assert!(states(&devices, now).iter().any(|(name, _)| name == "w"), "a device that worked goes last");
    // Connected devices are not forgotten for others, no matter how little they have worked.
    devices.look(&[], &many, now + 30);
    assert!(own.iter().all(|own| devices.known.keys().any(|(_, name)| *name == own.workers[0])));
}

#[test]
fn a_device_that_rests_is_paused_and_no_alarm_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let power = Power::load(PowerConfig::default(), folder.path());
    let mut devices = Devices { power: power.clone(), ..Devices::default() };
    let both = |age_s| [connection("a.rig1", 1e12, Some(age_s)), connection("a.rig2", 1e12, Some(3))];
    for minute in 0..70 {
        devices.look(&[], &both(3), START + 60 * minute);
    }
    assert!(devices.news(START + 60 * 70).is_empty());
    let pause = START + 60 * 70;
    power.set(format!("pause workers=rig1 until={}", pause + 7_200).parse().unwrap()).unwrap();
    for minute in 0..120 {
        let now = pause + 60 * minute;
        // The device may be connected or not. Either way, it is not missing.
        let seen = both(u64::from(60 * minute + 4));
        devices.look(&[], if minute % 2 == 0 { &seen } else { &seen[1..] }, now);
        assert_eq!(devices.news(now), [], "minute {minute}");
        assert_eq!(devices.resting(now), (1, Some(pause + 7_200)));
        let shown = &devices.of(&[1], now)[0];
        assert_eq!((shown.state, shown.paused_until_unix_s), (DeviceState::Paused, Some(pause + 7_200)));
    }
    let end = pause + 7_200;
    assert_eq!((devices.of(&[1], end)[0].state, devices.resting(end)), (DeviceState::Silent, (0, None)));
    devices.look(&[], &both(7_204), end);
    assert_eq!(devices.news(end + DEVICE_TOLD_S - 61), [], "it has time to come back");
    assert!(devices.of(&[1], end)[0].mean_hs.unwrap() > 0.99e12, "a rest does not lower its average");
    devices.look(&[], &both(7_804), end + DEVICE_TOLD_S);
    let news = devices.news(end + DEVICE_TOLD_S);
    assert!(matches!(&news[..], [DeviceNews::Silent { .. }]), "a device that sends nothing is told: {news:?}");
}

#[test]
fn devices_that_are_away_make_room_and_what_an_older_version_wrote_is_read() {
    let mut devices = Devices::default();
    let named = |from: usize, to: usize| -> Vec<_> {
        (from..to).map(|number| connection(&number.to_string(), 1.0, None)).collect()
    };
    devices.look(&[], &named(0, DEVICES_MAX), START);
    devices.look(&[], &named(1, DEVICES_MAX + 1), START + 120);
    assert_eq!(devices.known.len(), DEVICES_MAX);
    assert!(!devices.known.keys().any(|(_, name)| name == "0") && devices.all(START).len() == DEVICES_MAX);
    assert!(devices.to_bytes().len() < 10 << 20);
    let old = br#"[["01","a",{"mean_hs":1e12,"samples":90,"last_submit":1800000000,"since":1,"seen":1800000000,"best_difficulty":7.0,"low_since":null,"told":"Ok"}]]"#;
    let mut devices = Devices::default();
    devices.restore(old);
    assert_eq!(devices.all(START)[0].best_difficulty, Some(7.0));
    assert_eq!(devices.best(START), (None, Some(7.0)));
}

/// A name has no control characters, of which JSON would make six bytes each, but any others.
#[test]
fn devices_with_the_longest_names_fit_the_answer_that_commands_read() {
    let third = Some(1e308 / 3.0);
    let rejected = by_reason(&Rejected::default()).map(|(reason, _)| (reason.to_owned(), u64::MAX));
    let longest = Device {
        name: "\"".repeat(stratum::limits::USER_BYTES_MAX),
        state: DeviceState::Paused,
        paused_until_unix_s: Some(u32::MAX),
        connected: true,
        addresses: vec!["a".repeat(64); SPLIT_PARTS_MAX],
        agent: "😀".repeat(stratum::limits::AGENT_CHARS_MAX),
        protocol: stratum::Protocol::V2Standard.name().to_owned(),
        connected_s: Some(u32::MAX),
        difficulty: third,
        coinbase_bytes_max: Some(u64::MAX),
        hashrate_hs: 1e308 / 3.0,
        averages: view::Averages {
            minute_hs: third,
            ten_minutes_hs: third,
            hour_hs: third,
            day_hs: third,
            week_hs: third,
        },
        mean_hs: third,
        last_submit_unix_s: Some(u32::MAX),
        accepted_total: u64::MAX,
        rejected: rejected.into(),
        best_today_difficulty: third,
        best_difficulty: third,
    };
    let bytes = serde_json::to_vec(&longest).unwrap().len();
    assert!(DEVICES_MAX * (bytes + 1) < DEVICES_ANSWER_BYTES_MAX, "{bytes} each");
}
