//! Accounts of the Stratum server: whom a miner's work pays, and in which parts.
//!
//! The account of one payee is its payout script. That of several is a byte that begins no payout script, then percentage,
//! length and script of each, in the order of the scripts.

use bitcoin::ScriptBuf;
use stratum::Account;

/// Begins the account of several payees. No payout script begins with it: it is an invalid opcode.
const SEVERAL: u8 = 0xff;

/// A payout script, and the percentage of a miner's work that pays it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Payout script.
    pub script: ScriptBuf,
    /// Percentage of the work, 1 to 100.
    pub percent: u8,
}

/// The account of these payees. Their order does not matter.
pub(super) fn account_of(parts: &[Part]) -> Account {
    if let [Part { script, percent: 100 }] = parts {
        return Account::from(script.as_bytes());
    }
    let mut parts = parts.to_vec();
    parts.sort();
    let mut bytes = vec![SEVERAL];
    for Part { script, percent } in parts {
        let length = u8::try_from(script.len()).unwrap_or(u8::MAX);
        bytes.extend([percent, length]);
        bytes.extend(script.as_bytes());
    }
    Account::from(bytes)
}

/// The payees of an account, in the order of their scripts.
#[must_use]
pub fn parts_of(account: &[u8]) -> Vec<Part> {
    let Some(mut rest) = account.strip_prefix(&[SEVERAL]) else {
        return vec![Part { script: ScriptBuf::from_bytes(account.to_vec()), percent: 100 }];
    };
    let mut parts = Vec::new();
    while let [percent, length, after @ ..] = rest
        && let Some((script, following)) = after.split_at_checked(usize::from(*length))
    {
        parts.push(Part { script: ScriptBuf::from_bytes(script.to_vec()), percent: *percent });
        rest = following;
    }
    parts
}

/// The percentage of an account's work that pays this script; 0 if none does.
#[must_use]
pub fn percent_of(account: &[u8], script: &[u8]) -> u8 {
    parts_of(account).iter().find(|part| part.script.as_bytes() == script).map_or(0, |part| part.percent)
}
