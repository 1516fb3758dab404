//! Faults of a scenario.

use serde::{Deserialize, Serialize};

/// A fault and its time. Its TOML table also has the fields of its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum Fault {
    /// Nodes, in random order, are cut into parts that hear nothing of each other.
    Partition {
        /// Start, in seconds.
        at_s: f64,
        /// Duration in seconds. By default, until a `heal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
        /// Sizes of the parts, as parts of all nodes: `[0.3, 0.7]`. The last one includes the rest.
        parts: Vec<f64>,
    },
    /// Ends all partitions.
    Heal {
        /// Time, in seconds.
        at_s: f64,
    },
    /// Nodes crash and restart.
    Crash {
        /// Time, in seconds.
        at_s: f64,
        /// Time until the restart, in seconds.
        for_s: f64,
        /// The nodes that crash.
        who: Who,
        /// Whether unsynced data on the disk is torn.
        #[serde(default)]
        torn: bool,
    },
    /// Nodes leave for good, one after the other.
    Leave {
        /// Start, in seconds.
        at_s: f64,
        /// Seconds within which all of them leave.
        #[serde(default)]
        within_s: f64,
        /// The nodes that leave.
        who: Who,
    },
    /// Nodes keep leaving and rejoining.
    Churn {
        /// Start, in seconds.
        at_s: f64,
        /// Duration, in seconds.
        for_s: f64,
        /// Departures per hour among these nodes.
        per_hour: f64,
        /// Mean time away, in seconds.
        away_s: f64,
        /// The nodes concerned.
        who: Who,
    },
    /// All travel times grow.
    Latency {
        /// Start, in seconds.
        at_s: f64,
        /// Duration, in seconds.
        for_s: f64,
        /// Factor of all travel times.
        factor: f64,
    },
    /// The bandwidth of lines changes.
    Bandwidth {
        /// Start, in seconds.
        at_s: f64,
        /// Duration, in seconds.
        for_s: f64,
        /// Factor of the bandwidth.
        factor: f64,
        /// The nodes concerned.
        who: Who,
    },
    /// Packets are lost.
    Loss {
        /// Start, in seconds.
        at_s: f64,
        /// Duration, in seconds.
        for_s: f64,
        /// Probability that a packet is lost.
        chance: f64,
        /// The nodes concerned.
        who: Who,
    },
    /// Clocks jump and stay wrong.
    ClockStep {
        /// Time, in seconds.
        at_s: f64,
        /// Seconds by which they jump, backward if negative.
        step_s: f64,
        /// The nodes concerned.
        who: Who,
    },
    /// Devices switch to new work slowly.
    SlowDevice {
        /// Start, in seconds.
        at_s: f64,
        /// Duration, in seconds.
        for_s: f64,
        /// Seconds that a switch takes.
        switch_s: f64,
        /// The nodes concerned.
        who: Who,
    },
    /// Bitcoinds hear of blocks late.
    SlowBitcoind {
        /// Start, in seconds.
        at_s: f64,
        /// Duration, in seconds.
        for_s: f64,
        /// Extra delay in seconds.
        delay_s: f64,
        /// The nodes concerned.
        who: Who,
    },
    /// Bitcoinds make false claims.
    LyingBitcoind {
        /// Start, in seconds.
        at_s: f64,
        /// Duration, in seconds.
        for_s: f64,
        /// The false claim.
        claim: Claim,
        /// The nodes concerned.
        who: Who,
    },
    /// Hashrate grows or falls.
    Hashrate {
        /// Start, in seconds.
        at_s: f64,
        /// Duration in seconds. By default, for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
        /// Factor of the hashrate, such as 1000 or 0.001.
        factor: f64,
        /// The group of miners. By default, all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        miners: Option<String>,
    },
}

/// The nodes that a fault hits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Who {
    /// A part of all nodes, at least one, drawn at random: `0.3`.
    Part(f64),
    /// A group of nodes: `"home"`.
    Group(String),
    /// Nodes by index, in the order of groups: `[0, 3]`.
    Nodes(Vec<u32>),
}

/// The claim of a faulty bitcoind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Its tip does not exist, and has less work than Bitcoin's.
    MadeUpTip,
    /// Its tip is a block with valid proof of work and an invalid body.
    InvalidBlock,
    /// It stays at its present block.
    StaysBehind,
}

impl Fault {
    /// Returns the start, in seconds.
    #[must_use]
    pub const fn at_s(&self) -> f64 {
        match self {
            Self::Partition { at_s, .. }
            | Self::Heal { at_s }
            | Self::Crash { at_s, .. }
            | Self::Leave { at_s, .. }
            | Self::Churn { at_s, .. }
            | Self::Latency { at_s, .. }
            | Self::Bandwidth { at_s, .. }
            | Self::Loss { at_s, .. }
            | Self::ClockStep { at_s, .. }
            | Self::SlowDevice { at_s, .. }
            | Self::SlowBitcoind { at_s, .. }
            | Self::LyingBitcoind { at_s, .. }
            | Self::Hashrate { at_s, .. } => *at_s,
        }
    }

    /// Returns the duration in seconds. `None` if the fault does not end by itself.
    #[must_use]
    pub fn for_s(&self) -> Option<f64> {
        let mut copy = self.clone();
        copy.for_s_mut().copied()
    }

    /// Returns the duration, to be changed.
    pub(super) fn for_s_mut(&mut self) -> Option<&mut f64> {
        match self {
            Self::Partition { for_s, .. } | Self::Hashrate { for_s, .. } => for_s.as_mut(),
            Self::Crash { for_s, .. }
            | Self::Churn { for_s, .. }
            | Self::Latency { for_s, .. }
            | Self::Bandwidth { for_s, .. }
            | Self::Loss { for_s, .. }
            | Self::SlowDevice { for_s, .. }
            | Self::SlowBitcoind { for_s, .. }
            | Self::LyingBitcoind { for_s, .. } => Some(for_s),
            Self::Heal { .. } | Self::Leave { .. } | Self::ClockStep { .. } => None,
        }
    }

    /// Returns the nodes concerned. `None` for all nodes, or for miners.
    #[must_use]
    pub const fn who(&self) -> Option<&Who> {
        match self {
            Self::Crash { who, .. }
            | Self::Leave { who, .. }
            | Self::Churn { who, .. }
            | Self::Bandwidth { who, .. }
            | Self::Loss { who, .. }
            | Self::ClockStep { who, .. }
            | Self::SlowDevice { who, .. }
            | Self::SlowBitcoind { who, .. }
            | Self::LyingBitcoind { who, .. } => Some(who),
            Self::Partition { .. } | Self::Heal { .. } | Self::Latency { .. } | Self::Hashrate { .. } => None,
        }
    }

    /// Returns the nodes concerned, to be changed.
    pub(super) const fn who_mut(&mut self) -> Option<&mut Who> {
        match self {
            Self::Crash { who, .. }
            | Self::Leave { who, .. }
            | Self::Churn { who, .. }
            | Self::Bandwidth { who, .. }
            | Self::Loss { who, .. }
            | Self::ClockStep { who, .. }
            | Self::SlowDevice { who, .. }
            | Self::SlowBitcoind { who, .. }
            | Self::LyingBitcoind { who, .. } => Some(who),
            Self::Partition { .. } | Self::Heal { .. } | Self::Latency { .. } | Self::Hashrate { .. } => None,
        }
    }

    /// Returns the end in seconds, or the start if the fault has no end.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        let within_s = if let Self::Leave { within_s, .. } = self { *within_s } else { 0.0 };
        self.at_s() + self.for_s().unwrap_or(within_s)
    }
}
