//! Parses a miner's user name into its payout script. This is the only parser of user names: the connection's record
//! keeps its result, and all other code reads it there.

use bitcoin::ScriptBuf;

use crate::config::{AddressError, Network, parse_payout_address};

/// A parsed user name: `ADDRESS`, `ADDRESS.WORKER`, or `WORKER` if the node has a default payout address. Between address
/// and worker stands a dot, or what other pools use: any character that is no letter or digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payee {
    /// Payout script.
    pub script: ScriptBuf,
    /// Name of the worker, trimmed; empty if none was given.
    pub worker: String,
}

/// Why a user name is not usable.
#[derive(Debug, thiserror::Error)]
#[error("user name must be ADDRESS.WORKER: {0}")]
pub struct PayeeError(#[from] AddressError);

impl Payee {
    /// Parses a user name. Blanks around the address and the worker's name are ignored, and so is `bitcoin:` before an
    /// address. The work of a name without an address is paid to `default`, if there is one.
    ///
    /// # Errors
    /// The name has no valid address, and none is configured; the sentence is for the person who typed it.
    pub fn parse(user: &str, network: Network, default: Option<&ScriptBuf>) -> Result<Self, PayeeError> {
        let (address, worker) = split(user);
        match parse_payout_address(address, network) {
            Ok(address) => Ok(Self { script: address.script_pubkey(), worker: worker.to_owned() }),
            Err(error) => match default {
                // Without an address, the whole name is the worker's.
                Some(script) if !looks_like_address(address) => {
                    Ok(Self { script: script.clone(), worker: user.trim().to_owned() })
                }
                _ => Err(error.into()),
            },
        }
    }
}

/// Splits a user name after its first run of letters and digits, as all addresses are, and drops one separator.
fn split(user: &str) -> (&str, &str) {
    const SCHEME: &str = "bitcoin:";
    let user = user.trim();
    let user = match user.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => &user[SCHEME.len()..],
        _ => user,
    };
    let end = user.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(user.len());
    let (address, rest) = user.split_at(end);
    let rest = rest.trim_start();
    let separator = rest.chars().next().filter(|letter| !letter.is_alphanumeric());
    (address, rest[separator.map_or(0, char::len_utf8)..].trim())
}

/// True if the name was probably meant as an address. Rejecting a typo is better than paying the wrong script.
fn looks_like_address(name: &str) -> bool {
    const ADDRESS_CHARS_MIN: usize = 26;
    name.len() >= ADDRESS_CHARS_MIN
}

#[cfg(test)]
mod tests;
