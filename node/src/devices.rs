//! The devices of this node's miners: each with its hashrate and its average, also for a day after it disconnected. It
//! has no clock: the caller passes the time.
//!
//! | file | content |
//! |---|---|
//! | `view.rs` | devices as API, terminal, and event log show them |
//! | `work.rs` | accepted work by the minute and by the hour |
//! | `known.rs` | the data of one device, and whether it works |

mod known;
mod view;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitcoin::Address;
use bitcoin::hex::{DisplayHex, FromHex};
use serde::{Deserialize, Serialize};
use stratum::{Account, ConnectionSnapshot, Totals};

pub(crate) use known::by_reason;
pub(crate) use view::{Device, DeviceNews, DeviceState};

use known::{DAY_S, Known, best_of, note_best};

use crate::limits::{DEVICE_KEPT_S, DEVICE_SAMPLE_S, DEVICE_SAMPLES_MAX, DEVICES_MAX};
use crate::miners::{Part, parts_of, percent_of};
use crate::power::Power;

/// Absent devices that [`Devices::make_room`] forgets at once.
const DEVICES_ROOM: usize = 64;

/// A device: its account and its name.
type Key = (Account, String);

/// All devices of the last week.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    known: BTreeMap<Key, Known>,
    /// Counters of each open connection.
    counted: HashMap<u64, Totals>,
    /// The best share ever of all devices, and of the current day.
    records: Records,
    sampled: u32,
    power: Power,
    network: Option<bitcoin::Network>,
}

/// The best shares of this node's miners.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Records {
    best_difficulty: f64,
    /// Day, in days since 1970, and difficulty.
    best_of_day: (u32, f64),
}

/// Data that survives a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    records: Records,
    /// Account in hex, name, and data.
    devices: Vec<(String, String, Known)>,
}

impl Devices {
    /// Records at `now`, seconds since 1970, the connections that ended since the last look, and those that are open.
    pub(crate) fn look(&mut self, left: &[ConnectionSnapshot], connections: &[ConnectionSnapshot], now: u32) {
        let mut all_here = false;
        for connection in left {
            if let Some(key) = key_of(connection)
                && let Some((known, counted)) = self.place(key, connection, &mut all_here, now)
            {
                known.count(&connection.submits, &counted, now);
                let began = now.saturating_sub(u32::try_from(connection.connected_s).unwrap_or(u32::MAX));
                (known.since, known.seen) = (known.since.max(began), now);
            }
        }
        for known in self.known.values_mut() {
            (known.connected, known.hashrate_hs, known.difficulty) = (false, 0.0, None);
        }
        let keyed = connections.iter().filter_map(|connection| Some((key_of(connection)?, connection)));
        // Known devices come first, so that a device that has returned is not absent when a new one needs space.
        let (old, new): (Vec<_>, Vec<_>) = keyed.partition(|(key, _)| self.known.contains_key(key));
        for (key, connection) in old.into_iter().chain(new) {
            self.connection(key, connection, &mut all_here, now);
        }
        self.counted = connections.iter().map(|connection| (connection.id, connection.submits)).collect();
        self.known.retain(|_, known| now.saturating_sub(known.seen) < DEVICE_KEPT_S);
        for ((_, name), known) in &mut self.known {
            if self.power.rest(name, now).is_some() {
                known.rested = now;
            }
        }
        if now < self.sampled.saturating_add(DEVICE_SAMPLE_S) {
            return;
        }
        self.sampled = now;
        for known in self.known.values_mut().filter(|known| known.connected && known.rested < now) {
            known.samples = known.samples.saturating_add(1).min(DEVICE_SAMPLES_MAX);
            known.mean_hs += (known.hashrate_hs - known.mean_hs) / f64::from(known.samples);
        }
    }

    /// The device of a connection, and what of that connection is counted already. None if there is no room: `all_here` becomes
    /// true once no absent device can make some, so that ten thousand connections do not each search all devices.
    fn place(
        &mut self,
        key: Key,
        connection: &ConnectionSnapshot,
        all_here: &mut bool,
        now: u32,
    ) -> Option<(&mut Known, Totals)> {
        let totals = &connection.submits;
        self.records.best_difficulty = self.records.best_difficulty.max(totals.best_difficulty);
        note_best(&mut self.records.best_of_day, (totals.day, totals.day_best_difficulty));
        if !self.known.contains_key(&key) && self.known.len() >= DEVICES_MAX {
            *all_here = *all_here || !self.make_room(now);
            if *all_here {
                return None;
            }
        }
        let before = self.counted.get(&connection.id).copied().unwrap_or_default();
        let known = self.known.entry(key).or_insert_with(|| Known::new(now));
        let ago = |seconds: u64| now.saturating_sub(u32::try_from(seconds).unwrap_or(u32::MAX));
        known.last_submit = known.last_submit.max(connection.last_share_age_s.map(ago));
        known.agent.clone_from(&connection.agent);
        connection.protocol.name().clone_into(&mut known.protocol);
        known.coinbase_bytes_max = connection.coinbase_bytes_max.map(|bytes| bytes as u64);
        Some((known, before))
    }

    fn connection(&mut self, key: Key, connection: &ConnectionSnapshot, all_here: &mut bool, now: u32) {
        let Some((known, before)) = self.place(key, connection, all_here, now) else { return };
        let ago = |seconds: u64| now.saturating_sub(u32::try_from(seconds).unwrap_or(u32::MAX));
        let began = ago(connection.connected_s);
        known.since = if known.connected { known.since.min(began) } else { began };
        (known.connected, known.seen) = (true, now);
        known.hashrate_hs += connection.hashrate_hs;
        known.difficulty = known.difficulty.into_iter().chain(connection.difficulty).reduce(f64::max);
        known.count(&connection.submits, &before, now);
    }

    /// Forgets some of the absent devices at once, so that not every new name needs a search. First go those that never
    /// worked, since anyone can connect under any name, then those that have been away longest. Returns false if all
    /// are connected.
    fn make_room(&mut self, now: u32) -> bool {
        let is_away = |known: &Known| now.saturating_sub(known.seen) > DEVICE_SAMPLE_S;
        let rank = |known: &Known| (known.last_submit.is_some(), known.seen);
        let away = self.known.iter().filter(|(_, known)| is_away(known));
        let mut away: Vec<_> = away.map(|(key, known)| (rank(known), key.clone())).collect();
        away.sort_unstable();
        away.truncate(DEVICES_ROOM);
        for (_, key) in &away {
            self.known.remove(key);
        }
        !away.is_empty()
    }

    /// The best shares of this node's miners, today (UTC) and ever: their difficulties, also before restarts.
    pub(crate) fn best(&self, now: u32) -> (Option<f64>, Option<f64>) {
        let ever = self.records.best_difficulty;
        (best_of(self.records.best_of_day, now), (ever > 0.0).then_some(ever))
    }

    /// Changes to report at `now`, each once.
    pub(crate) fn news(&mut self, now: u32) -> Vec<DeviceNews> {
        let power = &self.power;
        let news = |(name, known): (&String, &mut Known)| known.news(name, power.rest(name, now), now);
        self.known.iter_mut().map(|((_, name), known)| (name, known)).filter_map(news).collect()
    }

    /// All devices, those that need attention first, then by name.
    pub(crate) fn all(&self, now: u32) -> Vec<Device> {
        urgent_first(self.shown(now).map(|(key, known)| self.view(key, known, now)).collect())
    }

    /// Number of devices that rest, and when the first of them resumes, seconds since 1970, if known.
    pub(crate) fn resting(&self, now: u32) -> (u64, Option<u32>) {
        let rests = self.shown(now).filter_map(|((_, name), _)| self.power.rest(name, now));
        rests.fold((0, None), |(count, first): (u64, Option<u32>), rest| {
            (count + 1, first.into_iter().chain(rest.until).min())
        })
    }

    /// The devices that were connected within the last day.
    fn shown(&self, now: u32) -> impl Iterator<Item = (&Key, &Known)> {
        self.known.iter().filter(move |(_, known)| now.saturating_sub(known.seen) < DAY_S)
    }

    fn view(&self, (account, name): &Key, known: &Known, now: u32) -> Device {
        let address = |part: Part| Address::from_script(&part.script, self.network?).ok();
        let addresses = parts_of(account).into_iter().filter_map(address).map(|address| address.to_string());
        known.view(name, addresses.collect(), self.power.rest(name, now), now)
    }

    /// The data that survives a restart, as JSON: at most [`DEVICES_MAX`] entries of about 1.5 KB.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let row =
            |((account, name), known): (&Key, &Known)| (account.to_lower_hex_string(), name.clone(), known.clone());
        let kept = Kept { records: self.records, devices: self.known.iter().map(row).collect() };
        serde_json::to_vec(&kept).expect("devices are made of strings and finite numbers")
    }

    /// Restores the data of an earlier run. Unreadable entries are skipped: they are not worth a failed start.
    pub(crate) fn restore(&mut self, bytes: &[u8]) {
        // Versions before the averages stored the devices alone.
        let devices = || serde_json::from_slice(bytes).map(|devices| Kept { devices, ..Kept::default() });
        let Ok(kept) = serde_json::from_slice::<Kept>(bytes).or_else(|_| devices()) else { return };
        self.records = kept.records;
        for (account, name, mut known) in kept.devices.into_iter().take(DEVICES_MAX) {
            let Ok(account) = Vec::from_hex(&account) else { continue };
            self.records.best_difficulty = self.records.best_difficulty.max(known.best_difficulty);
            known.first = if known.first == 0 { known.seen } else { known.first };
            self.known.insert((Account::from(account), name), known);
        }
    }

    /// The devices that pay a script, those that need attention first, then by name.
    pub(crate) fn of(&self, script: &[u8], now: u32) -> Vec<Device> {
        let own = self.shown(now).filter(|((account, _), _)| percent_of(account, script) > 0);
        urgent_first(own.map(|(key, known)| self.view(key, known, now)).collect())
    }
}

fn urgent_first(mut devices: Vec<Device>) -> Vec<Device> {
    devices.sort_by_key(|device| matches!(device.state, DeviceState::Ok | DeviceState::Paused));
    devices
}

/// The devices, shared by the event log and the API. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SharedDevices(Arc<Mutex<Devices>>);

impl SharedDevices {
    /// No devices yet. They will rest by `power`, and their addresses are on this network.
    #[must_use]
    pub fn of(power: Power, network: bitcoin::Network) -> Self {
        Self(Arc::new(Mutex::new(Devices { power, network: Some(network), ..Devices::default() })))
    }

    /// Records the connections of the Stratum server at `now`, seconds since 1970, and returns them.
    pub(crate) fn look_at(&self, stratum: &stratum::Stats, now: u32) -> stratum::Snapshot {
        // The lock spans both, so that two looks do not pass each other.
        let mut devices = self.lock();
        let (snapshot, left) = stratum.take();
        devices.look(&left, &snapshot.connections, now);
        snapshot
    }

    /// When devices rest.
    pub(crate) fn power(&self) -> Power {
        self.lock().power.clone()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Devices> {
        // A panic leaves them consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The device of a connection, or `None` before its login.
fn key_of(connection: &ConnectionSnapshot) -> Option<Key> {
    Some((connection.account.clone()?, connection.workers.first()?.clone()))
}

#[cfg(test)]
mod tests;
