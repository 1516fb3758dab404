//! Who attacks whom, and how.

use crate::jobs::Size;
use crate::rivals::Rules;
use crate::rivals::cases::{Case, ONE, between, pool, seconds_for};
use sim::scenario::{Miners, STRATEGIES, Scenario};
use sim::transport::LineKind;

/// Honest miners.
const HONEST: u32 = 7;

/// Seconds at the beginning of which nothing is measured.
const WARM_UP_S: f64 = 300.0;

/// Seconds at the end of which nothing is measured under the pool's rules: the 301 links for which a proof may be listed,
/// and a tenth more.
const SETTLE_S: f64 = 3_300.0;

/// Strategies that mean something under the classic rules.
const CLASSIC: [&str; 4] = ["selfish", "stubborn-lead", "stubborn-fork", "stubborn-trail"];

/// Those that the reduced study tries under the pool's rules.
const REDUCED: [&str; 5] = ["selfish", "mdp", "hoard", "censor", "lazy"];

/// What a newcomer has, as a multiple of the pool's hash rate.
const NEWCOMER_PART: f64 = 10.0;

/// Seconds for which a newcomer is watched, and those at the end that are not measured: with eleven times the hash rate
/// links come every second or two, and 301 of them within ten minutes.
const NEWCOMER_S: f64 = 900.0;
/// See [`NEWCOMER_S`].
const NEWCOMER_SETTLE_S: f64 = 900.0;

/// What a case is of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    /// An attacker.
    Attack {
        /// Its strategy.
        strategy: String,
        /// Its part of the hash rate.
        part: f64,
    },
    /// A newcomer with far more than the pool.
    Newcomer {
        /// What it does, in words.
        name: String,
    },
}

/// All cases.
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

/// The strategies that are tried. What a newcomer does is no strategy for a part of the pool, and honesty is none to try.
fn names(rules: &Rules, size: Size) -> Vec<String> {
    let all = STRATEGIES.iter().filter(|name| !["honest", "rewrite"].contains(name)).map(|name| (*name).to_owned());
    match rules {
        Rules::Classic(_) => CLASSIC.map(String::from).to_vec(),
        Rules::Shoal => size.pick(all.collect(), REDUCED.map(String::from).to_vec()),
    }
}

fn attack(rules: Rules, strategy: &str, part: f64, size: Size) -> Case<Key> {
    let measured_s = match rules {
        Rules::Shoal => f64::from(size.pick(5_400, 1_200)),
        Rules::Classic(_) => seconds_for(&rules, size.pick(60_000, 6_000)),
    };
    let settle_s = if rules == Rules::Shoal { SETTLE_S } else { 0.0 };
    let mut scenario = pool(part, HONEST, WARM_UP_S + measured_s + settle_s);
    attacker(&mut scenario, strategy, options(strategy, part));
    let when = between(WARM_UP_S, &scenario, settle_s);
    let runs = if rules == Rules::Shoal { 3 } else { size.pick(6, 4) };
    Case { key: Key::Attack { strategy: strategy.into(), part }, rules, scenario, when, runs }
}

/// The policy that was searched for is the best one for a part of the hash rate, and for ties that the others win: they
/// have heard of their own link when the attacker's comes.
fn options(strategy: &str, part: f64) -> toml::Table {
    let mdp = [("alpha".to_owned(), toml::Value::from(part)), ("gamma".to_owned(), toml::Value::from(0.0))];
    if strategy == "mdp" { toml::Table::from_iter(mdp) } else { toml::Table::new() }
}

fn attacker(scenario: &mut Scenario, strategy: &str, options: toml::Table) {
    scenario.nodes[ONE].lines = vec![LineKind::Datacenter];
    let Miners { name, part, .. } = scenario.miners[ONE].clone();
    scenario.miners[ONE] = Miners::honest(&name, &name, part).with(strategy, options);
}

/// A newcomer that rewrites the last so many links of a pool that is two hours old.
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
