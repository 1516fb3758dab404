//! The data of one device, and whether it works.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stratum::{Rejected, Totals};

use super::view::{Device, DeviceNews, DeviceState};
use super::work::Work;
use crate::limits::DEVICE_TOLD_S;
use crate::power::Rest;

/// Time without an accepted submit after which a device is silent, seconds. A submit comes about every seven seconds.
const SILENT_S: u32 = 300;

/// Samples before a device has an average: an hour of them.
const MEAN_SAMPLES_MIN: u32 = 60;

/// Rejected submits in a row that are reported: as many as the server takes before it closes the connection of a device that cannot
/// hold the coinbase.
const VAIN_MIN: u64 = stratum::limits::MISMATCHES_MAX as u64;

/// Time after the first of them before they are reported, seconds: two looks at the devices.
const VAIN_S: u32 = 60;

/// Seconds of a day.
pub(super) const DAY_S: u32 = 86_400;

/// The data of one device. Data that depends only on open connections is not kept over restarts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    #[serde(skip)]
    pub(super) connected: bool,
    #[serde(skip)]
    pub(super) hashrate_hs: f64,
    pub(super) mean_hs: f64,
    pub(super) samples: u32,
    pub(super) last_submit: Option<u32>,
    /// When its open connections were first seen, or when it was last seen, seconds since 1970.
    pub(super) since: u32,
    pub(super) seen: u32,
    /// When it was first seen, seconds since 1970.
    pub(super) first: u32,
    pub(super) agent: String,
    pub(super) protocol: String,
    #[serde(skip)]
    pub(super) difficulty: Option<f64>,
    pub(super) coinbase_bytes_max: Option<u64>,
    pub(super) accepted: u64,
    pub(super) rejected: BTreeMap<String, u64>,
    pub(super) work: Work,
    /// Day of the day's best share, in days since 1970, and its difficulty.
    pub(super) best_of_day: (u32, f64),
    pub(super) best_difficulty: f64,
    /// When it was last seen resting, seconds since 1970.
    pub(super) rested: u32,
    /// Its rejected submits since the last accepted one.
    #[serde(skip)]
    pub(super) vain: Vain,
    /// Since when its hashrate is low, seconds since 1970.
    low_since: Option<u32>,
    /// The last report about it.
    told: Told,
}

/// The last report about a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Told {
    #[default]
    Ok,
    Low,
    Silent,
    Rejected,
}

/// Submits that were all rejected.
#[derive(Clone, Debug, Default)]
pub(super) struct Vain {
    /// When the first of them and the last one were seen, seconds since 1970.
    span: (u32, u32),
    by_reason: BTreeMap<&'static str, u64>,
}

impl Vain {
    /// Adds rejected submits that were seen at `now`.
    pub(super) fn add(&mut self, reason: &'static str, count: u64, now: u32) {
        let (first, _) = if self.by_reason.is_empty() { (now, now) } else { self.span };
        self.span = (first, now);
        *self.by_reason.entry(reason).or_default() += count;
    }

    /// The number of submits and their most frequent reason, once there is something to report at `now`. A device that comes back
    /// from another pool may have a few for that pool's jobs.
    fn news(&self, now: u32) -> Option<(u64, &'static str)> {
        let (first, last) = self.span;
        let count = self.by_reason.values().sum();
        let (reason, _) = self.by_reason.iter().max_by_key(|(_, count)| **count)?;
        let is_recent = now.saturating_sub(last) < DEVICE_TOLD_S;
        (count >= VAIN_MIN && now.saturating_sub(first) >= VAIN_S && is_recent).then_some((count, *reason))
    }
}

impl Known {
    /// A device first seen at `now`, seconds since 1970.
    pub(super) fn new(now: u32) -> Self {
        Self { first: now, ..Self::default() }
    }

    /// Average hashrate, once there is one, hashes per second.
    pub(super) fn mean_hs(&self) -> Option<f64> {
        (self.samples >= MEAN_SAMPLES_MIN).then_some(self.mean_hs)
    }

    /// Seconds since the last sign of life: an accepted submit, the start of its connection, or the end of its rest.
    fn quiet_s(&self, now: u32) -> u32 {
        now.saturating_sub(self.last_submit.unwrap_or(0).max(self.since).max(self.rested))
    }

    /// True if a submit was accepted lately.
    fn works(&self, now: u32) -> bool {
        self.last_submit.is_some_and(|at| now.saturating_sub(at) <= SILENT_S)
    }

    pub(super) fn state(&self, rest: Option<Rest>, now: u32) -> DeviceState {
        if rest.is_some() {
            DeviceState::Paused
        } else if !self.connected || self.quiet_s(now) > SILENT_S {
            DeviceState::Silent
        } else if self.mean_hs().is_some_and(|mean| self.hashrate_hs < 0.5 * mean) {
            DeviceState::Low
        } else {
            DeviceState::Ok
        }
    }

    /// A restarting device is not reported: silence and a low hashrate must last [`DEVICE_TOLD_S`]. Nor is one that
    /// left without any work, since anyone can connect under any name.
    pub(super) fn news(&mut self, name: &str, rest: Option<Rest>, now: u32) -> Option<DeviceNews> {
        let (state, quiet_s) = (self.state(rest, now), self.quiet_s(now));
        self.low_since = (state == DeviceState::Low).then(|| self.low_since.unwrap_or(now));
        let is_low = self.low_since.is_some_and(|since| now.saturating_sub(since) >= DEVICE_TOLD_S);
        let vain = self.vain.news(now);
        let told = match state {
            DeviceState::Paused => return None,
            _ if vain.is_some() => Told::Rejected,
            DeviceState::Silent if quiet_s >= DEVICE_TOLD_S && (self.connected || self.last_submit.is_some()) => {
                Told::Silent
            }
            DeviceState::Low if is_low => Told::Low,
            // A new connection is no accepted submit.
            DeviceState::Ok if self.told == Told::Rejected && !self.works(now) => return None,
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
            Told::Rejected => {
                let (count, reason) = vain?;
                DeviceNews::Rejected { name, count, reason }
            }
        })
    }

    /// Counts what a connection did since it was last counted, with `before`.
    pub(super) fn count(&mut self, totals: &Totals, before: &Totals, now: u32) {
        self.best_difficulty = self.best_difficulty.max(totals.best_difficulty);
        note_best(&mut self.best_of_day, (totals.day, totals.day_best_difficulty));
        let accepted = totals.accepted.saturating_sub(before.accepted);
        self.accepted = self.accepted.saturating_add(accepted);
        self.work.add((totals.accepted_difficulty - before.accepted_difficulty).max(0.0), now);
        if accepted > 0 {
            self.vain = Vain::default();
        }
        for ((reason, count), (_, before)) in by_reason(&totals.rejected).into_iter().zip(by_reason(&before.rejected)) {
            if let Some(more) = count.checked_sub(before).filter(|more| *more > 0) {
                *self.rejected.entry(reason.to_owned()).or_default() += more;
                if accepted == 0 {
                    self.vain.add(reason, more, now);
                }
            }
        }
    }

    pub(super) fn view(&self, name: &str, addresses: Vec<String>, rest: Option<Rest>, now: u32) -> Device {
        let (mean_hs, state) = (self.mean_hs(), self.state(rest, now));
        Device {
            name: name.to_owned(),
            state,
            paused_until_unix_s: rest.and_then(|rest| rest.until),
            connected: self.connected,
            addresses,
            agent: self.agent.clone(),
            protocol: self.protocol.clone(),
            connected_s: self.connected.then(|| now.saturating_sub(self.since)),
            difficulty: self.difficulty.filter(|_| self.connected),
            coinbase_bytes_max: self.coinbase_bytes_max,
            hashrate_hs: self.hashrate_hs,
            averages: self.work.averages(self.first, now),
            mean_hs,
            last_submit_unix_s: self.last_submit,
            accepted_total: self.accepted,
            rejected: self.rejected.clone(),
            best_today_difficulty: best_of(self.best_of_day, now),
            best_difficulty: (self.best_difficulty > 0.0).then_some(self.best_difficulty),
        }
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

/// The day's best share, if the day is that of `now`.
pub(super) fn best_of((day, difficulty): (u32, f64), now: u32) -> Option<f64> {
    (day == now / DAY_S && difficulty > 0.0).then_some(difficulty)
}

/// Records the best share of a day.
pub(super) fn note_best(of_day: &mut (u32, f64), (day, difficulty): (u32, f64)) {
    if day > of_day.0 {
        *of_day = (day, difficulty);
    } else if day == of_day.0 {
        of_day.1 = of_day.1.max(difficulty);
    }
}
