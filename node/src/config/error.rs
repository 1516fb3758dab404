//! Configuration errors. Each variant says what is wrong, where, and what to do.

use std::path::PathBuf;

use super::address::AddressError;
use super::keys::Key;
use super::origin::Origin;

/// An error in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the config file {path} cannot be read; check its name and permissions", path = path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// The file is far too large to be a config file.
    #[error(
        "the config file {path} has {size_bytes} bytes, more than {limit_bytes}; is it the right file?",
        path = path.display()
    )]
    TooLarge {
        /// Path of the file.
        path: PathBuf,
        /// Its size, bytes.
        size_bytes: u64,
        /// Maximum size, bytes.
        limit_bytes: u64,
    },
    /// The file is not valid TOML.
    #[error("{path} line {line} is not valid TOML: {reason}", path = path.display())]
    Syntax {
        /// Path of the file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// Message of the parser.
        reason: String,
    },
    /// The file has an unknown key.
    #[error("{origin}: unknown key `{name}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// Where it was written.
        origin: Origin,
        /// The key as written, with its table.
        name: String,
        /// The most similar valid key.
        nearest: &'static str,
    },
    /// An environment variable looks like a setting but is not.
    #[error("unknown environment variable {name}; did you mean {nearest}?")]
    UnknownVariable {
        /// Name of the variable.
        name: String,
        /// The most similar variable of a setting.
        nearest: &'static str,
    },
    /// A value has the wrong type.
    #[error("{origin}: `{key}` takes {expected}, not {found}")]
    WrongType {
        /// Where it was written.
        origin: Origin,
        /// Name of the key.
        key: &'static str,
        /// The type that the key takes.
        expected: &'static str,
        /// The type of the given value.
        found: &'static str,
    },
    /// A value is invalid.
    #[error("{origin}: `{key}` cannot be {value}; write {expected}")]
    BadValue {
        /// Where it was written.
        origin: Origin,
        /// Name of the key.
        key: &'static str,
        /// The value as written, quoted; not shown for secrets.
        value: String,
        /// What to write instead.
        expected: &'static str,
    },
    /// The payout address is invalid.
    #[error("{origin}: `{key}` cannot be used")]
    Address {
        /// Where it was written.
        origin: Origin,
        /// Name of the key.
        key: &'static str,
        /// Why it is invalid.
        source: Box<AddressError>,
    },
    /// Two keys exclude each other.
    #[error("{origin}: `{key}` excludes `{other}`, which {other_origin} sets; remove one of them")]
    Conflict {
        /// Where the first key was written.
        origin: Origin,
        /// The first key.
        key: &'static str,
        /// The second key.
        other: &'static str,
        /// Where the second key was written.
        other_origin: Origin,
    },
    /// A key requires another one.
    #[error("{origin}: `{key}` needs `{missing}` as well; set it, or remove `{key}`")]
    Incomplete {
        /// Where the first key was written.
        origin: Origin,
        /// The first key.
        key: &'static str,
        /// The missing key.
        missing: &'static str,
    },
    /// The wide pool of mainnet does not exist yet.
    #[error(
        "`outputs = \"wide\"` is not launched on main, because two small pools would be two cheap targets; remove it, or try it \
         on a test network"
    )]
    NotLaunched,
    /// A default is below the home folder, but HOME is not set.
    #[error("the environment variable HOME is not set, so `{key}` has no default; set it")]
    NoHome {
        /// The key without a default.
        key: &'static str,
    },
}

impl ConfigError {
    pub(super) fn bad_value(key: &'static Key, origin: &Origin, text: &str, expected: &'static str) -> Self {
        // A URL with a password is rejected; the error must not show the password.
        let hidden = key.secret || text.contains('@');
        let value = if hidden { "what it is".to_owned() } else { format!("{text:?}") };
        Self::BadValue { origin: origin.clone(), key: key.name, value, expected }
    }
}
