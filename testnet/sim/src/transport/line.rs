//! Kinds of lines.

use serde::{Deserialize, Serialize};

use crate::time::Micros;

/// A node's access line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// One-way time to the city's data centers: the last mile.
    pub base: Micros,
    /// Upload in bits per second.
    pub up_bps: f64,
    /// Download in bits per second.
    pub down_bps: f64,
    /// Probability that a packet is lost and its message is retransmitted.
    pub loss: f64,
}

/// Kinds of lines, with typical values of what providers sell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// A rented server: 1 Gbit/s both ways.
    Datacenter,
    /// Fiber at home or in a hall: 100 Mbit/s down, 40 up.
    #[default]
    Fibre,
    /// A telephone line: 16 Mbit/s down, 2 up.
    Dsl,
    /// A mobile network: 30 Mbit/s down, 8 up, with losses.
    Mobile,
    /// Any line over Tor: 5 Mbit/s both ways, 300 ms more.
    Tor,
}

impl LineKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Datacenter, Self::Fibre, Self::Dsl, Self::Mobile, Self::Tor];

    /// Returns the typical values.
    #[must_use]
    pub const fn line(self) -> Line {
        let (base_us, up_mbps, down_mbps, loss) = match self {
            Self::Datacenter => (300, 1_000.0, 1_000.0, 0.0),
            Self::Fibre => (3_000, 40.0, 100.0, 0.000_1),
            Self::Dsl => (12_000, 2.0, 16.0, 0.001),
            Self::Mobile => (25_000, 8.0, 30.0, 0.005),
            Self::Tor => (300_000, 5.0, 5.0, 0.002),
        };
        Line { base: Micros(base_us), up_bps: up_mbps * 1e6, down_bps: down_mbps * 1e6, loss }
    }
}
