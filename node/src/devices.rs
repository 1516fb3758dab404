//! The devices of this node's miners: each with its hashrate beside its own average, also for a day after it disconnected.
//! It has no clock: the caller passes the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitcoin::hex::{DisplayHex, FromHex};
use serde::{Deserialize, Serialize};
use stratum::{Account, ConnectionSnapshot, Rejected};
use utoipa::ToSchema;

use crate::limits::{DEVICE_SAMPLE_S, DEVICE_SAMPLES_MAX, DEVICE_TOLD_S, DEVICES_MAX};

/// Time without an accepted submit after which a device is silent, seconds. A submit comes about every seven seconds.
const SILENT_S: u32 = 300;

/// Samples before a device has an average: an hour of them.
const MEAN_SAMPLES_MIN: u32 = 60;

/// A device: a user name of connections to this node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Device {
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
    /// Difficulty of its best accepted submit ever, also before restarts; none before the first. A device that is away for
    /// a day is forgotten.
    pub best_difficulty: Option<f64>,
}

/// Whether a device works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeviceState {
    /// It submits, at its usual hashrate.
    Ok,
    /// Its hashrate is below half of its average.
    Low,
    /// It has submitted nothing for five minutes, or is not connected.
    Silent,
}

/// What is known of one device. What depends on open connections is not kept over restarts.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    #[serde(skip)]
    connected: bool,
    #[serde(skip)]
    hashrate_hs: f64,
    mean_hs: f64,
    samples: u32,
    last_submit: Option<u32>,
    /// First sight of its open connections, or last sight, seconds since 1970.
    since: u32,
    seen: u32,
    #[serde(skip)]
    accepted: u64,
    #[serde(skip)]
    rejected: BTreeMap<String, u64>,
    best_difficulty: f64,
    /// Since when its hashrate is low, seconds since 1970.
    low_since: Option<u32>,
    /// What was told of it last.
    told: Told,
}

/// What was told of a device last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Told {
    #[default]
    Ok,
    Low,
    Silent,
}

/// A change that is worth telling.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DeviceNews {
    /// No accepted submit for this many seconds.
    Silent { name: String, seconds: u32 },
    /// Its hashrate is below half of its average, both hashes per second.
    Low { name: String, hashrate_hs: f64, mean_hs: f64 },
    /// It submits again, at its usual hashrate.
    Back { name: String },
}

/// All devices of the last day.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    known: BTreeMap<(Account, String), Known>,
    sampled: u32,
}

impl Devices {
    /// Takes in the open connections at `now`, seconds since 1970.
    pub(crate) fn look(&mut self, connections: &[ConnectionSnapshot], now: u32) {
        if self.known.len() >= DEVICES_MAX {
            // Names that came and went without any work make room for others.
            self.known.retain(|_, known| known.connected || known.last_submit.is_some());
        }
        for known in self.known.values_mut() {
            (known.connected, known.hashrate_hs, known.accepted) = (false, 0.0, 0);
            known.rejected.clear();
        }
        for connection in connections {
            self.connection(connection, now);
        }
        let day_s = DEVICE_SAMPLE_S.saturating_mul(DEVICE_SAMPLES_MAX);
        self.known.retain(|_, known| now.saturating_sub(known.seen) < day_s);
        if now < self.sampled.saturating_add(DEVICE_SAMPLE_S) {
            return;
        }
        self.sampled = now;
        for known in self.known.values_mut().filter(|known| known.connected) {
            known.samples = known.samples.saturating_add(1).min(DEVICE_SAMPLES_MAX);
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
        known.best_difficulty = known.best_difficulty.max(connection.submits.best_difficulty);
        for (reason, count) in by_reason(&connection.submits.rejected).into_iter().filter(|(_, count)| *count > 0) {
            *known.rejected.entry(reason.to_owned()).or_default() += count;
        }
    }

    /// What is to be told of the devices at `now`, each change once.
    pub(crate) fn news(&mut self, now: u32) -> Vec<DeviceNews> {
        self.known.iter_mut().filter_map(|((_, name), known)| known.news(name, now)).collect()
    }

    /// All devices, those that need a look first, then by name.
    pub(crate) fn all(&self, now: u32) -> Vec<Device> {
        let mut all: Vec<_> = self.known.iter().map(|((_, name), known)| known.view(name, now)).collect();
        all.sort_by_key(|device| device.state == DeviceState::Ok);
        all
    }

    /// What a restart should not lose, as JSON: at most [`DEVICES_MAX`] entries of some 300 bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let rows: Vec<_> =
            self.known.iter().map(|((account, name), known)| (account.to_lower_hex_string(), name, known)).collect();
        serde_json::to_vec(&rows).expect("devices are made of strings and finite numbers")
    }

    /// Takes in what an earlier run knew. What cannot be read is left out: it is worth no failed start.
    pub(crate) fn restore(&mut self, bytes: &[u8]) {
        let rows: Vec<(String, String, Known)> = serde_json::from_slice(bytes).unwrap_or_default();
        for (account, name, known) in rows.into_iter().take(DEVICES_MAX) {
            let Ok(account) = Vec::from_hex(&account) else { continue };
            self.known.insert((Account::from(account), name), known);
        }
    }

    /// The devices of an account, by name.
    pub(crate) fn of(&self, account: &[u8], now: u32) -> Vec<Device> {
        let own = self.known.iter().filter(|((owner, _), _)| **owner == *account);
        own.map(|((_, name), known)| known.view(name, now)).collect()
    }
}

impl Known {
    /// Average hashrate, once there is one, hashes per second.
    fn mean_hs(&self) -> Option<f64> {
        (self.samples >= MEAN_SAMPLES_MIN).then_some(self.mean_hs)
    }

    /// Seconds since the last sign of life: an accepted submit, or the start of its connection.
    fn quiet_s(&self, now: u32) -> u32 {
        now.saturating_sub(self.last_submit.unwrap_or(0).max(self.since))
    }

    fn state(&self, now: u32) -> DeviceState {
        if !self.connected || self.quiet_s(now) > SILENT_S {
            DeviceState::Silent
        } else if self.mean_hs().is_some_and(|mean| self.hashrate_hs < 0.5 * mean) {
            DeviceState::Low
        } else {
            DeviceState::Ok
        }
    }

    /// A device that restarts is not told: silence and a low hashrate must last [`DEVICE_TOLD_S`]. Nor is one that left and
    /// never worked: anybody can connect under any name.
    fn news(&mut self, name: &str, now: u32) -> Option<DeviceNews> {
        let (state, quiet_s) = (self.state(now), self.quiet_s(now));
        self.low_since = (state == DeviceState::Low).then(|| self.low_since.unwrap_or(now));
        let is_low = self.low_since.is_some_and(|since| now.saturating_sub(since) >= DEVICE_TOLD_S);
        let told = match state {
            DeviceState::Silent if quiet_s >= DEVICE_TOLD_S && (self.connected || self.last_submit.is_some()) => {
                Told::Silent
            }
            DeviceState::Low if is_low => Told::Low,
            DeviceState::Ok => Told::Ok,
            DeviceState::Silent | DeviceState::Low => return None,
        };
        if std::mem::replace(&mut self.told, told) == told {
            return None;
        }
        let (name, hashrate_hs) = (name.to_owned(), self.hashrate_hs);
        Some(match told {
            Told::Silent => DeviceNews::Silent { name, seconds: quiet_s },
            Told::Low => DeviceNews::Low { name, hashrate_hs, mean_hs: self.mean_hs },
            Told::Ok => DeviceNews::Back { name },
        })
    }

    fn view(&self, name: &str, now: u32) -> Device {
        let (mean_hs, state) = (self.mean_hs(), self.state(now));
        Device {
            name: name.to_owned(),
            state,
            connected: self.connected,
            hashrate_hs: self.hashrate_hs,
            mean_hs,
            last_submit_unix_s: self.last_submit,
            accepted_total: self.accepted,
            rejected: self.rejected.clone(),
            best_difficulty: (self.best_difficulty > 0.0).then_some(self.best_difficulty),
        }
    }
}

/// The devices, shared between what tells of them and what shows them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SharedDevices(Arc<Mutex<Devices>>);

impl SharedDevices {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Devices> {
        // A panic leaves them consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Destructures without `..`, so that a new reason cannot be left out.
pub(crate) fn by_reason(rejected: &Rejected) -> [(&'static str, u64); 7] {
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
