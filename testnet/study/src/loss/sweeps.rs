//! The parameters and their values.

use super::LARGE;
use crate::jobs::Size;
use crate::rivals::Rules;
use crate::rivals::cases::{Case, between, pool, seconds_for, spread_evenly};
use sim::scenario::Scenario;

/// Number of miners besides the large one.
const OTHERS: u32 = 7;

/// Seconds at the beginning that are not measured: nodes connect, and the first links are found.
const WARM_UP_S: f64 = 120.0;

/// Link intervals at the end that are not measured. Honest proofs are listed within a few.
const SETTLE_LINKS: f64 = 30.0;

/// What a case measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    /// A point of a sweep.
    Line(Sweep, f64),
    /// Nodes in cities, with default settings.
    Cities,
    /// Other protocol constants.
    Constants {
        /// Seconds between links.
        interval_s: f64,
        /// Shares between links.
        shares: f64,
        /// One-way seconds between nodes. `None` for cities.
        latency_s: Option<f64>,
    },
}

/// The parameter of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sweep {
    /// One-way time between any two nodes.
    Latency,
    /// Switch time of devices.
    Switch,
}

impl Sweep {
    pub(super) const LINES: [Self; 2] = [Self::Latency, Self::Switch];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Latency => "one-way latency, s",
            Self::Switch => "device switch time, s",
        }
    }

    fn values(self, size: Size) -> &'static [f64] {
        match self {
            Self::Latency => size.pick(&[0.05, 0.1, 0.2, 0.5, 1.0, 2.0], &[0.1, 1.0]),
            Self::Switch => size.pick(&[0.1, 0.2, 0.5, 1.0, 2.0, 5.0], &[0.5, 5.0]),
        }
    }

    fn apply(self, value: f64, scenario: &mut Scenario) {
        match self {
            Self::Latency => {
                spread_evenly(scenario, value);
                set_switch(scenario, 0.1);
            }
            Self::Switch => set_switch(scenario, value),
        }
    }
}

fn set_switch(scenario: &mut Scenario, seconds: f64) {
    for nodes in &mut scenario.nodes {
        nodes.device_switch_s = seconds;
    }
}

/// Returns all cases.
pub(super) fn cases(size: Size) -> Vec<Case<Key>> {
    let mut cases = Vec::new();
    for sweep in Sweep::LINES {
        for value in sweep.values(size) {
            for rules in Rules::all() {
                let mut scenario = usual(&rules, size);
                sweep.apply(*value, &mut scenario);
                cases.push(case(Key::Line(sweep, *value), rules, scenario));
            }
        }
    }
    cases.extend(Rules::all().into_iter().map(|rules| case(Key::Cities, rules, usual(&rules, size))));
    let intervals: &[u32] = size.pick(&[1, 3, 10, 30], &[1, 10]);
    let shares: &[u32] = size.pick(&[1, 8, 32, 128], &[32]);
    let latencies: &[Option<f64>] = size.pick(&[None, Some(1.0)], &[Some(1.0)]);
    for (interval_s, shares) in
        intervals.iter().flat_map(|interval| shares.iter().map(move |shares| (*interval, *shares)))
    {
        for latency_s in latencies {
            cases.push(constants(interval_s, shares, *latency_s, size));
        }
    }
    cases
}

fn usual(rules: &Rules, size: Size) -> Scenario {
    let shares = match rules {
        Rules::Shoal => size.pick(20_000, 2_000),
        Rules::Classic(_) => size.pick(40_000, 4_000),
    };
    pool(LARGE, OTHERS, seconds_for(rules, shares))
}

fn case(key: Key, rules: Rules, scenario: Scenario) -> Case<Key> {
    let when = between(WARM_UP_S, &scenario, SETTLE_LINKS * 10.0);
    Case { key, rules, scenario, when, runs: 4 }
}

/// Returns a case of Shoal with other constants. The hashrate is such that a share takes as many hashes as usual.
fn constants(interval_s: u32, shares: u32, latency_s: Option<f64>, size: Size) -> Case<Key> {
    let links = f64::from(size.pick(400, 120));
    let mut scenario = pool(LARGE, OTHERS, (links + SETTLE_LINKS) * f64::from(interval_s) + 2.0 * WARM_UP_S);
    scenario.constants.link_interval_s = Some(interval_s);
    scenario.constants.shares_per_link = Some(shares);
    scenario.pool.hashrate_hs = 40.0 * f64::from(shares) / f64::from(interval_s);
    if let Some(latency_s) = latency_s {
        spread_evenly(&mut scenario, latency_s);
    }
    let when = between(WARM_UP_S, &scenario, SETTLE_LINKS * f64::from(interval_s) + WARM_UP_S);
    let key = Key::Constants { interval_s: f64::from(interval_s), shares: f64::from(shares), latency_s };
    Case { key, rules: Rules::Shoal, scenario, when, runs: size.pick(2, 3) }
}
