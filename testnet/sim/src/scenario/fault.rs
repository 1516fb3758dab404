//! What goes wrong.

use serde::{Deserialize, Serialize};

/// Something that goes wrong at a time. Its table has the fields of its kind, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum Fault {
    /// Nodes, in random order, are cut into parts that hear nothing of each other.
    Partition {
        /// When, seconds.
        at_s: f64,
        /// For how long; left out, until a `heal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
        /// How many parts of how many nodes: `[0.3, 0.7]`; what is missing to 1 joins the last.
        parts: Vec<f64>,
    },
    /// All partitions end.
    Heal {
        /// When, seconds.
        at_s: f64,
    },
    /// Nodes die at once and come back.
    Crash {
        /// When, seconds.
        at_s: f64,
        /// Down for so long.
        for_s: f64,
        /// Which; see [`Who`].
        who: Who,
        /// Whether what was not synced to disk is torn.
        #[serde(default)]
        torn: bool,
    },
    /// Nodes leave for good, one after the other.
    Leave {
        /// When it begins, seconds.
        at_s: f64,
        /// Within how many seconds all have left.
        #[serde(default)]
        within_s: f64,
        /// Which.
        who: Who,
    },
    /// Nodes leave and come back all the time.
    Churn {
        /// When it begins, seconds.
        at_s: f64,
        /// For how long.
        for_s: f64,
        /// Departures an hour among those concerned.
        per_hour: f64,
        /// Mean time away, seconds.
        away_s: f64,
        /// Which.
        who: Who,
    },
    /// All ways take longer.
    Latency {
        /// When, seconds.
        at_s: f64,
        /// For how long.
        for_s: f64,
        /// How many times as long.
        factor: f64,
    },
    /// Lines carry less, or more.
    Bandwidth {
        /// When, seconds.
        at_s: f64,
        /// For how long.
        for_s: f64,
        /// How many times as much.
        factor: f64,
        /// Whose.
        who: Who,
    },
    /// Packets are lost.
    Loss {
        /// When, seconds.
        at_s: f64,
        /// For how long.
        for_s: f64,
        /// Chance that a packet is lost.
        chance: f64,
        /// On whose lines.
        who: Who,
    },
    /// Clocks jump, for good.
    ClockStep {
        /// When, seconds.
        at_s: f64,
        /// By how much; back if negative.
        step_s: f64,
        /// Whose.
        who: Who,
    },
    /// Devices switch to new work slowly.
    SlowDevice {
        /// When, seconds.
        at_s: f64,
        /// For how long.
        for_s: f64,
        /// Seconds that they take.
        switch_s: f64,
        /// Whose.
        who: Who,
    },
    /// Bitcoinds hear of blocks late.
    SlowBitcoind {
        /// When, seconds.
        at_s: f64,
        /// For how long.
        for_s: f64,
        /// Seconds by which they are late.
        delay_s: f64,
        /// Whose.
        who: Who,
    },
    /// Bitcoinds claim what is not so.
    LyingBitcoind {
        /// When, seconds.
        at_s: f64,
        /// For how long.
        for_s: f64,
        /// What.
        claim: Claim,
        /// Whose.
        who: Who,
    },
    /// Hash rate grows or falls.
    Hashrate {
        /// When, seconds.
        at_s: f64,
        /// For how long; left out, for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
        /// How many times as much: 1000, 0.001.
        factor: f64,
        /// Group of miners; left out, all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        miners: Option<String>,
    },
}

/// Which nodes a fault concerns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Who {
    /// A part of all nodes, drawn: `0.3`. At least one.
    Part(f64),
    /// A group of nodes: `"home"`.
    Group(String),
    /// Nodes by number, groups in order: `[0, 3]`.
    Nodes(Vec<u32>),
}

/// What a lying bitcoind claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// A tip that was made up, with work below Bitcoin's.
    MadeUpTip,
    /// A block whose proof of work holds and whose body is invalid is its tip.
    InvalidBlock,
    /// It stays at the block that it has.
    StaysBehind,
}

impl Fault {
    /// When it begins, seconds.
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

    /// How long it lasts, seconds; `None` when it does not end by itself.
    #[must_use]
    pub fn for_s(&self) -> Option<f64> {
        let mut copy = self.clone();
        copy.for_s_mut().copied()
    }

    /// How long it lasts, to be changed.
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

    /// Which nodes it concerns; `None` for all, or for miners.
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

    /// Which nodes it concerns, to be changed.
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

    /// When it is over, seconds: its end, or its time if it has none.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        let within_s = if let Self::Leave { within_s, .. } = self { *within_s } else { 0.0 };
        self.at_s() + self.for_s().unwrap_or(within_s)
    }
}
