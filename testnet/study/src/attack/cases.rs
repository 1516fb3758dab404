//! The attackers and their pools.

use crate::jobs::Size;
use crate::rivals::Rules;
use crate::rivals::cases::{Case, ONE, between, pool, seconds_for};
use sim::scenario::{Miners, STRATEGIES, Scenario};
use sim::transport::LineKind;

/// Number of honest miners.
const HONEST: u32 = 7;

/// Seconds at the beginning that are not measured.
const WARM_UP_S: f64 = 300.0;

/// Seconds at the end that are not measured under the pool's rules: the 301 links for which a proof can be listed, and
/// a tenth more.
const SETTLE_S: f64 = 3_300.0;

/// The same for strategies that publish all their proofs at once, as honest miners do. Links list such proofs within
/// seconds; this is time for 60 links.
const SETTLE_OPEN_S: f64 = 600.0;

/// Strategies that publish all their proofs at once.
const OPEN: [&str; 10] = [
    "censor",
    "lazy",
    "grind-tips",
    "grind-parents",
    "grind-addresses",
    "list-late",
    "stale-bitcoin",
    "pool-hop",
    "difficulty-hop",
    "surge",
];

/// Strategies that make sense under the classic rules.
const CLASSIC: [&str; 4] = ["selfish", "stubborn-lead", "stubborn-fork", "stubborn-trail"];

/// Strategies of the reduced study under the pool's rules.
const REDUCED: [&str; 3] = ["selfish", "mdp", "hoard"];

/// Hashrate of a newcomer, as a multiple of the pool's.
const NEWCOMER_PART: f64 = 10.0;

/// Seconds for which a newcomer is watched. With eleven times the hashrate, links come every second or two, and 301 of
/// them take less than ten minutes.
const NEWCOMER_S: f64 = 900.0;
/// Seconds after that, which are not measured.
const NEWCOMER_SETTLE_S: f64 = 900.0;

/// What a case measures.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    /// An attacker who is part of the pool.
    Attack {
        /// Its strategy.
        strategy: String,
        /// Its part of the hashrate, 0 to 1.
        part: f64,
    },
    /// A newcomer with far more hashrate than the pool.
    Newcomer {
        /// A description of its strategy.
        name: String,
    },
}

/// Returns all cases.
pub(super) fn cases(size: Size) -> Vec<Case<Key>> {
    let parts: &[f64] = size.pick(&[0.1, 0.2, 0.3, 0.4, 0.49], &[0.3, 0.4]);
    let mut cases = Vec::new();
    for rules in Rules::all() {
        for name in names(&rules, size) {
            cases.extend(parts.iter().map(|part| attack(rules, &name, *part, size)));
        }
    }
    let depths: &[u32] = size.pick(&[30, 120, 600], &[]);
    cases.extend(depths.iter().map(|depth| newcomer(*depth)));
    cases
}

/// Returns the strategies to try. It leaves out those of a newcomer, and honesty.
fn names(rules: &Rules, size: Size) -> Vec<String> {
    let all = STRATEGIES.iter().filter(|name| !["honest", "rewrite"].contains(name)).map(|name| (*name).to_owned());
    match rules {
        Rules::Classic(_) => CLASSIC.map(String::from).to_vec(),
        Rules::Shoal => size.pick(all.collect(), REDUCED.map(String::from).to_vec()),
    }
}

fn attack(rules: Rules, strategy: &str, part: f64, size: Size) -> Case<Key> {
    let measured_s = match rules {
        Rules::Shoal => f64::from(size.pick(3_600, 1_200)),
        Rules::Classic(_) => seconds_for(&rules, size.pick(60_000, 6_000)),
    };
    let settle_s = match rules {
        Rules::Shoal if OPEN.contains(&strategy) => SETTLE_OPEN_S,
        Rules::Shoal => SETTLE_S,
        Rules::Classic(_) => 0.0,
    };
    let mut scenario = pool(part, HONEST, WARM_UP_S + measured_s + settle_s);
    attacker(&mut scenario, strategy, options(strategy, part));
    let when = between(WARM_UP_S, &scenario, settle_s);
    let runs = if rules == Rules::Shoal { size.pick(3, 2) } else { size.pick(6, 4) };
    Case { key: Key::Attack { strategy: strategy.into(), part }, rules, scenario, when, runs }
}

/// Returns the options of a strategy. The solved policy is the best one for this part of the hashrate when the others
/// win all ties: they hear of their own link before the attacker's.
fn options(strategy: &str, part: f64) -> toml::Table {
    let mdp = [("alpha".to_owned(), toml::Value::from(part)), ("gamma".to_owned(), toml::Value::from(0.0))];
    if strategy == "mdp" { toml::Table::from_iter(mdp) } else { toml::Table::new() }
}

fn attacker(scenario: &mut Scenario, strategy: &str, options: toml::Table) {
    scenario.nodes[ONE].lines = vec![LineKind::Datacenter];
    let Miners { name, part, .. } = scenario.miners[ONE].clone();
    scenario.miners[ONE] = Miners::honest(&name, &name, part).with(strategy, options);
}

/// A newcomer that rewrites the last `depth_links` links of a pool that is two hours old.
fn newcomer(depth_links: u32) -> Case<Key> {
    let from_s = 7_200;
    let mut scenario = pool(0.5, HONEST, f64::from(from_s) + NEWCOMER_S + NEWCOMER_SETTLE_S);
    scenario.miners[ONE].part = NEWCOMER_PART;
    scenario.miners[1].part = 1.0;
    let options = toml::Table::from_iter([
        ("depth_links".to_owned(), toml::Value::from(depth_links)),
        ("from_s".to_owned(), toml::Value::from(from_s)),
    ]);
    attacker(&mut scenario, "rewrite", options);
    let when = between(WARM_UP_S, &scenario, NEWCOMER_SETTLE_S);
    let key = Key::Newcomer { name: format!("from {depth_links} links below the tip") };
    Case { key, rules: Rules::Shoal, scenario, when, runs: 2 }
}
