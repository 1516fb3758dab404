use node_core::exchange::SyncState;

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
    // With this seed, a link is on its way after exactly an hour.
    let summary = run(&honest(10, 3_603, ""), 1).unwrap();
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

/// Nodes of which the last one joins late. Its peers are as many as the pool has.
fn with_latecomer(nodes: u32, join_at_s: u32, duration_s: u32, constants: &str) -> Scenario {
    let text = format!(
        r#"
        name = "late"
        duration_s = {duration_s}
        [pool]
        connections = {nodes}
        [constants]
        snapshot_bitcoin_depth = 0
        snapshot_burial = 4
        {constants}
        [[nodes]]
        name = "home"
        count = {nodes}
        [[nodes]]
        name = "late"
        count = 1
        join_at_s = {join_at_s}
        [[miners]]
        name = "home"
        part = 1.0
        on = "home"
        "#
    );
    Scenario::parse(&text).unwrap()
}

#[test]
fn a_node_that_joins_twenty_is_in_sync_within_a_minute() {
    let scenario = with_latecomer(20, 1_800, 1_900, "");
    let mut world = build(&scenario, 5).unwrap();
    world.run(Micros::from_secs(1_799));
    assert!(world.nodes[20].chain().is_none());
    world.run(Micros::from_secs(1_870));
    let heights: Vec<u32> = world.nodes.iter().map(|node| node.chain().unwrap().height().0).collect();
    let highest = heights.iter().max().unwrap();
    assert!(*highest > 100 && heights[20] + 2 >= *highest, "{heights:?}");
    assert!(world.nodes[20].sync() == Some(SyncState::Synced));
    world.run(Micros::from_secs(1_900));
    let summary = Summary::of(&world, &scenario, 5);
    assert!(summary.one_tip && summary.bans.is_empty(), "{}", json(&summary));
}

#[test]
fn a_node_that_joins_an_old_pool_starts_from_rows() {
    let constants = "link_interval_s = 2\nshares_per_link = 4";
    let scenario = with_latecomer(3, 7_400, 7_700, constants);
    let run = || {
        let mut world = build(&scenario, 6).unwrap();
        world.run(Micros::from_secs(7_700));
        let late = world.nodes[3].chain().unwrap();
        assert!(late.height().0 > 3_200, "{}", late.height());
        assert!(world.nodes[3].sync() == Some(SyncState::Synced));
        // It has no list of a link below its base.
        let deep = late.main_at(sharechain::Height(300)).and_then(|id| late.link(&id)).unwrap();
        assert!(deep.complete().is_some_and(|complete| complete.list.is_empty()));
        // Links come every two seconds, so some are under way.
        assert!(late.height().0 + 10 > world.nodes[0].chain().unwrap().height().0);
        let summary = Summary::of(&world, &scenario, 6);
        assert!(summary.bans.is_empty(), "{}", json(&summary));
        json(&summary)
    };
    assert_eq!(run(), run());
}
