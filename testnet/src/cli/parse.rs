//! Parses the values of flags.

use node::config::Outputs;

/// Parses an integer from 1 to `max`.
pub(super) fn count(max: usize) -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=max as u64)
}

/// Parses `400k`, `1.5M` or `400000`.
pub(super) fn parse_hashrate(text: &str) -> Result<f64, &'static str> {
    let (number, unit) = match text.char_indices().last() {
        Some((end, 'k' | 'K')) => (&text[..end], 1e3),
        Some((end, 'M' | 'm')) => (&text[..end], 1e6),
        _ => (text, 1.0),
    };
    let rate = number.parse::<f64>().map(|number| number * unit).unwrap_or(f64::NAN);
    let is_sensible = rate.is_finite() && rate >= 1.0;
    if is_sensible { Ok(rate) } else { Err("expected hashes per second, such as 400k or 1.5M") }
}

/// Parses `standard` or `wide`.
pub(super) fn parse_outputs(text: &str) -> Result<Outputs, &'static str> {
    text.parse().map_err(|_| "expected standard or wide")
}

/// Parses a divisor of main's rate.
pub(super) fn parse_fraction(text: &str) -> Result<u32, &'static str> {
    let fraction = text.parse().ok().filter(|fraction| [1, 2, 4, 8, 16, 32].contains(fraction));
    fraction.ok_or("expected 1, 2, 4, 8, 16 or 32")
}

/// Parses `m2=2000`.
pub(super) fn parse_delay(text: &str) -> Result<(String, u64), &'static str> {
    let parsed = text.split_once('=').and_then(|(name, ms)| Some((name.to_owned(), ms.parse().ok()?)));
    parsed.ok_or("expected a miner and milliseconds, such as m2=2000")
}
