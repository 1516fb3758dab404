//! Parses a miner's user name into its payout script. This is the only parser of user names: the connection's record
//! keeps its result, and all other code reads it there.

use bitcoin::ScriptBuf;

use crate::config::{AddressError, Network, parse_payout_address};

/// A parsed user name: `ADDRESS`, `ADDRESS.WORKER`, or `WORKER` if the node has a default payout address.
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
    /// Parses a user name. Spaces around the address and the worker's name are ignored. The work of a name without an
    /// address is paid to `default`, if there is one.
    ///
    /// # Errors
    /// The name has no valid address, and none is configured; the sentence is for the person who typed it.
    pub fn parse(user: &str, network: Network, default: Option<&ScriptBuf>) -> Result<Self, PayeeError> {
        let (address, worker) = user.split_once('.').unwrap_or((user, ""));
        let (address, worker) = (address.trim(), worker.trim());
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

/// True if the name was probably meant as an address. Rejecting a typo is better than paying the wrong script.
fn looks_like_address(name: &str) -> bool {
    const ADDRESS_CHARS_MIN: usize = 26;
    name.len() >= ADDRESS_CHARS_MIN
}

#[cfg(test)]
mod tests;
