use super::*;
use crate::sim::scenario::Scenario;

/// Ten honest nodes for twenty minutes; payouts begin after a few.
fn honest() -> Scenario {
    let text = r#"
        name = "honest"
        duration_s = 1200
        [pool]
        bitcoin_part = 0.5
        [constants]
        snapshot_bitcoin_depth = 0
        snapshot_burial = 4
        [[nodes]]
        name = "home"
        count = 10
        [[miners]]
        name = "home"
        part = 1.0
    "#;
    Scenario::parse(text).unwrap()
}

#[test]
fn ten_honest_nodes_lose_nothing_and_agree() {
    let summary = run(&honest(), 1).unwrap();
    println!("{}", serde_json::to_string_pretty(&summary).unwrap());
    assert!(summary.one_tip);
    assert_eq!(summary.bans, 0);
    assert_eq!(summary.verdicts.keys().collect::<Vec<_>>(), ["accepted"]);
    assert!(summary.ends.keys().all(|end| end == "listed" || end == "main link"), "{:?}", summary.ends);
    assert_eq!(summary.bitcoin.paid_sat, summary.bitcoin.value_sat);
    assert_eq!(summary.bitcoin.paid_nobody_sat, 0);
}
