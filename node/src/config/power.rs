//! Keys for power: when devices rest, by the time of day.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};

use super::error::ConfigError;
use super::keys;
use super::settings::Settings;
use crate::limits::{PAUSE_WORKERS_MAX, PAUSES_MAX};

/// When devices rest.
#[derive(Debug, Clone)]
pub struct PowerConfig {
    /// The time zone of the times.
    pub zone: TimeZone,
    /// The pauses.
    pub pauses: Vec<Pause>,
}

impl Default for PowerConfig {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, pauses: Vec::new() }
    }
}

impl PowerConfig {
    /// What the time zone is called.
    pub fn zone_name(&self) -> String {
        match self.zone.iana_name() {
            Some(name) => name.to_owned(),
            None => self.zone.to_fixed_offset().map_or_else(|_| "system".to_owned(), |offset| offset.to_string()),
        }
    }
}

/// A time of day at which devices rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// When it begins, on each of its days.
    from: Time,
    /// When it ends; on the next day unless that is later than its start.
    to: Time,
    /// Days on which it begins: bit 0 is Monday.
    days: u8,
    /// Which devices rest, and for which part of the time.
    pub who: Who,
}

/// Which devices rest, and for which part of the time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Percentage of the time for which they run, 0 to 99.
    pub run_percent: u8,
    /// Names of their workers; empty for all.
    pub workers: Vec<String>,
}

/// Advice for pauses.
const PAUSE: &str = "two times of day and options, like \"18:00-08:00\", \"18:00-08:00 mon-fri workers=rig1,rig2\" or \
                     \"08:00-10:00 run=50%\"; run takes 0 to 99";
/// Advice for time zones.
const ZONE: &str = "the name of a time zone that this machine knows, like Europe/Berlin (its data is in the package tzdata), \
                    an offset like +02:00, or system";

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Resolves the keys.
pub(super) fn resolve(settings: &Settings) -> Result<PowerConfig, ConfigError> {
    let key = &keys::POWER_PAUSE;
    let pauses = settings.parse_many(key, PAUSE, Pause::parse)?.unwrap_or_default();
    settings.bounded(key, pauses.len(), PAUSES_MAX, "at most 32 pauses")?;
    let zone = settings.parse(&keys::POWER_TIME_ZONE, ZONE, zone)?.unwrap_or_else(TimeZone::system);
    Ok(PowerConfig { zone, pauses })
}

fn zone(text: &str) -> Option<TimeZone> {
    match text {
        "system" => Some(TimeZone::system()),
        _ if text.starts_with(['+', '-']) => offset(text).map(TimeZone::fixed),
        _ => TimeZone::get(text).ok(),
    }
}

/// An offset from UTC, such as `+02:00`.
fn offset(text: &str) -> Option<Offset> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let time = time(text.get(1..)?).filter(|time| time.hour() <= 14)?;
    Offset::from_seconds(sign * (i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60)).ok()
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| text.len() <= 2 && text.bytes().all(|digit| digit.is_ascii_digit());
    (digits(hour) && digits(minute)).then(|| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok())?
}

/// Days of the week, like `mon-fri` or `sat,sun`. Bit 0 is Monday.
fn days(text: &str) -> Option<u8> {
    let day = |text: &str| DAYS.iter().position(|day| *day == text);
    text.split(',').try_fold(0, |days, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        // The range may span the end of the week.
        let range = (0..7).map(|more| (first + more) % 7);
        let length = (last + 7 - first) % 7 + 1;
        Some(range.take(length).fold(days, |days, day| days | 1 << day))
    })
}

impl Who {
    /// Reads `run=` and `workers=`. `None` for anything else, or for one of them twice.
    pub fn take(&mut self, word: &str) -> Option<()> {
        let (option, value) = word.split_once('=')?;
        match option {
            "run" if self.run_percent == 0 => {
                let percent = value.strip_suffix('%').unwrap_or(value);
                self.run_percent = percent.parse().ok().filter(|percent| *percent < 100)?;
            }
            "workers" if self.workers.is_empty() => {
                self.workers = value.split(',').map(str::to_owned).collect();
                let fits = |name: &String| !name.is_empty() && name.len() <= stratum::limits::USER_BYTES_MAX;
                if self.workers.len() > PAUSE_WORKERS_MAX || !self.workers.iter().all(fits) {
                    return None;
                }
            }
            _ => return None,
        }
        Some(())
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.run_percent > 0 {
            write!(f, " run={}%", self.run_percent)?;
        }
        if !self.workers.is_empty() {
            write!(f, " workers={}", self.workers.join(","))?;
        }
        Ok(())
    }
}

impl Pause {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (from, to) = words.next()?.split_once('-')?;
        let mut pause = Self { from: time(from)?, to: time(to)?, days: 0, who: Who::default() };
        for word in words {
            match days(word) {
                Some(days) if pause.days == 0 => pause.days = days,
                Some(_) => return None,
                None => pause.who.take(word)?,
            }
        }
        if pause.days == 0 {
            pause.days = 0x7f;
        }
        Some(pause)
    }

    /// The end of the pause that holds at `now`, both seconds since 1970; none if none holds.
    pub fn end(&self, now: u32, zone: &TimeZone) -> Option<u32> {
        let today = Timestamp::from_second(now.into()).ok()?.to_zoned(zone.clone()).date();
        [today, today.yesterday().ok()?].into_iter().find_map(|date| {
            let begins = self.days >> date.weekday().to_monday_zero_offset() & 1 == 1;
            let last = if self.to > self.from { date } else { date.tomorrow().ok()? };
            let span = second(date, self.from, zone)?..second(last, self.to, zone)?;
            (begins && span.contains(&now)).then_some(span.end)
        })
    }
}

/// A local time, seconds since 1970. A time that daylight saving skips or repeats moves with the clock.
fn second(date: Date, time: Time, zone: &TimeZone) -> Option<u32> {
    let zoned = date.to_datetime(time).to_zoned(zone.clone()).ok()?;
    u32::try_from(zoned.timestamp().as_second()).ok()
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.strftime("%H:%M"), self.to.strftime("%H:%M"))?;
        if self.days != 0x7f {
            let named = DAYS.iter().enumerate().filter(|(day, _)| self.days >> day & 1 == 1);
            write!(f, " {}", named.map(|(_, name)| *name).collect::<Vec<_>>().join(","))?;
        }
        write!(f, "{}", self.who)
    }
}
