//! Devices as API, terminal, and event log show them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A device: a user name of connections to this node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Device {
    /// Its user name, as the miner gave it.
    pub name: String,
    /// Whether it works.
    pub state: DeviceState,
    /// When its rest ends, seconds since 1970; none if it does not rest, or if only its owner can end the rest.
    pub paused_until_unix_s: Option<u32>,
    /// True while it is connected.
    pub connected: bool,
    /// Addresses that its work pays: one, unless its user name splits it.
    pub addresses: Vec<String>,
    /// Its program, as last reported; empty if it never reported one.
    pub agent: String,
    /// Its protocol: `v1`, `v2_standard` or `v2_extended`.
    pub protocol: String,
    /// Age of its oldest open connection, seconds; none if it is not connected.
    pub connected_s: Option<u32>,
    /// Difficulty of its jobs; none if it has no job.
    pub difficulty: Option<f64>,
    /// Longest coinbase that it can hold, bytes; none if no limit is known, or if its protocol sends no coinbase.
    pub coinbase_bytes_max: Option<u64>,
    /// Estimated hashrate, hashes per second.
    pub hashrate_hs: f64,
    /// Average hashrates by accepted work, also before a restart of the node.
    pub averages: Averages,
    /// Average of `hashrate_hs` while it was connected in the last 24 hours, hashes per second; none in its first hour.
    pub mean_hs: Option<f64>,
    /// Time of its last accepted submit, seconds since 1970; none before the first.
    pub last_submit_unix_s: Option<u32>,
    /// Accepted submits since it was first seen.
    pub accepted_total: u64,
    /// Rejected submits since it was first seen, by reason; reasons that never occurred are left out.
    pub rejected: BTreeMap<String, u64>,
    /// Difficulty of its best accepted submit of this day (UTC); none before the first.
    pub best_today_difficulty: Option<f64>,
    /// Difficulty of its best accepted submit ever, also before restarts; none before the first. A device that is away for
    /// a week is forgotten.
    pub best_difficulty: Option<f64>,
}

/// Average hashrates over spans that end now, hashes per second. Each covers up to one step more than its name says.
/// For a device first seen later, since then; none in its first minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Averages {
    /// Over a minute.
    pub minute_hs: Option<f64>,
    /// Over ten minutes.
    pub ten_minutes_hs: Option<f64>,
    /// Over an hour.
    pub hour_hs: Option<f64>,
    /// Over 24 hours.
    pub day_hs: Option<f64>,
    /// Over seven days.
    pub week_hs: Option<f64>,
}

/// Whether a device works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeviceState {
    /// It submits, at its usual hashrate.
    Ok,
    /// Its hashrate is below half of its average.
    Low,
    /// It has submitted nothing for five minutes, or is not connected.
    Silent,
    /// It rests, by the schedule or the switch, and gets no jobs.
    Paused,
}

/// A change to report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DeviceNews {
    /// No accepted submit for this many seconds.
    Silent { name: String, seconds: u32 },
    /// Its hashrate is below half of its average, both hashes per second.
    Low { name: String, hashrate_hs: f64, mean_hs: f64 },
    /// Its last submits, so many, were all rejected, most of them for this reason.
    Rejected { name: String, count: u64, reason: &'static str },
    /// It submits again, at its usual hashrate.
    Back { name: String },
}
