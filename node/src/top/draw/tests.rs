use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::api::isolation::StateStatus;
use crate::status::tests::healthy;
use crate::top::source::{Decentralisation, Event, Point, Pool, Round};

const NOW: u32 = 1_700_000_030;

fn view() -> View {
    let status = crate::api::Status { time_unix_s: NOW, ..healthy() };
    let part = |part| Part { address: Some("tb1qaddressofsomebody".into()), script: "00".into(), part };
    let start = NOW - NOW % 60;
    View {
        status,
        pool: Pool {
            share_of_bitcoin: Some(0.00123),
            expected_block_s: Some(7_300.0),
            round: Round { effort: 0.5, probability: 0.39 },
            decentralisation: Decentralisation {
                nakamoto: 3,
                template_makers: 7,
                nodes_seen: 5,
                top: vec![part(0.25)],
            },
        },
        minutes: vec![
            Point { time_unix_s: start, hashrate_hs: 9e15 },
            Point { time_unix_s: start - 60, hashrate_hs: 4e12 },
            Point { time_unix_s: start - 180, hashrate_hs: 2e12 },
        ],
        events: vec![Event { time_unix_s: NOW - 90, sentence: "miners get work\u{1b}[2J".into() }],
        devices: Some(vec![device("rig2", DeviceState::Silent, 0.0), device("rig1", DeviceState::Ok, 1.2e12)]),
        url: Some("stratum+tcp://192.168.1.10:3333".into()),
        trouble: None,
    }
}

fn device(name: &str, state: DeviceState, hashrate_hs: f64) -> Device {
    Device {
        name: name.into(),
        state,
        paused_until_unix_s: None,
        connected: true,
        addresses: Vec::new(),
        agent: String::new(),
        protocol: "v1".into(),
        connected_s: Some(60),
        difficulty: None,
        coinbase_bytes_max: None,
        hashrate_hs,
        averages: Default::default(),
        mean_hs: Some(1.1e12),
        last_submit_unix_s: Some(NOW - 7),
        accepted_total: 5,
        rejected: [("stale".to_owned(), 2)].into(),
        best_today_difficulty: None,
        best_difficulty: Some(1e9),
    }
}

fn drawn(view: &View, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn everything_stands_in_a_usual_terminal() {
    let text = drawn(&view(), 100, 30);
    for words in [
        "0.123%",
        "2 h 1 min on average",
        "50%; 39% of rounds are shorter",
        "3 addresses have more than half",
        "tb1qaddressofs… 25.0%",
        "stratum+tcp://192.168.1.10:3333",
        "! silent       rig2                  0 H/s, mean 1.10 TH/s, last submit 7 s ago, 2 rejected",
        "ok           rig1                  1.20 TH/s, mean 1.10 TH/s, last submit 7 s ago, 2 rejected",
        "maximum 4.00 TH/s",
        "1 min 30 s ago  miners get work",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "words of others do not steer the terminal");
}

#[test]
fn what_asks_for_attention_says_so_without_color() {
    let mut view = view();
    view.status.no_work_because = Some("no peer has been reached yet".into());
    view.status.states = vec![StateStatus {
        kind: "clock".into(),
        since_unix_s: NOW - 90,
        what: "the clock is off".into(),
        todo: "set it".into(),
    }];
    view.trouble = Some("no node answers".into());
    let text = drawn(&view, 100, 30);
    assert!(text.contains("! no work") && text.contains("no peer has been reached yet"), "{text}");
    assert!(text.contains("! no node answers"), "{text}");
    assert!(text.contains("! state") && text.contains("the clock is off"), "{text}");
    (view.status.no_work_because, view.status.work) = (None, WorkName::Solo);
    let text = drawn(&view, 100, 30);
    assert!(text.contains("! solo work") && text.contains("each for its own address"), "{text}");
}

#[test]
fn many_devices_leave_room_for_the_rest_and_none_is_said() {
    let mut view = view();
    view.devices = Some((0..50).map(|number| device(&format!("rig{number}"), DeviceState::Ok, 1e12)).collect());
    let text = drawn(&view, 100, 40);
    assert!(text.contains("and 42 more") && text.contains("miners get work"), "{text}");
    let low = drawn(&view, 100, 30);
    let (shown, rest) = low.split_once("more; see the node's web pages").unwrap();
    let rest =
        (shown.rsplit_once("and ").unwrap().1.trim().parse::<usize>().unwrap(), rest.contains("miners get work"));
    assert_eq!(rest, (50 - low.matches("rig").count(), true), "{low}");
    view.devices = Some(Vec::new());
    assert!(drawn(&view, 100, 40).contains("none in the last 24 hours"));
    view.devices = None;
    assert!(drawn(&view, 100, 40).contains("api-token"));
}

#[test]
fn long_names_take_one_line_each() {
    let (mut view, address) = (view(), "tb1qchn7k8xe3jnzaj0vhdzurw209ts4ve7w96w29c");
    let long = |number: usize| {
        let name = format!("{address}.shelf-{number:02}-bitaxe-601-next-to-the-window");
        Device { addresses: vec![address.to_owned()], ..device(&name, DeviceState::Ok, 1.2e12) }
    };
    view.devices = Some((0..40).map(long).collect());
    let text = drawn(&view, 80, 40);
    for number in 0..8 {
        assert!(
            text.contains(&format!("ok           shelf-{number:02}-bitaxe-601\u{2026}  1.20 TH/s")),
            "{number}: {text}"
        );
    }
    assert!(text.contains("and 32 more") && text.contains("miners get work") && !text.contains(address), "{text}");
}

#[test]
fn a_small_terminal_is_no_error() {
    for (width, height) in [(1, 1), (20, 5), (40, 12), (390, 90)] {
        drawn(&view(), width, height);
    }
}
