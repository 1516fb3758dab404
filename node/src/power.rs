//! Which devices rest at a moment, and until when: by the schedule of the configuration, and by the switch of the owner. It
//! has no clock: the caller passes the time.
//!
//! The switch is a file in the data folder, so that it outlives a restart and a script can write it; the API writes the
//! same file. It holds one line:
//!
//! ```text
//! pause                               all devices rest
//! pause workers=rig1,rig2             these rest
//! pause run=50%                       all rest half of the time, at different times
//! pause until=1800000000              until then, seconds since 1970
//! run                                 no device rests, regardless of the schedule; also with until=
//! ```
//!
//! Without the file, only the schedule applies.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};

use tracing::{info, warn};

use crate::config::{PowerConfig, Who};
use crate::files;
use crate::limits::{POWER_FILE_BYTES_MAX, POWER_PERIOD_S};

/// Name of the switch in the data folder.
const POWER_FILE: &str = "power";

/// State of the owner's switch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// The schedule applies.
    #[default]
    Schedule,
    /// No device rests.
    Run {
        /// When the schedule applies again, seconds since 1970; never if none.
        until: Option<u32>,
    },
    /// Devices rest, besides those of the schedule.
    Pause {
        /// Which, and for which part of the time.
        who: Who,
        /// When it ends, seconds since 1970; never if none.
        until: Option<u32>,
    },
}

/// The text of the switch is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write \"pause\" or \"run\", and after it run=0% to 99%, workers=NAME,NAME or until=SECONDS since 1970, each at most once"
)]
pub struct NoSwitch;

impl std::str::FromStr for Switch {
    type Err = NoSwitch;

    fn from_str(text: &str) -> Result<Self, NoSwitch> {
        let mut words = text.split_whitespace();
        let what = words.next();
        let (mut who, mut until) = (Who::default(), None);
        for word in words {
            match word.strip_prefix("until=") {
                Some(time) if until.is_none() => until = Some(time.parse().map_err(|_| NoSwitch)?),
                Some(_) => return Err(NoSwitch),
                None => who.take(word).ok_or(NoSwitch)?,
            }
        }
        match what {
            None => Ok(Self::Schedule),
            Some("run") if who == Who::default() => Ok(Self::Run { until }),
            Some("pause") => Ok(Self::Pause { who, until }),
            Some(_) => Err(NoSwitch),
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = match self {
            Self::Schedule => None,
            Self::Run { until } => {
                write!(f, "run")?;
                *until
            }
            Self::Pause { who, until } => {
                write!(f, "pause{who}")?;
                *until
            }
        };
        until.map_or(Ok(()), |until| write!(f, " until={until}"))
    }
}

impl Switch {
    /// When it ends, seconds since 1970; never if none.
    pub const fn until(&self) -> Option<u32> {
        match self {
            Self::Schedule => None,
            Self::Run { until } | Self::Pause { until, .. } => *until,
        }
    }

    /// The state at `now`.
    fn at(self, now: u32) -> Self {
        if self.until().is_some_and(|until| until <= now) { Self::Schedule } else { self }
    }
}

/// A device rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// When it ends, seconds since 1970; none if only the owner can end it.
    pub until: Option<u32>,
}

/// The schedule and the switch. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Power(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    config: PowerConfig,
    path: PathBuf,
    /// Every job reads it.
    switch: RwLock<Kept>,
    /// Held during writes of the file. The switch itself is not locked meanwhile, because a disk may hang.
    writing: Mutex<()>,
}

/// The switch, and the text that it was read from.
#[derive(Debug, Default)]
struct Kept {
    switch: Switch,
    text: String,
    /// A line without its end, which may still be incomplete.
    unfinished: Option<String>,
    /// The file cannot be read, which was logged.
    unreadable: bool,
}

impl Power {
    /// Reads the switch in the data folder.
    pub fn load(config: PowerConfig, data_dir: &Path) -> Self {
        let path = data_dir.join(POWER_FILE);
        let power = Self(Arc::new(Inner { config, path, switch: RwLock::default(), writing: Mutex::default() }));
        power.reload();
        power
    }

    /// Reads the switch again if its file has changed. An unreadable file changes nothing, and is logged once. A line
    /// without an end counts once a second read finds it unchanged, since its writer may not be done.
    pub fn reload(&self) {
        let path = self.0.path.display();
        let found = read(&self.0.path);
        let mut kept = self.kept();
        let text = match found {
            Ok(Some(text)) if !text.ends_with('\n') && kept.unfinished.as_ref() != Some(&text) => {
                kept.unfinished = Some(text);
                return;
            }
            Ok(text) => text.unwrap_or_default(),
            Err(error) => {
                if !std::mem::replace(&mut kept.unreadable, true) {
                    warn!(%path, %error, "the switch for power cannot be read");
                }
                return;
            }
        };
        (kept.unfinished, kept.unreadable) = (None, false);
        if kept.text == text {
            return;
        }
        match text.parse() {
            Ok(switch) => {
                info!(%switch, "the switch for power has changed");
                kept.switch = switch;
            }
            Err(error) => warn!(%path, %error, "the switch for power cannot be read"),
        }
        kept.text = text;
    }

    /// Sets the switch, and keeps it over restarts.
    ///
    /// # Errors
    /// The file cannot be written; the switch stays unchanged.
    pub fn set(&self, switch: Switch) -> io::Result<()> {
        let text = switch.to_string();
        let _one_at_a_time = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if switch == Switch::Schedule {
            match std::fs::remove_file(&self.0.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        } else {
            files::replace(&self.0.path, format!("{text}\n").as_bytes(), files::PUBLIC)?;
        }
        let text = if text.is_empty() { text } else { format!("{text}\n") };
        *self.kept() = Kept { switch, text, ..Kept::default() };
        Ok(())
    }

    /// The switch at `now`.
    pub fn switch(&self, now: u32) -> Switch {
        self.0.switch.read().unwrap_or_else(PoisonError::into_inner).switch.clone().at(now)
    }

    /// The schedule and its time zone.
    pub fn config(&self) -> &PowerConfig {
        &self.0.config
    }

    /// Whether any device can rest at `now`, seconds since 1970.
    pub fn may_rest(&self, now: u32) -> bool {
        match self.switch(now) {
            Switch::Run { .. } => false,
            Switch::Schedule => self.0.config.pauses.iter().any(|pause| pause.end(now, &self.0.config.zone).is_some()),
            Switch::Pause { .. } => true,
        }
    }

    /// Whether a device rests at `now`, seconds since 1970, by its user name.
    pub fn rest(&self, user: &str, now: u32) -> Option<Rest> {
        let pauses = &self.0.config.pauses;
        let by_switch = match self.switch(now) {
            Switch::Run { .. } => return None,
            Switch::Schedule => None,
            Switch::Pause { who, until } => rests(&who, user, now, until),
        };
        let by_schedule = pauses.iter().filter_map(|pause| {
            let end = pause.end(now, &self.0.config.zone)?;
            rests(&pause.who, user, now, Some(end))
        });
        // The rest that ends last; none means no end.
        let latest =
            |one: Rest, other: Rest| Rest { until: one.until.zip(other.until).map(|(one, other)| one.max(other)) };
        by_switch.into_iter().chain(by_schedule).reduce(latest)
    }

    /// The sentence for the device's owner.
    pub fn words(&self, rest: Rest) -> String {
        match rest.until.and_then(|until| jiff::Timestamp::from_second(until.into()).ok()) {
            Some(until) => {
                let until = until.to_zoned(self.0.config.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
                format!("this node's owner pauses this device until {until}")
            }
            None => "this node's owner pauses this device".to_owned(),
        }
    }

    fn kept(&self) -> RwLockWriteGuard<'_, Kept> {
        // A panic leaves it consistent.
        self.0.switch.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text of the switch; none without a file.
///
/// # Errors
/// The file cannot be read, is not a regular file (opening a pipe would block), or is too long (its last name would be
/// cut).
fn read(path: &Path) -> io::Result<Option<String>> {
    let found = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !found.is_file() || found.len() > POWER_FILE_BYTES_MAX {
        let wanted = format!("it is not a file of at most {} KiB", POWER_FILE_BYTES_MAX >> 10);
        return Err(io::Error::new(io::ErrorKind::InvalidData, wanted));
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(POWER_FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Whether a device rests at `now`, if devices rest until `until`.
fn rests(who: &Who, user: &str, now: u32, until: Option<u32>) -> Option<Rest> {
    let is_meant = who.workers.is_empty() || who.workers.iter().any(|worker| is_named(user, worker));
    if !is_meant {
        return None;
    }
    if who.run_percent == 0 {
        return Some(Rest { until });
    }
    // Devices rest at different times, so that their total power is even.
    let at = (u64::from(now) + phase(user)) % u64::from(POWER_PERIOD_S);
    let runs = u64::from(POWER_PERIOD_S) * u64::from(who.run_percent) / 100;
    let next = u32::try_from(u64::from(now) + u64::from(POWER_PERIOD_S) - at).unwrap_or(u32::MAX);
    (at >= runs).then(|| Rest { until: Some(until.map_or(next, |until| until.min(next))) })
}

/// True if a user name is this worker's: the whole name, or its end after a separator.
fn is_named(user: &str, worker: &str) -> bool {
    let before = user.trim().strip_suffix(worker);
    before.is_some_and(|before| before.chars().next_back().is_none_or(|letter| !letter.is_alphanumeric()))
}

/// A hash of the name: FNV-1a.
fn phase(user: &str) -> u64 {
    user.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
        >> 16
}

#[cfg(test)]
mod tests;
