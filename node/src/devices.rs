//! The devices of this node's miners: each with its hashrate beside its own average, also for a day after it disconnected.

use std::collections::BTreeMap;

use serde::Serialize;
use stratum::{Account, ConnectionSnapshot, Rejected};
use utoipa::ToSchema;

use super::limits::{DEVICES_MAX, MINING_SAMPLE_S, MINING_SAMPLES_MAX};

/// Time without an accepted submit after which a device is silent, seconds. A submit comes about every seven seconds.
const SILENT_S: u32 = 300;

/// Samples before a device has an average: an hour of them.
const MEAN_SAMPLES_MIN: u32 = 60;

/// A device: a user name of connections to this node.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Device {
    /// Its user name, as the miner gave it.
    pub name: String,
    /// Whether it works.
    pub state: DeviceState,
    /// True while it is connected.
    pub connected: bool,
    /// Estimated hashrate, hashes per second.
    pub hashrate_hs: f64,
    /// Average of that while it was connected in the last 24 hours, hashes per second; none before an hour has passed.
    pub mean_hs: Option<f64>,
    /// Time of its last accepted submit, seconds since 1970; none before the first.
    pub last_submit_unix_s: Option<u32>,
    /// Accepted submits of its connections that are open.
    pub accepted_total: u64,
    /// Rejected submits of its connections that are open, by reason; reasons that never occurred are left out.
    pub rejected: BTreeMap<String, u64>,
}

/// Whether a device works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeviceState {
    /// It submits, at its usual hashrate.
    Ok,
    /// Its hashrate is below half of its average.
    Low,
    /// It has submitted nothing for five minutes, or is not connected.
    Silent,
}

/// What is known of one device.
#[derive(Debug, Default)]
struct Known {
    connected: bool,
    hashrate_hs: f64,
    mean_hs: f64,
    samples: u32,
    last_submit: Option<u32>,
    /// First sight of its open connections, or last sight, seconds since 1970.
    since: u32,
    seen: u32,
    accepted: u64,
    rejected: BTreeMap<String, u64>,
}

/// All devices of the last day.
#[derive(Debug, Default)]
pub(super) struct Devices {
    known: BTreeMap<(Account, String), Known>,
    sampled: u32,
}

impl Devices {
    /// Takes in the open connections at `now`, seconds since 1970.
    pub(super) fn look(&mut self, connections: &[ConnectionSnapshot], now: u32) {
        for known in self.known.values_mut() {
            (known.connected, known.hashrate_hs, known.accepted) = (false, 0.0, 0);
            known.rejected.clear();
        }
        for connection in connections {
            self.connection(connection, now);
        }
        let day_s = MINING_SAMPLE_S.saturating_mul(u32::try_from(MINING_SAMPLES_MAX).unwrap_or(u32::MAX));
        self.known.retain(|_, known| now.saturating_sub(known.seen) < day_s);
        if now < self.sampled.saturating_add(MINING_SAMPLE_S) {
            return;
        }
        self.sampled = now;
        for known in self.known.values_mut().filter(|known| known.connected) {
            known.samples = known.samples.saturating_add(1).min(u32::try_from(MINING_SAMPLES_MAX).unwrap_or(u32::MAX));
            known.mean_hs += (known.hashrate_hs - known.mean_hs) / f64::from(known.samples);
        }
    }

    fn connection(&mut self, connection: &ConnectionSnapshot, now: u32) {
        let (Some(account), Some(name)) = (&connection.account, connection.workers.first()) else { return };
        let key = (account.clone(), name.clone());
        if !self.known.contains_key(&key) && self.known.len() >= DEVICES_MAX {
            return;
        }
        let known = self.known.entry(key).or_default();
        let ago = |seconds: u64| now.saturating_sub(u32::try_from(seconds).unwrap_or(u32::MAX));
        let began = ago(connection.connected_s);
        known.since = if known.connected { known.since.min(began) } else { began };
        (known.connected, known.seen) = (true, now);
        known.hashrate_hs += connection.hashrate_hs;
        known.last_submit = known.last_submit.max(connection.last_share_age_s.map(ago));
        known.accepted = known.accepted.saturating_add(connection.submits.accepted);
        for (reason, count) in by_reason(&connection.submits.rejected).into_iter().filter(|(_, count)| *count > 0) {
            *known.rejected.entry(reason.to_owned()).or_default() += count;
        }
    }

    /// The devices of an account, by name.
    pub(super) fn of(&self, account: &[u8], now: u32) -> Vec<Device> {
        let own = self.known.iter().filter(|((owner, _), _)| **owner == *account);
        own.map(|((_, name), known)| known.view(name, now)).collect()
    }
}

impl Known {
    fn view(&self, name: &str, now: u32) -> Device {
        let mean_hs = (self.samples >= MEAN_SAMPLES_MIN).then_some(self.mean_hs);
        let sign = self.last_submit.unwrap_or(0).max(self.since);
        let state = if !self.connected || now.saturating_sub(sign) > SILENT_S {
            DeviceState::Silent
        } else if mean_hs.is_some_and(|mean| self.hashrate_hs < 0.5 * mean) {
            DeviceState::Low
        } else {
            DeviceState::Ok
        };
        Device {
            name: name.to_owned(),
            state,
            connected: self.connected,
            hashrate_hs: self.hashrate_hs,
            mean_hs,
            last_submit_unix_s: self.last_submit,
            accepted_total: self.accepted,
            rejected: self.rejected.clone(),
        }
    }
}

/// Destructures without `..`, so that a new reason cannot be left out.
pub(super) fn by_reason(rejected: &Rejected) -> [(&'static str, u64); 7] {
    let Rejected { stale, duplicate, low_difficulty, time, version, unauthorized, malformed } = *rejected;
    [
        ("stale", stale),
        ("duplicate", duplicate),
        ("low_difficulty", low_difficulty),
        ("time", time),
        ("version", version),
        ("unauthorized", unauthorized),
        ("malformed", malformed),
    ]
}

#[cfg(test)]
mod tests;
