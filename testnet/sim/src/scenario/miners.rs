//! Groups of miners.

use serde::{Deserialize, Serialize};

/// Strategies that a scenario may name. What each does, and its options, is told where it is implemented.
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

/// A group of like miners.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miners {
    /// Name of the group: results are told by it.
    pub name: String,
    /// How many share its hash rate evenly; left out, one for each of its nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Hash rate of the whole group as a part of [`super::Pool::hashrate_hs`]; more than 1 is more than the pool.
    pub part: f64,
    /// The group of nodes that they mine with, in turn; left out, the first group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// One of [`STRATEGIES`]. It is their nodes that follow it, so all miners on a node have the same.
    #[serde(default = "honest")]
    pub strategy: String,
    /// Options of the strategy, by its own names.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub options: toml::Table,
    /// When they mine.
    #[serde(default, skip_serializing_if = "Hours::is_always")]
    pub hours: Hours,
}

/// When a miner mines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum Hours {
    /// All the time.
    #[default]
    Always,
    /// `on_s` seconds of every `period_s`, from `offset_s` on, as with sun or cheap power.
    Periodic {
        /// Length of a period, seconds.
        period_s: f64,
        /// Seconds of it that are mined.
        on_s: f64,
        /// When the first of them begins.
        #[serde(default)]
        offset_s: f64,
    },
    /// On and off for times drawn from exponential distributions with these means.
    Random {
        /// Mean of the times that are mined, seconds.
        on_s: f64,
        /// Mean of the times between, seconds.
        off_s: f64,
    },
    /// Once.
    Between {
        /// From when on, seconds.
        from_s: f64,
        /// Until when.
        to_s: f64,
    },
}

impl Hours {
    /// True when there is nothing to tell.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::Always
    }
}

impl Miners {
    /// Honest miners, one for each node of a group, with that part of the pool's hash rate.
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

    /// The same with another strategy.
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
