//! Groups of miners.

use serde::{Deserialize, Serialize};

/// Strategies that a scenario may name. Each strategy and its options are documented in its own file.
pub const STRATEGIES: [&str; 20] = [
    "honest",
    "selfish",
    "stubborn-lead",
    "stubborn-fork",
    "stubborn-trail",
    "hoard",
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
    "rewrite",
    "withhold-listed",
    "flood",
    "mdp",
];

/// A group of equal miners.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miners {
    /// Name of the group. Results are grouped by it.
    pub name: String,
    /// Number of miners, which share the group's hashrate equally. By default, one for each node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Hashrate of the whole group as a part of [`super::Pool::hashrate_hs`]. It may exceed 1.
    pub part: f64,
    /// The group of nodes that they mine with, in turn. By default, the first group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// One of [`STRATEGIES`]. The node follows the strategy, so all miners of a node have the same one.
    #[serde(default = "honest")]
    pub strategy: String,
    /// Options of the strategy.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub options: toml::Table,
    /// The miners' hours.
    #[serde(default, skip_serializing_if = "Hours::is_always")]
    pub hours: Hours,
}

/// The hours in which a miner mines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum Hours {
    /// Always.
    #[default]
    Always,
    /// `on_s` seconds of every `period_s`, from `offset_s` on, as with solar or off-peak power.
    Periodic {
        /// Length of a period, in seconds.
        period_s: f64,
        /// Seconds of mining per period.
        on_s: f64,
        /// Start of the first period, in seconds.
        #[serde(default)]
        offset_s: f64,
    },
    /// Times on and off, drawn from exponential distributions with these means.
    Random {
        /// Mean time on, in seconds.
        on_s: f64,
        /// Mean time off, in seconds.
        off_s: f64,
    },
    /// One time span.
    Between {
        /// Start, in seconds.
        from_s: f64,
        /// End, in seconds.
        to_s: f64,
    },
}

impl Hours {
    /// Returns whether the miner always mines.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::Always
    }
}

impl Miners {
    /// Creates honest miners, one for each node of a group, with the given part of the pool's hashrate.
    #[must_use]
    pub fn honest(name: &str, on: &str, part: f64) -> Self {
        Self {
            name: name.into(),
            count: None,
            part,
            on: Some(on.into()),
            strategy: honest(),
            options: toml::Table::new(),
            hours: Hours::Always,
        }
    }

    /// Returns the same miners with another strategy.
    #[must_use]
    pub fn with(mut self, strategy: &str, options: toml::Table) -> Self {
        self.strategy = strategy.into();
        self.options = options;
        self
    }
}

fn honest() -> String {
    "honest".into()
}
