//! The files for operators and the metrics use the same names. Each alert explains itself and has a test.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const METRICS: &str = include_str!("../../src/api/metrics.rs");
const README: &str = include_str!("../../ops/README.md");
const ALERTS: &str = include_str!("../../ops/alerts.yml");
const ALERTS_TEST: &str = include_str!("../../ops/alerts_test.yml");
const DASHBOARD: &str = include_str!("../../ops/grafana.json");

/// Words of a text that begin like the names of our metrics.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("shoal_") || word.starts_with("process_")).collect()
}

/// Names in the first column of the metrics table.
fn documented() -> BTreeSet<&'static str> {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `"));
    let firsts = rows.filter_map(|row| row.split_once('`')).map(|(name, _)| name);
    firsts.filter(|name| names(name).contains(name)).collect()
}

#[test]
fn every_metric_is_documented_and_every_documented_one_exists() {
    // The names in the program, without the unit and without OpenMetrics' suffix of counters.
    let made = names(METRICS);
    let documented = documented();
    assert!(documented.len() > 20, "{documented:?}");
    for name in &documented {
        let base = ["_total", "_info", "_seconds", "_bytes", "_hashes_per_second"].iter().find_map(|end| {
            let base = name.strip_suffix(end)?;
            made.contains(base).then_some(base)
        });
        assert!(base.is_some() || made.contains(name), "{name} is in node/ops/README.md and in no answer");
    }
    for name in made.iter().filter(|name| METRICS.contains(&format!("\"{name}\""))) {
        let is_documented = documented.iter().any(|known| known.starts_with(name));
        assert!(is_documented, "{name} is missing in the table of node/ops/README.md");
    }
}

#[test]
fn every_reason_for_the_end_of_a_miners_connection_is_explained() {
    let (_, reasons) = README.split_once("Reasons for the end of a miner's connection: ").unwrap();
    let (reasons, _) = reasons.split_once(". The log").unwrap();
    let explained: BTreeSet<&str> = reasons.split('`').skip(1).step_by(2).collect();
    let shown = stratum::Stats::default().snapshot().connections_closed;
    assert_eq!(explained, shown.into_keys().collect());
}

#[test]
fn alerts_and_dashboard_ask_for_metrics_that_exist() {
    let documented = documented();
    for (file, text) in [("alerts.yml", ALERTS), ("alerts_test.yml", ALERTS_TEST), ("grafana.json", DASHBOARD)] {
        let used = names(text);
        assert!(used.len() > 10, "{file} asks for {used:?}");
        let unknown: Vec<_> = used.difference(&documented).collect();
        assert_eq!(unknown, Vec::<&&str>::new(), "in {file}");
    }
}

#[test]
fn every_alert_says_what_it_means_and_is_tried() {
    let alerts: BTreeMap<&str, &str> =
        ALERTS.split("- alert: ").skip(1).filter_map(|alert| alert.split_once('\n')).collect();
    assert!(alerts.len() >= 20, "{:?}", alerts.keys());
    for (name, rest) in alerts {
        for part in ["expr:", "for:", "summary:", "description:"] {
            assert!(rest.contains(part), "{name} has no {part}");
        }
        let severities = ["critical", "warning", "info"].map(|severity| format!("labels: {{severity: {severity}}}"));
        assert!(severities.iter().any(|severity| rest.contains(severity)), "{name} has no severity");
        assert!(ALERTS_TEST.contains(&format!("alertname=\"{name}\"")), "{name} is not tried in alerts_test.yml");
    }
}

#[test]
fn the_dashboard_has_units_and_room_for_each_panel() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "two panels have the same id");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let title = &panel["title"];
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(x + w <= 24, "{title} is too wide");
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (column, row))) {
            assert!(taken.insert(cell), "{title} lies on another panel");
        }
        if matches!(panel["type"].as_str(), Some("timeseries" | "stat")) {
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
            assert!(panel["description"].is_string(), "{title} says nothing of itself");
        }
    }
}
