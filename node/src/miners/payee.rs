//! Parses a miner's user name into the payees of its work. This is the only parser of user names: the connection's
//! record keeps its result, and all other code reads it there.

use bitcoin::ScriptBuf;

use super::account::Part;
use crate::config::{AddressError, Network, parse_payout_address};
use crate::limits::SPLIT_PARTS_MAX;

/// A parsed user name: `ADDRESS`, `ADDRESS.WORKER`, or `WORKER` if the node has a default payout address. A dot
/// separates address and worker, or, as on other pools, any character other than a letter or digit. A split names
/// several addresses with percentages: `ADDRESS1:70,ADDRESS2:30.WORKER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payee {
    /// Payout scripts with their percentages, which add up to 100.
    pub parts: Vec<Part>,
    /// Name of the worker, trimmed; empty if none was given.
    pub worker: String,
}

/// Why a user name is not usable.
#[derive(Debug, thiserror::Error)]
pub enum PayeeError {
    /// The name has no usable address.
    #[error("user name must be ADDRESS.WORKER: {0}")]
    Address(#[from] AddressError),
    /// The name begins like a split, but is invalid.
    #[error("user name must be ADDRESS.WORKER, or ADDRESS1:70,ADDRESS2:30.WORKER for a split: {0}")]
    Split(#[from] SplitError),
}

/// Why a split is not usable.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// An address is not usable.
    #[error(transparent)]
    Address(AddressError),
    /// An address has no percentage, or not a whole one.
    #[error("each address of a split needs a colon and a whole percentage from 1 to 99 after it, and \"{0}\" has none")]
    Percent(String),
    /// The percentages do not add up.
    #[error("the whole percentages of the split add up to {0}, not to 100")]
    Sum(u32),
    /// There are too many addresses.
    #[error("a split has at most {SPLIT_PARTS_MAX} addresses")]
    TooMany,
    /// The worker's name is an address.
    #[error("it names the address \"{0}\" in another way")]
    Unclear(String),
    /// An address appears twice.
    #[error("the split names \"{0}\" twice; add its percentages up")]
    Twice(String),
}

impl Payee {
    /// Parses a user name. Blanks around the address and the worker's name are ignored, and so is `bitcoin:` before an
    /// address. The work of a name without an address is paid to `default`, if there is one. A name with a second
    /// address that is not a valid split is rejected: its author meant a split, and all of the work would pay the first
    /// address.
    ///
    /// # Errors
    /// The name has no valid address, and none is configured; the sentence is for the person who typed it.
    pub fn parse(user: &str, network: Network, default: Option<&ScriptBuf>) -> Result<Self, PayeeError> {
        let user = without_scheme(user);
        if begins_split(user) {
            return Ok(Self::split(user, network)?);
        }
        let (address, worker) = split(user);
        let whole = |script| vec![Part { script, percent: 100 }];
        match parse_payout_address(address, network) {
            Ok(address) => {
                let script = address.script_pubkey();
                no_other_address(worker, Some(&script), network)?;
                Ok(Self { parts: whole(script), worker: worker.to_owned() })
            }
            Err(error) => match default {
                // Without an address, the whole name is the worker's.
                Some(script) if !looks_like_address(address) => {
                    no_other_address(user, None, network)?;
                    Ok(Self { parts: whole(script.clone()), worker: user.to_owned() })
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Parses a name that begins like a split.
    fn split(user: &str, network: Network) -> Result<Self, SplitError> {
        let (mut rest, mut parts): (_, Vec<Part>) = (user, Vec::new());
        loop {
            let (address, after) = run(rest, char::is_alphanumeric);
            let none = || SplitError::Percent(address.to_owned());
            let after = after.strip_prefix(':').ok_or_else(none)?.trim_start();
            let (digits, after) = run(after, |letter| letter.is_ascii_digit());
            let percent = digits.parse().ok().filter(|percent| (1..100).contains(percent)).ok_or_else(none)?;
            let after = after.strip_prefix('%').unwrap_or(after).trim_start();
            let script = parse_payout_address(address, network).map_err(SplitError::Address)?.script_pubkey();
            if parts.iter().any(|part| part.script == script) {
                return Err(SplitError::Twice(address.to_owned()));
            }
            if parts.len() >= SPLIT_PARTS_MAX {
                return Err(SplitError::TooMany);
            }
            parts.push(Part { script, percent });
            match after.strip_prefix(',') {
                Some(next) => rest = next.trim_start(),
                // Any separator can follow the last percentage; a digit is not one.
                None => {
                    let separator = after.chars().next().filter(|letter| !letter.is_alphanumeric());
                    let worker = after[separator.map_or(0, char::len_utf8)..].trim().to_owned();
                    let sum = parts.iter().map(|part| u32::from(part.percent)).sum();
                    return if sum == 100 { Ok(Self { parts, worker }) } else { Err(SplitError::Sum(sum)) };
                }
            }
        }
    }
}

/// Drops blanks at both ends and `bitcoin:` before an address.
fn without_scheme(user: &str) -> &str {
    const SCHEME: &str = "bitcoin:";
    let user = user.trim();
    match user.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => user[SCHEME.len()..].trim(),
        _ => user,
    }
}

/// Splits after the letters at the beginning, and drops blanks after them.
fn run(text: &str, is_letter: impl Fn(char) -> bool) -> (&str, &str) {
    let (letters, rest) = text.split_at(text.find(|letter: char| !is_letter(letter)).unwrap_or(text.len()));
    (letters, rest.trim_start())
}

/// True for an address, a colon, a number, and a comma, which is no plausible worker's name.
fn begins_split(user: &str) -> bool {
    let (address, rest) = run(user, char::is_alphanumeric);
    let number = rest.strip_prefix(':').and_then(|rest| rest.split_once(',')).map(|(number, _)| number);
    let is_number = |number: &str| {
        number.contains(|letter: char| letter.is_ascii_digit())
            && number.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '%' | ' '))
    };
    looks_like_address(address) && number.is_some_and(is_number)
}

/// Looks for an address in a worker's name, other than the one that is paid.
///
/// # Errors
/// There is one.
fn no_other_address(worker: &str, paid: Option<&ScriptBuf>, network: Network) -> Result<(), SplitError> {
    let is_other = |word: &&str| match parse_payout_address(word, network) {
        Ok(address) => paid != Some(&address.script_pubkey()),
        Err(AddressError::NotAnAddress { .. } | AddressError::Mistyped { .. }) => false,
        Err(_) => true,
    };
    let mut words =
        worker.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| looks_like_address(word));
    match words.find(is_other) {
        Some(word) => Err(SplitError::Unclear(word.to_owned())),
        None => Ok(()),
    }
}

/// Splits a user name after its first run of letters and digits, as all addresses are, and drops one separator.
fn split(user: &str) -> (&str, &str) {
    let (address, rest) = run(user, char::is_alphanumeric);
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
