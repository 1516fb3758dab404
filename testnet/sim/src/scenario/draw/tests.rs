use super::lives::{self, Down};
use super::*;
use crate::faults::{Action, NodeFault};
use crate::ids::MinerId;
use crate::scenario::{Hours, Scenario};

const SECOND: Micros = Micros::from_secs(1);

/// Ten nodes with one miner each, for an hour, plus these lines of TOML.
fn scenario(top: &str, faults: &str) -> Scenario {
    let text = format!(
        r#"name = "test"
        duration_s = 3600
        nodes = [{{ name = "home", count = 6 }}, {{ name = "hall", count = 4, city = "tokyo", lines = ["datacenter"] }}]
        {top}
        {faults}"#
    );
    Scenario::parse(&text).unwrap()
}

const MINERS: &str =
    r#"miners = [{ name = "home", part = 0.6 }, { name = "hall", on = "hall", part = 0.4, count = 8 }]"#;

fn with_faults(faults: &str) -> Drawn {
    scenario(MINERS, faults).draw(1)
}

fn at(drawn: &Drawn, is: impl Fn(&Action) -> bool) -> Vec<u64> {
    drawn.plan.actions().iter().filter(|(_, action)| is(action)).map(|(at, _)| at.whole_secs()).collect()
}

#[test]
fn the_seed_decides_places_and_nothing_else_moves_them() {
    let drawn = with_faults("");
    assert_eq!(drawn, with_faults(""));
    assert_ne!(drawn.nodes, scenario(MINERS, "").draw(2).nodes);
    assert_eq!(drawn.nodes.len(), 10);
    assert!(drawn.nodes[6..].iter().all(|node| node.city.name() == "tokyo" && node.line == LineKind::Datacenter));
    let faulty = with_faults("[[faults]]\nkind = \"latency\"\nat_s = 1\nfor_s = 1\nfactor = 2");
    assert_eq!(faulty.nodes, drawn.nodes);
    assert_eq!(faulty.topology, drawn.topology);
}

#[test]
fn miners_share_the_parts_of_their_groups() {
    let drawn = with_faults("");
    let rate =
        |group| drawn.miners.iter().filter(|miner| miner.group == group).map(|miner| miner.hashrate_hs).sum::<f64>();
    assert!((rate(0) - 76.8).abs() < 1e-9 && (rate(1) - 51.2).abs() < 1e-9);
    assert_eq!(drawn.miners.len(), 6 + 8);
    assert_eq!(drawn.miners[6].node, drawn.miners[10].node, "eight miners on four nodes, in turn");
    assert_eq!(drawn.nodes[0].miners, Some(0));
    assert_eq!(drawn.nodes[9].miners, Some(1));
}

#[test]
fn everyone_starts_at_first() {
    let drawn = with_faults("");
    assert_eq!(at(&drawn, |action| matches!(action, Action::Start(_))), [0; 10]);
    assert_eq!(drawn.plan.actions().len(), 10);
}

#[test]
fn times_down_that_overlap_are_one() {
    let down = |from, until, torn| Down { from: Micros::from_secs(from), until: Micros::from_secs(until), torn };
    let node = NodeId(3);
    let downs = vec![down(10, 20, false), down(15, 30, true), down(40, 50, true)];
    let expected = [
        (0, Action::Start(node)),
        (10, Action::Crash(node)),
        (30, Action::Start(node)),
        (40, Action::Node(node, NodeFault::TornWrites)),
        (40, Action::Crash(node)),
        (50, Action::Start(node)),
    ];
    assert_eq!(lives::actions(node, Micros::ZERO, downs), expected.map(|(at, action)| (Micros::from_secs(at), action)));
    let gone = vec![Down { from: SECOND, until: Micros::NEVER, torn: false }];
    assert_eq!(lives::actions(node, Micros::ZERO, gone.clone()).len(), 2);
    assert_eq!(lives::actions(node, SECOND + SECOND, gone), [], "it never joins");
}

#[test]
fn partitions_have_parts_and_end() {
    let drawn = with_faults(
        r#"[[faults]]
        kind = "partition"
        at_s = 100
        for_s = 100
        parts = [0.3, 0.7]
        [[faults]]
        kind = "partition"
        at_s = 300
        parts = [0.5]
        [[faults]]
        kind = "partition"
        at_s = 500
        parts = [0.2, 0.2]
        [[faults]]
        kind = "heal"
        at_s = 600"#,
    );
    let groups: Vec<_> = drawn
        .plan
        .actions()
        .iter()
        .filter_map(|(at, action)| match action {
            Action::Groups(groups) => Some((at.whole_secs(), groups.clone())),
            _ => None,
        })
        .collect();
    let times: Vec<_> = groups.iter().map(|(at, _)| *at).collect();
    // A partition into one part has no effect.
    assert_eq!(times, [100, 200, 500, 600]);
    assert_eq!(groups[0].1.iter().filter(|group| **group == 0).count(), 3);
    assert_eq!(groups[1].1, vec![0; 10]);
    assert_eq!(groups[2].1.iter().filter(|group| **group == 0).count(), 2);
}

#[test]
fn faults_that_overlap_add_up_and_end() {
    let drawn = with_faults(
        r#"[[faults]]
        kind = "bandwidth"
        at_s = 100
        for_s = 300
        factor = 0.5
        who = [7]
        [[faults]]
        kind = "bandwidth"
        at_s = 200
        for_s = 100
        factor = 0.1
        who = "hall"
        [[faults]]
        kind = "latency"
        at_s = 50
        for_s = 10
        factor = 4
        [[faults]]
        kind = "slow-bitcoind"
        at_s = 70
        for_s = 10
        delay_s = 30
        who = [7]"#,
    );
    let lines = drawn.plan.actions().iter().filter_map(|(at, action)| match action {
        Action::Line(NodeId(7), line) => Some((at.whole_secs(), (line.up_bps / 1e6).round())),
        _ => None,
    });
    assert_eq!(lines.collect::<Vec<_>>(), [(100, 500.0), (200, 50.0), (300, 500.0), (400, 1_000.0)]);
    assert_eq!(at(&drawn, |action| matches!(action, Action::Line(NodeId(8), _))), [200, 300]);
    assert_eq!(at(&drawn, |action| matches!(action, Action::Line(NodeId(0), _))), [0; 0]);
    assert_eq!(at(&drawn, |action| *action == Action::Stretch(4.0)), [50]);
    assert_eq!(at(&drawn, |action| *action == Action::Stretch(1.0)), [60]);
    let late = NodeFault::BitcoindDelay(Micros::from_secs(30));
    assert_eq!(at(&drawn, |action| *action == Action::Node(NodeId(7), late)), [70]);
    let usual = NodeFault::BitcoindDelay(drawn.nodes[7].bitcoind_delay);
    assert_eq!(at(&drawn, |action| *action == Action::Node(NodeId(7), usual)), [80]);
}

#[test]
fn hash_rates_follow_hours_and_faults() {
    let miners = r#"miners = [{ name = "sun", part = 1, hours = { kind = "periodic", period_s = 1000, on_s = 250, offset_s = 900 } }]"#;
    let faults = "[[faults]]\nkind = \"hashrate\"\nat_s = 1000\nfor_s = 100\nfactor = 1000\nminers = \"sun\"";
    let drawn = scenario(miners, faults).draw(1);
    let rates = drawn.plan.actions().iter().filter_map(|(at, action)| match action {
        Action::Hashrate(MinerId(0), rate) => Some((at.whole_secs(), (rate / drawn.miners[0].hashrate_hs).round())),
        _ => None,
    });
    let expected =
        [(150, 0.0), (900, 1.0), (1000, 1000.0), (1100, 1.0), (1150, 0.0), (1900, 1.0), (2150, 0.0), (2900, 1.0)];
    let rates: Vec<_> = rates.collect();
    assert_eq!(rates[..8], expected);
}

#[test]
fn random_hours_are_on_for_their_part() {
    let hours = Hours::Random { on_s: 60.0, off_s: 180.0 };
    let mut on_s = 0.0;
    for index in 0..50 {
        let turns = hours::turns(hours, 36_000.0, &mut stream(1, "hours", index));
        assert!(turns.is_sorted());
        on_s += turns.chunks(2).map(|turn| turn.get(1).copied().unwrap_or(36_000.0) - turn[0]).sum::<f64>();
    }
    let part = on_s / 50.0 / 36_000.0;
    assert!((part - 0.25).abs() < 0.02, "{part}");
}

#[test]
fn churn_comes_as_often_as_it_says() {
    let churn = "[[faults]]\nkind = \"churn\"\nat_s = 0\nfor_s = 3600\nper_hour = 200\naway_s = 5\nwho = \"home\"";
    let drawn = with_faults(churn);
    let crashes = at(&drawn, |action| matches!(action, Action::Crash(_)));
    assert!((140..240).contains(&crashes.len()), "{}", crashes.len());
    assert!(at(&drawn, |action| matches!(action, Action::Crash(node) if node.index() > 5)).is_empty());
}
