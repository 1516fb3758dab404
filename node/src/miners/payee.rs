//! From the user name that a miner gives to whom its work pays. The only parser of user names: what it found is kept in the
//! connection's record, and everyone else reads it there.

use bitcoin::ScriptBuf;

use crate::config::{AddressError, Network, parse_address};

/// What a user name says: `ADDRESS`, `ADDRESS.WORKER`, or `WORKER` where the node has an address of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payee {
    /// The script that is paid.
    pub script: ScriptBuf,
    /// The worker's name without blanks around it; empty when none was given.
    pub worker: String,
}

/// Why a user name cannot be paid.
#[derive(Debug, thiserror::Error)]
#[error("user name must be ADDRESS.WORKER: {0}")]
pub struct PayeeError(#[from] AddressError);

impl Payee {
    /// Reads a user name. Blanks around the address and around the worker's name do not matter. A name without an address is
    /// paid to `default`, if there is one.
    ///
    /// # Errors
    /// One sentence for the person who typed it.
    pub fn parse(user: &str, network: Network, default: Option<&ScriptBuf>) -> Result<Self, PayeeError> {
        let (address, worker) = user.split_once('.').unwrap_or((user, ""));
        let (address, worker) = (address.trim(), worker.trim());
        match parse_address(address, network) {
            Ok(address) => Ok(Self { script: address.script_pubkey(), worker: worker.to_owned() }),
            Err(error) => match default {
                // Without an address the name is just a worker's.
                Some(script) if !looks_like_address(address) => {
                    Ok(Self { script: script.clone(), worker: user.trim().to_owned() })
                }
                _ => Err(error.into()),
            },
        }
    }
}

/// True for a name that was meant as an address: to pay someone else for a typing error would be worse than an error.
fn looks_like_address(name: &str) -> bool {
    const ADDRESS_CHARS_MIN: usize = 26;
    name.len() >= ADDRESS_CHARS_MIN
}

#[cfg(test)]
mod tests;
