use super::words::{count, duration, hashrate, memory};
use super::*;
use crate::api::isolation::{StateStatus, WorkName};
use crate::api::mining::BestShare;
use crate::api::reach::{Reachable, Way};
use crate::api::status::{BitcoinStatus, Hashrate, ShareCounts, SyncStateName, SyncStatus};
use crate::api::upgrade::{Upgrade, UpgradeStateName};

pub(crate) fn healthy() -> Status {
    Status {
        source: crate::api::status::Source::Node,
        public: false,
        version: "0.1.0".into(),
        network: "local".into(),
        pool: String::new(),
        outputs_max: 48,
        consensus_id: "ab".repeat(32),
        time_unix_s: 1_800_000_000,
        uptime_s: 200,
        rss_bytes: Some(61_000_000),
        tip: "cd".repeat(32),
        height: 1_234,
        link_interval_s: 1,
        tip_age_s: Some(2),
        settled_height: 870,
        settled_link: None,
        trust: None,
        conflict: None,
        upgrades: Vec::new(),
        sync: SyncStatus {
            state: SyncStateName::Synced,
            peers_height: Some(1_234),
            progress: Some(1.0),
            received_bytes: 0,
            rate_bytes_s: None,
            left_s: None,
        },
        handing_out_work: true,
        work: WorkName::Pool,
        solo_because: None,
        states: Vec::new(),
        mining: Vec::new(),
        no_work_because: None,
        bitcoin: BitcoinStatus { height: Some(101), tip: None, header_height: 101, trouble: None },
        archive_trouble: None,
        peers: 4,
        reachable: Reachable {
            how: Way::DialedBack,
            words: "directly: peers in 3 networks connected when asked".into(),
            reached_from: 3,
            ..Reachable::default()
        },
        miners_connected: 2,
        stratum_v2_key: None,
        fee: None,
        resting: None,
        hashrate: Hashrate { local_hs: 160_000.0, pool_hs: Some(412_000.0) },
        best_share: BestShare { today_difficulty: None, ever_difficulty: None },
        shares: ShareCounts { found_total: 3_000, pending: 5, held: 0, refused_total: 1 },
    }
}

#[test]
fn a_healthy_node_needs_no_attention() {
    let table = table::render(&healthy(), false);
    let expected = [
        "  node          shoal 0.1.0, up 3 min 20 s, 61 MB of memory",
        "  network       local, share-chain abababababababab…",
        "  work          handing out jobs; 2 miners connected",
        "  share-chain   link 1,234, 2 s ago; settled up to 870",
        "  sync          in sync; 4 peers connected",
        "  reachable     directly: peers in 3 networks connected when asked",
        "  bitcoind      block 101",
        "  hashrate      160 kH/s here; pool: about 412 kH/s",
        "  shares        3,000 found here; 5 pending, 0 held, 1 rejected",
    ];
    assert_eq!(table.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_settled_link_can_be_copied_and_the_trusted_one_is_shown() {
    let status = Status { settled_link: Some("ef".repeat(32)), trust: Some("01".repeat(32)), ..healthy() };
    let table = table::render(&status, false);
    assert!(table.contains(&format!("  settled link  {}", "ef".repeat(32))), "{table}");
    assert!(table.contains(&format!("  trust         {}", "01".repeat(32))), "{table}");
}

#[test]
fn an_upgrade_that_this_program_does_not_know_is_an_alarm_once_it_is_locked_in() {
    let mut status = healthy();
    let counting = Upgrade {
        bit: 3,
        known: false,
        state: UpgradeStateName::Counting,
        signalled: Some(0.4),
        good_periods: Some(0),
        locked_in_height: None,
        active_from_height: None,
    };
    status.upgrades = vec![counting.clone()];
    assert!(!table::render(&status, false).contains("ALARM"));
    let alarm = |what: &str| {
        format!(
            "! ALARM         an upgrade of the pool's rules (bit 3) {what}, and this version does not know it; install a \
             newer one"
        )
    };
    let locked_in =
        Upgrade { state: UpgradeStateName::LockedIn, signalled: None, locked_in_height: Some(1_200), ..counting };
    status.upgrades = vec![locked_in.clone()];
    assert_eq!(table::render(&status, false).lines().next(), Some(&*alarm("is locked in")));
    let active = Upgrade { state: UpgradeStateName::Active, active_from_height: Some(1_230), ..locked_in };
    status.upgrades = vec![active];
    assert_eq!(table::render(&status, false).lines().next(), Some(&*alarm("is active from link 1,230")));
}

#[test]
fn trouble_is_marked_without_color_too() {
    let mut status = healthy();
    status.conflict = Some("ef".repeat(32));
    status.no_work_because = Some("bitcoind syncs".into());
    status.bitcoin.trouble = Some("it cannot be reached \u{1b}[2J".into());
    status.archive_trouble = Some("the archive's database does not let this user in".into());
    status.sync = SyncStatus {
        state: SyncStateName::Shares,
        peers_height: Some(2_000),
        progress: Some(0.617),
        received_bytes: 9,
        rate_bytes_s: Some(2_000_000.0),
        left_s: Some(75),
    };
    let table = table::render(&status, false);
    let marked: Vec<&str> = table.lines().filter(|line| line.starts_with('!')).collect();
    assert_eq!(marked.len(), 5, "{table}");
    assert!(marked[0].contains("ALARM"));
    assert!(table.contains("none: bitcoind syncs; 2 miners connected"));
    assert!(marked[4].contains("archive") && marked[4].contains("does not let this user in"), "{table}");
    assert!(table.contains("downloading shares, link 1,234 of 2,000 (61%)"));
    assert!(!table.contains('\u{1b}'), "words of others reach the terminal");
}

#[test]
fn color_changes_no_word() {
    let colored = table::render(&healthy(), true);
    let plain = ["\u{1b}[1m", "\u{1b}[34m", "\u{1b}[1;33m", "\u{1b}[0m"]
        .iter()
        .fold(colored.clone(), |text, code| text.replace(code, ""));
    assert_ne!(colored, plain);
    assert_eq!(plain, table::render(&healthy(), false));
}

#[test]
fn numbers_are_said_in_words() {
    assert_eq!(
        [0, 59, 60, 61, 7_500, 360_000].map(duration),
        ["0 s", "59 s", "1 min", "1 min 1 s", "2 h 5 min", "4 d 4 h"]
    );
    assert_eq!(
        [0.0, 999.4, 999.6, 412_000.0, 1.2e12, 99_960.0, 5e20].map(hashrate),
        ["0 H/s", "999 H/s", "1.00 kH/s", "412 kH/s", "1.20 TH/s", "100 kH/s", "500 EH/s"]
    );
    assert_eq!([0_u64, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!(memory(60_000_001), "61 MB");
}

#[test]
fn an_api_on_all_addresses_is_asked_on_the_loopback_one() {
    assert_eq!(reachable("0.0.0.0:3380".parse().unwrap()), "127.0.0.1:3380".parse().unwrap());
    assert_eq!(reachable("[::]:3380".parse().unwrap()), "[::1]:3380".parse().unwrap());
    assert_eq!(reachable("192.0.2.7:1".parse().unwrap()), "192.0.2.7:1".parse().unwrap());
}

#[tokio::test]
async fn no_node_is_one_sentence() {
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fetch(&client(address).unwrap(), address, "status").await.unwrap_err();
    assert!(error.to_string().contains("`shoal run`"), "{error}");
    assert!(matches!(error, StatusError::Unreachable { .. }));
}

#[test]
fn states_and_solo_work_come_first_with_what_to_do() {
    let state = |kind: &str, what: &str| StateStatus {
        kind: kind.into(),
        since_unix_s: 1_800_000_000 - 90,
        what: what.into(),
        todo: "do this".into(),
    };
    let status = Status {
        work: WorkName::Solo,
        solo_because: Some("no peer for 300 s".into()),
        states: vec![state("no_peers", "no peer is connected"), state("clock", "the clock is off")],
        ..healthy()
    };
    let table = table::render(&status, false);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "! state         for 1 min 30 s: no peer is connected; do this");
    assert_eq!(lines[1], "! state         for 1 min 30 s: the clock is off; do this");
    let work = "! work          solo, each miner for its own address: no peer for 300 s; 2 miners connected";
    assert!(lines.contains(&work), "{table}");
}
