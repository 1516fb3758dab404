//! Validation of a scenario, and its errors.

use std::collections::BTreeMap;

use super::{Fault, Hours, Miners, Nodes, STRATEGIES, Scenario, Who};
use crate::geography::{CITIES, City};
use crate::transport::NODES_MAX;

/// Longest simulation, in seconds: a year.
const DURATION_S_MAX: f64 = 365.0 * 86_400.0;

/// Largest factor of a scenario. Its inverse is the smallest.
const FACTOR_MAX: f64 = 1e6;

/// Largest hashrate, in hashes per second. Real hashing does some millions per second.
const HASHRATE_HS_MAX: f64 = 1e6;

/// Largest number of parts of a partition.
const PARTS_MAX: usize = 8;

/// Largest number of miners in a group.
const MINERS_MAX: u32 = 100_000;

/// An error of an invalid scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The text is not valid TOML, or has an unknown field or a value of the wrong type. The message names the line,
    /// the field and the allowed values.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// A field has an invalid value.
    #[error("{field}: {found} is not allowed; it must be {allowed}")]
    Value {
        /// The field, such as `miners.home.part`.
        field: String,
        /// The invalid value.
        found: String,
        /// The allowed values.
        allowed: String,
    },
}

/// A value's path: table and field.
struct Field<'a>(&'a str, &'a str);

impl Field<'_> {
    fn refuse(&self, found: impl ToString, allowed: impl Into<String>) -> ScenarioError {
        let field = format!("{}.{}", self.0, self.1);
        ScenarioError::Value {
            field: field.trim_start_matches('.').into(),
            found: found.to_string(),
            allowed: allowed.into(),
        }
    }

    fn within(&self, value: f64, low: f64, high: f64) -> Result<(), ScenarioError> {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(self.refuse(value, format!("from {low} to {high}")))
    }

    /// Checks for a finite time from zero to the longest allowed one.
    fn time(&self, value_s: f64) -> Result<(), ScenarioError> {
        self.within(value_s, 0.0, DURATION_S_MAX)
    }

    fn one_of<'s>(&self, value: &str, mut names: impl Iterator<Item = &'s str> + Clone) -> Result<(), ScenarioError> {
        if names.clone().any(|name| name == value) {
            return Ok(());
        }
        let list = names.by_ref().collect::<Vec<_>>().join(", ");
        Err(self.refuse(format!("`{value}`"), format!("one of: {list}")))
    }
}

impl Scenario {
    /// Checks what the types do not express.
    ///
    /// # Errors
    /// If a field has an invalid value.
    pub fn check(&self) -> Result<(), ScenarioError> {
        Field("", "duration_s").within(self.duration_s, 1.0, DURATION_S_MAX)?;
        Field("pool", "hashrate_hs").within(self.pool.hashrate_hs, 1e-3, HASHRATE_HS_MAX)?;
        Field("pool", "bitcoin_part").within(self.pool.bitcoin_part, 1e-9, 1.0)?;
        Field("pool", "connections").within(self.pool.connections.into(), 1.0, 64.0)?;
        if let Some(distance_ms) = self.pool.distance_ms {
            Field("pool", "distance_ms").within(distance_ms, 0.0, 60_000.0)?;
        }
        if let Some(blocks) = self.constants.window_blocks {
            Field("constants", "window_blocks").within(blocks, 1e-6, 1e6)?;
        }
        self.check_nodes()?;
        self.check_miners()?;
        self.faults.iter().enumerate().try_for_each(|(index, fault)| self.check_fault(index, fault))
    }

    fn check_nodes(&self) -> Result<(), ScenarioError> {
        let count = self.nodes.iter().map(|group| u64::from(group.count)).sum::<u64>();
        if count == 0 || usize::try_from(count).is_ok_and(|count| count > NODES_MAX) {
            return Err(Field("nodes", "count").refuse(count, format!("from 1 to {NODES_MAX} in all")));
        }
        let mut names = BTreeMap::new();
        for group in &self.nodes {
            let place = format!("nodes.{}", group.name);
            if names.insert(group.name.as_str(), ()).is_some() {
                return Err(Field(&place, "name").refuse("a second group of that name", "the only one"));
            }
            check_group(&place, group)?;
        }
        Ok(())
    }

    fn check_miners(&self) -> Result<(), ScenarioError> {
        let mut names = BTreeMap::new();
        let mut strategies = BTreeMap::new();
        for group in &self.miners {
            let place = format!("miners.{}", group.name);
            if names.insert(group.name.as_str(), ()).is_some() {
                return Err(Field(&place, "name").refuse("a second group of that name", "the only one"));
            }
            check_hours(&place, group)?;
            Field(&place, "part").within(group.part, 0.0, FACTOR_MAX)?;
            Field(&place, "strategy").one_of(&group.strategy, STRATEGIES.into_iter())?;
            if let Some(count) = group.count {
                Field(&place, "count").within(count.into(), 1.0, MINERS_MAX.into())?;
            }
            if let Some(on) = &group.on {
                Field(&place, "on").one_of(on, self.nodes.iter().map(|nodes| nodes.name.as_str()))?;
            }
            let on = self.on(group);
            let strategy = (&group.strategy, &group.options);
            if *strategies.entry(on).or_insert(strategy) != strategy {
                let allowed = format!("the same as that of the other miners on `{on}`, options included");
                return Err(Field(&place, "strategy").refuse(format!("`{}`", group.strategy), allowed));
            }
        }
        Ok(())
    }

    /// Returns the name of the group of nodes that miners use.
    #[must_use]
    pub fn on<'a>(&'a self, miners: &'a Miners) -> &'a str {
        let first = || self.nodes.first().map_or("", |nodes| nodes.name.as_str());
        miners.on.as_deref().unwrap_or_else(first)
    }

    fn check_fault(&self, index: usize, fault: &Fault) -> Result<(), ScenarioError> {
        let place = format!("faults[{index}]");
        Field(&place, "at_s").time(fault.at_s())?;
        if let Some(for_s) = fault.for_s() {
            Field(&place, "for_s").time(for_s)?;
        }
        if let Some(who) = fault.who() {
            self.check_who(&place, who)?;
        }
        match fault {
            Fault::Partition { parts, .. } => {
                if parts.is_empty() || parts.len() > PARTS_MAX || parts.iter().sum::<f64>() > 1.0 + 1e-9 {
                    let allowed = format!("1 to {PARTS_MAX} numbers whose sum is at most 1");
                    return Err(Field(&place, "parts").refuse(format!("{parts:?}"), allowed));
                }
                parts.iter().try_for_each(|part| Field(&place, "parts").within(*part, 0.0, 1.0))
            }
            Fault::Leave { within_s, .. } => Field(&place, "within_s").time(*within_s),
            Fault::Churn { per_hour, away_s, .. } => {
                Field(&place, "per_hour").within(*per_hour, 0.0, FACTOR_MAX)?;
                Field(&place, "away_s").time(*away_s)
            }
            Fault::Latency { factor, .. } | Fault::Bandwidth { factor, .. } | Fault::Hashrate { factor, .. } => {
                Field(&place, "factor").within(*factor, 1.0 / FACTOR_MAX, FACTOR_MAX)?;
                match fault {
                    Fault::Hashrate { miners: Some(name), .. } => {
                        Field(&place, "miners").one_of(name, self.miners.iter().map(|miners| miners.name.as_str()))
                    }
                    _ => Ok(()),
                }
            }
            Fault::Loss { chance, .. } => Field(&place, "chance").within(*chance, 0.0, 0.9),
            Fault::ClockStep { step_s, .. } => Field(&place, "step_s").within(*step_s, -86_400.0, 86_400.0),
            Fault::SlowDevice { switch_s: time_s, .. } => Field(&place, "switch_s").time(*time_s),
            Fault::SlowBitcoind { delay_s: time_s, .. } => Field(&place, "delay_s").time(*time_s),
            Fault::Heal { .. } | Fault::Crash { .. } | Fault::LyingBitcoind { .. } => Ok(()),
        }
    }

    fn check_who(&self, place: &str, who: &Who) -> Result<(), ScenarioError> {
        let field = Field(place, "who");
        match who {
            Who::Part(part) => field.within(*part, 0.0, 1.0),
            Who::Group(name) => field.one_of(name, self.nodes.iter().map(|nodes| nodes.name.as_str())),
            Who::Nodes(nodes) => {
                let count = self.node_count();
                match nodes.iter().find(|node| **node as usize >= count) {
                    Some(node) => Err(field.refuse(node, format!("below {count}, the number of nodes"))),
                    None => Ok(()),
                }
            }
        }
    }
}

fn check_group(place: &str, group: &Nodes) -> Result<(), ScenarioError> {
    if let Some(city) = group.city.as_deref().filter(|city| City::named(city).is_none()) {
        return Field(place, "city").one_of(city, CITIES.into_iter());
    }
    if group.lines.is_empty() {
        return Err(Field(place, "lines").refuse("[]", "one kind or several"));
    }
    Field(place, "clock_skew_s").within(group.clock_skew_s, 0.0, 3_600.0)?;
    Field(place, "device_switch_s").within(group.device_switch_s, 0.0, 3_600.0)?;
    Field(place, "bitcoind_delay_s").within(group.bitcoind_delay_s, 0.0, 86_400.0)?;
    Field(place, "join_at_s").time(group.join_at_s)?;
    Field(place, "join_within_s").time(group.join_within_s)
}

fn check_hours(place: &str, group: &Miners) -> Result<(), ScenarioError> {
    match group.hours {
        Hours::Always => Ok(()),
        Hours::Periodic { period_s, on_s, offset_s } => {
            Field(place, "hours.period_s").within(period_s, 1.0, DURATION_S_MAX)?;
            Field(place, "hours.on_s").within(on_s, 0.0, period_s)?;
            Field(place, "hours.offset_s").time(offset_s)
        }
        Hours::Random { on_s, off_s } => {
            Field(place, "hours.on_s").within(on_s, 1.0, DURATION_S_MAX)?;
            Field(place, "hours.off_s").within(off_s, 1.0, DURATION_S_MAX)
        }
        Hours::Between { from_s, to_s } => {
            Field(place, "hours.from_s").time(from_s)?;
            Field(place, "hours.to_s").within(to_s, from_s, DURATION_S_MAX)
        }
    }
}
