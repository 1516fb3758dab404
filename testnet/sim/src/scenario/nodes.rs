//! Groups of nodes.

use serde::{Deserialize, Serialize};

use crate::transport::LineKind;

/// A group of like nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// Name of the group, for miners and faults to refer to.
    pub name: String,
    /// How many.
    pub count: u32,
    /// A city of `geography::CITIES` where all of them are; left out, each is in one drawn by where miners live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Kinds of lines, of which each node has one, in turn.
    #[serde(default = "fibre")]
    pub lines: Vec<LineKind>,
    /// Standard deviation of their clocks, seconds; drawn up to three times as much.
    #[serde(default = "clock_skew_s")]
    pub clock_skew_s: f64,
    /// Seconds for which devices keep working on an old job after a new one came.
    #[serde(default = "device_switch_s")]
    pub device_switch_s: f64,
    /// Seconds after which their bitcoinds know a new block, on average, on top of its way through Bitcoin's network;
    /// drawn from half to one and a half times that.
    #[serde(default = "bitcoind_delay_s")]
    pub bitcoind_delay_s: f64,
    /// When they join, seconds; one after the other within `join_within_s`.
    #[serde(default)]
    pub join_at_s: f64,
    /// Seconds within which all of them join.
    #[serde(default)]
    pub join_within_s: f64,
}

impl Nodes {
    /// So many usual nodes.
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

/// Clocks that are kept by NTP are within tenths of a second; this is worse.
fn clock_skew_s() -> f64 {
    0.5
}

/// Usual firmware takes a few tenths of a second to a second for new work.
fn device_switch_s() -> f64 {
    0.5
}

/// A block reaches most of Bitcoin's nodes within a second or two, most of which is validation.
fn bitcoind_delay_s() -> f64 {
    1.0
}
