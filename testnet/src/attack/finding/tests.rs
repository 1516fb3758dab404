use serde_json::json;

use super::*;
use crate::attack::catalog::Attack;

fn finding() -> Finding {
    Finding {
        name: Attack::FalseTip.name(),
        what: Attack::FalseTip.what(),
        seconds: 8.0,
        grown_bytes: 1_000_000,
        cpu_percent: 12.0,
        honest_p99_ratio: Some(1.0),
        honest_p99_ms: 40,
        rest_p99_ms: 30,
        passages: 100,
        newcomer_s: 0.2,
        no_work_s: 0.0,
        received_bytes: 1_000,
        sent_bytes: 1_000,
        up_bytes_per_s: 125,
        up_bytes_per_s_max: 1_000,
        book_entries: 0,
        third_party_packets: 0,
        relayed_bytes: 1_000,
        log_bytes: 0,
        attacker: json!({ "connections": 1 }),
        held: false,
    }
    .judged()
}

#[test]
fn each_figure_alone_can_fail() {
    assert!(finding().held, "{:?}", finding().faults());
    let worse = [
        Finding { grown_bytes: GROWN_BYTES_MAX, ..finding() },
        Finding { honest_p99_ratio: Some(2.1), ..finding() },
        Finding { honest_p99_ratio: None, ..finding() },
        Finding { newcomer_s: 5.1, ..finding() },
        Finding { no_work_s: 0.2, ..finding() },
        Finding { attacker: json!({ "connections": 1, "failure": "no links" }), ..finding() },
        Finding { name: Attack::History.name(), ..finding() },
        Finding { up_bytes_per_s: 1_001, ..finding() },
        Finding { book_entries: BOOK_ENTRIES_MAX + 1, ..finding() },
        Finding { third_party_packets: THIRD_PARTY_PACKETS_MAX + 1, ..finding() },
    ];
    for worse in worse {
        let worse = worse.judged();
        assert!(!worse.held && worse.faults().len() == 1, "{worse:?}");
        assert!(table(&[worse]).contains("FAILS"));
    }
    assert!(table(&[finding()]).contains("held"));
}

#[test]
fn short_latencies_and_few_shares_say_nothing() {
    assert_eq!(ratio(100, QUIET_MS, 1), Some(1.0));
    assert_eq!(ratio(100, 3 * QUIET_MS, 2), Some(3.0));
    assert_eq!(ratio(100, 900, 300), Some(3.0));
    assert_eq!(ratio(PASSAGES_MIN - 1, 1, 1), None);
}

#[test]
fn every_attack_has_a_name_of_its_own() {
    for attack in Attack::ALL {
        assert_eq!(attack.name().parse::<Attack>().ok(), Some(attack));
    }
    assert!("nothing".parse::<Attack>().is_err());
}
