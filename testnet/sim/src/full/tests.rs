use super::*;
use crate::scenario::Scenario;
use crate::time::Micros;

/// Honest nodes on home lines. Bitcoin blocks are frequent, and payouts begin after a few.
fn honest(nodes: u32, duration_s: u32, faults: &str) -> Scenario {
    let text = format!(
        r#"
        name = "honest"
        duration_s = {duration_s}
        [pool]
        bitcoin_part = 0.5
        [constants]
        snapshot_bitcoin_depth = 0
        snapshot_burial = 4
        [[nodes]]
        name = "home"
        count = {nodes}
        [[miners]]
        name = "home"
        part = 1.0
        {faults}
        "#
    );
    Scenario::parse(&text).unwrap()
}

fn json(summary: &Summary) -> String {
    serde_json::to_string_pretty(summary).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let faults = r#"
        [[faults]]
        kind = "crash"
        at_s = 60
        for_s = 30
        torn = true
        who = 0.4
    "#;
    let scenario = honest(5, 240, faults);
    let first = json(&run(&scenario, 7).unwrap());
    assert_eq!(first, json(&run(&scenario, 7).unwrap()));
    assert_ne!(first, json(&run(&scenario, 8).unwrap()));
}

#[test]
fn ten_honest_nodes_lose_nothing_and_agree() {
    let summary = run(&honest(10, 3_600, ""), 1).unwrap();
    let text = json(&summary);
    assert!(summary.one_tip, "{text}");
    assert_eq!(summary.bans.len(), 0, "{text}");
    assert_eq!(summary.verdicts.keys().collect::<Vec<_>>(), ["accepted"]);
    assert!(summary.ends.keys().all(|end| end == "listed" || end == "main link"), "{text}");
    assert_eq!(summary.bitcoin.paid_sat, summary.bitcoin.value_sat, "money is neither made nor lost");
    assert_eq!(summary.bitcoin.paid_nobody_sat, 0, "{text}");
    assert!(summary.bitcoin.active > 0 && summary.links.main > 60, "{text}");
}

#[test]
fn a_crashed_node_comes_back_to_the_tip_of_the_others() {
    let faults = r#"
        [[faults]]
        kind = "crash"
        at_s = 100
        for_s = 60
        torn = true
        who = [0, 1]
    "#;
    let scenario = honest(4, 400, faults);
    let mut world = build(&scenario, 3).unwrap();
    world.run(Micros::from_secs(120));
    assert!(world.nodes[0].chain().is_none() && world.nodes[2].chain().is_some());
    world.run(Micros::from_secs(400));
    let summary = Summary::of(&world, &scenario, 3);
    assert!(summary.one_tip, "{}", json(&summary));
    assert_eq!(summary.crashes, 2);
}
