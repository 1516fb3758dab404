//! Keys for the fee of the node's owner.

use std::fmt;

use bitcoin::Address;

use super::address::parse_payout_address;
use super::error::ConfigError;
use super::keys;
use super::network::Network;
use super::settings::Settings;
use crate::limits::FEE_HUNDREDTHS_MAX;

/// The fee of a node's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// Hundredths of a percent, above 0.
    pub hundredths: u16,
    /// Whom the fee pays.
    pub address: Address,
}

impl Fee {
    /// The fee in percent.
    pub fn percent(&self) -> f64 {
        f64::from(self.hundredths) / 100.0
    }
}

/// The sentence sent to each miner.
impl fmt::Display for Fee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}% of the work pays this node's owner, {}", self.percent(), self.address)
    }
}

/// Resolves the keys. `address` is the node's own payout address.
pub(super) fn resolve(
    settings: &Settings,
    network: Network,
    address: Option<&Address>,
) -> Result<Option<Fee>, ConfigError> {
    let (percent, payee) = (&keys::STRATUM_FEE_PERCENT, &keys::STRATUM_FEE_ADDRESS);
    let expected = "a percentage from 0 to 10 with at most two decimals, like 1 or 0.5";
    let given =
        match settings.text(payee) {
            None => None,
            Some((text, origin)) => Some(parse_payout_address(text, network).map_err(|source| {
                ConfigError::Address { origin: origin.clone(), key: payee.name, source: Box::new(source) }
            })?),
        };
    let hundredths = settings.parse(percent, expected, hundredths)?.unwrap_or(0);
    match (given.or_else(|| address.cloned()), settings.origin(percent)) {
        (Some(address), _) if hundredths > 0 => Ok(Some(Fee { hundredths, address })),
        (None, Some(origin)) if hundredths > 0 => {
            Err(ConfigError::Incomplete { origin: origin.clone(), key: percent.name, missing: payee.name })
        }
        _ => Ok(None),
    }
}

/// Parses a percentage with at most two decimals, exactly.
fn hundredths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let tenth = if decimals.len() == 1 { 10 } else { 1 };
    let value = whole.parse::<u16>().ok()? * 100 + decimals.parse::<u16>().ok()? * tenth;
    (value <= FEE_HUNDREDTHS_MAX).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn percentages_are_exact_and_bounded() {
        for (text, value) in
            [("0", 0), ("1", 100), ("0.5", 50), ("0.05", 5), ("2.25", 225), ("10", 1_000), ("10.00", 1_000)]
        {
            assert_eq!(hundredths(text), Some(value), "{text}");
        }
        for text in ["", "-1", "+1", "1%", "1.", ".5", "1.234", "10.01", "11", "100", "1e0", "1.+"] {
            assert_eq!(hundredths(text), None, "{text}");
        }
    }
}
