//! Groups of nodes.

use serde::{Deserialize, Serialize};

use crate::transport::LineKind;

/// A group of equal nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// Name of the group. Miners and faults refer to it.
    pub name: String,
    /// Number of nodes.
    pub count: u32,
    /// The city of all nodes, one of `geography::CITIES`. By default, each node's city is drawn by where miners live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Kinds of lines, assigned to the nodes in turn.
    #[serde(default = "fibre")]
    pub lines: Vec<LineKind>,
    /// Standard deviation of the clocks, in seconds. Deviations of up to three times as much are drawn.
    #[serde(default = "clock_skew_s")]
    pub clock_skew_s: f64,
    /// Seconds for which devices keep working on an old job.
    #[serde(default = "device_switch_s")]
    pub device_switch_s: f64,
    /// Mean delay in seconds until the bitcoinds know a new block, after its way through Bitcoin's network. Values from
    /// half to one and a half times the mean are drawn.
    #[serde(default = "bitcoind_delay_s")]
    pub bitcoind_delay_s: f64,
    /// Time in seconds at which the first node joins. The others follow within `join_within_s`.
    #[serde(default)]
    pub join_at_s: f64,
    /// Seconds within which all of them join.
    #[serde(default)]
    pub join_within_s: f64,
}

impl Nodes {
    /// Creates a group of `count` usual nodes.
    #[must_use]
    pub fn usual(name: &str, count: u32) -> Self {
        Self {
            name: name.into(),
            count,
            city: None,
            lines: fibre(),
            clock_skew_s: clock_skew_s(),
            device_switch_s: device_switch_s(),
            bitcoind_delay_s: bitcoind_delay_s(),
            join_at_s: 0.0,
            join_within_s: 0.0,
        }
    }
}

fn fibre() -> Vec<LineKind> {
    vec![LineKind::Fibre]
}

/// Clocks synchronized by NTP are within tenths of a second. This is worse.
fn clock_skew_s() -> f64 {
    0.5
}

/// Usual firmware takes a few tenths of a second to a second to switch.
fn device_switch_s() -> f64 {
    0.5
}

/// A block reaches most Bitcoin nodes within a second or two. Most of that is validation.
fn bitcoind_delay_s() -> f64 {
    1.0
}
