//! Verdicts and their text form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sharechain::RuleError;

use crate::value::{ValueError, as_text};

/// Number of a rule, written as `SC-` and three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule(u16);

impl From<RuleError> for Rule {
    fn from(error: RuleError) -> Self {
        Self(
            error
                .rule()
                .bytes()
                .filter(u8::is_ascii_digit)
                .fold(0, |number, digit| number * 10 + u16::from(digit - b'0')),
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SC-{:03}", self.0)
    }
}

impl FromStr for Rule {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let digits = text.strip_prefix("SC-").filter(|digits| digits.len() == 3);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(Self).ok_or(ValueError::NotAVerdict)
    }
}

macro_rules! verdicts {
    ($(#[$doc:meta])* $type:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$of])* $variant,)*
            /// The item breaks this rule.
            Broken(Rule),
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => $word.fmt(f),)*
                    Self::Broken(rule) => rule.fmt(f),
                }
            }
        }

        impl FromStr for $type {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => text.parse().map(Self::Broken),
                }
            }
        }

        impl From<RuleError> for $type {
            fn from(error: RuleError) -> Self {
                Self::Broken(error.into())
            }
        }

        as_text!($type);
    };
}

verdicts! {
    /// Verdict on a proof.
    ProofVerdict {
        /// The proof is valid.
        Valid = "valid",
        /// The proof cannot be judged yet.
        Held = "held",
        /// The proof is too old for any link to list it, or unknown.
        Unlistable = "unlistable",
        /// The id was already valid; nothing was checked.
        Known = "known",
    }
}

verdicts! {
    /// Verdict on a link's list.
    ListVerdict {
        /// The list and all lists before it are known and valid.
        Complete = "complete",
        /// The proof, a listed proof or an earlier list is missing.
        Held = "held",
        /// The list belongs to no valid link.
        Ignored = "ignored",
    }
}

/// Verdict on a Bitcoin header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeaderVerdict {
    /// The header follows Bitcoin's rules.
    Valid,
    /// The previous header is missing, or the header's time is too far ahead of the clock.
    Held,
    /// The header breaks a Bitcoin rule.
    Invalid,
}

impl fmt::Display for HeaderVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Held => "held",
            Self::Invalid => "invalid",
        })
    }
}
