//! Latency, loss, and rate as options.

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Longest latency: past it, peers count as gone.
const LATENCY_MAX: Duration = Duration::from_secs(10);

/// Largest loss, in percent: past it, TCP makes no progress.
const LOSS_PERCENT_MAX: f64 = 50.0;

/// Smallest rate, bits per second: a modem.
const RATE_BITS_MIN: f64 = 9_600.0;

/// Largest rate, bits per second. The switch itself is no faster.
const RATE_BITS_MAX: f64 = 10e9;

/// A probability that a packet gets lost, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Loss(pub u32);

/// Bytes per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u64);

/// Properties of the lines of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOptions {
    /// Time that a packet takes from one host to another, one way.
    pub latency: Duration,
    /// Latency of single hosts, by the node's name in upper case. Between two hosts, the longer one counts.
    pub latency_of: Vec<(String, Duration)>,
    /// Probability that a packet gets lost.
    pub loss: Loss,
    /// Rate of each host's line, in each direction. `None` for no limit.
    pub rate: Option<Rate>,
    /// Seed of the losses.
    pub seed: u64,
    /// Largest packet, bytes.
    pub mtu_bytes: u32,
    /// Addresses of more hosts, which are not nodes.
    pub guests: Vec<Vec<Ipv4Addr>>,
}

impl LinkOptions {
    /// Returns the latency of a node's line.
    pub fn latency_of(&self, name: &str) -> Duration {
        self.latency_of.iter().find(|(of, _)| of == name).map_or(self.latency, |(_, latency)| *latency)
    }
}

impl fmt::Display for LinkOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms, {}% loss, ", self.latency.as_millis(), f64::from(self.loss.0) / 10_000.0)?;
        match self.rate {
            Some(rate) => write!(f, "{} kbit/s", rate.0 * 8 / 1_000)?,
            None => f.write_str("any rate")?,
        }
        self.latency_of.iter().try_for_each(|(name, latency)| write!(f, ", {name} {} ms", latency.as_millis()))
    }
}

impl Default for LinkOptions {
    /// A line without limits, and Ethernet's packets.
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            latency_of: Vec::new(),
            loss: Loss::default(),
            rate: None,
            seed: 0,
            mtu_bytes: 1_500,
            guests: Vec::new(),
        }
    }
}

/// A text that is not a valid quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// Not a time.
    #[error("expected a time with its unit, such as 150ms or 1.5s")]
    Time,
    /// A time that is too long.
    #[error("expected at most {} s", LATENCY_MAX.as_secs())]
    LongTime,
    /// Not a share of packets.
    #[error("expected a percentage of packets, such as 1% or 0.5%")]
    Loss,
    /// A loss too high for any connection.
    #[error("expected at most {LOSS_PERCENT_MAX}%")]
    HighLoss,
    /// Not a rate.
    #[error("expected bits per second with their unit, such as 10mbit, 500kbit or 1gbit")]
    Rate,
    /// A rate out of range.
    #[error("expected from 9.6kbit to 10gbit")]
    RateRange,
    /// Not a node and its latency.
    #[error("expected a node and a time, such as B=1s")]
    LatencyOf,
}

/// Splits a number from its unit. Negative numbers and words such as `inf` are not numbers here.
fn split(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    number.parse().ok().map(|number| (number, unit))
}

/// Parses `150ms` or `1.5s`.
///
/// # Errors
/// [`OptionError`].
pub fn parse_latency(text: &str) -> Result<Duration, OptionError> {
    let seconds = match split(text) {
        Some((number, "ms")) => number / 1_000.0,
        Some((number, "s")) => number,
        _ => return Err(OptionError::Time),
    };
    let latency = Duration::try_from_secs_f64(seconds).map_err(|_| OptionError::Time)?;
    if latency <= LATENCY_MAX { Ok(latency) } else { Err(OptionError::LongTime) }
}

/// Parses `B=1s`.
///
/// # Errors
/// [`OptionError`].
pub fn parse_latency_of(text: &str) -> Result<(String, Duration), OptionError> {
    let (name, latency) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(OptionError::LatencyOf)?;
    Ok((name.to_ascii_uppercase(), parse_latency(latency)?))
}

/// Parses `1%`.
///
/// # Errors
/// [`OptionError`].
pub fn parse_loss(text: &str) -> Result<Loss, OptionError> {
    match split(text) {
        Some((percent, "%")) if percent <= LOSS_PERCENT_MAX => Ok(Loss((percent * 10_000.0).round() as u32)),
        Some((_, "%")) => Err(OptionError::HighLoss),
        _ => Err(OptionError::Loss),
    }
}

/// Parses `10mbit`.
///
/// # Errors
/// [`OptionError`].
pub fn parse_rate(text: &str) -> Result<Rate, OptionError> {
    let lower = text.to_ascii_lowercase();
    let bits = match split(&lower) {
        Some((number, "kbit")) => number * 1e3,
        Some((number, "mbit")) => number * 1e6,
        Some((number, "gbit")) => number * 1e9,
        _ => return Err(OptionError::Rate),
    };
    if (RATE_BITS_MIN..=RATE_BITS_MAX).contains(&bits) {
        Ok(Rate((bits / 8.0).round() as u64))
    } else {
        Err(OptionError::RateRange)
    }
}

#[cfg(test)]
mod tests;
