//! What can be wrong with the configuration: each variant says what, where, and what to do.

use std::path::PathBuf;

use super::address::AddressError;
use super::keys::Key;
use super::settings::Origin;

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the config file {path} cannot be read; check its name and permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is far too large to be a config file.
    #[error("the config file {path} has {size_bytes} bytes, more than {limit_bytes}; is it the right file?", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size_bytes: u64,
        /// The most that is read.
        limit_bytes: u64,
    },
    /// The file is no TOML.
    #[error("{path} line {line} is not valid TOML: {reason}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// A key that does not exist.
    #[error("{origin}: there is no key `{name}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The name as written, with its table.
        name: String,
        /// The valid name that looks most like it.
        nearest: &'static str,
    },
    /// An environment variable that looks like a setting's and is none.
    #[error("no setting has the environment variable {name}; did you mean {nearest}?")]
    UnknownVariable {
        /// Its name.
        name: String,
        /// The setting's variable that looks most like it.
        nearest: &'static str,
    },
    /// A value of another type than the key takes.
    #[error("{origin}: `{key}` takes {expected}, not {found}")]
    WrongType {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: &'static str,
        /// What the key takes.
        expected: &'static str,
        /// The type of what is there.
        found: &'static str,
    },
    /// A value that cannot be used.
    #[error("{origin}: `{key}` cannot be {value}; write {expected}")]
    BadValue {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: &'static str,
        /// The value as written, quoted; not shown for secrets.
        value: String,
        /// What may be written instead.
        expected: &'static str,
    },
    /// The payout address cannot be used.
    #[error("{origin}: `address` cannot be used")]
    Address {
        /// Where it stands.
        origin: Origin,
        /// Why.
        source: Box<AddressError>,
    },
    /// Two keys that exclude each other.
    #[error("{origin}: `{key}` excludes `{other}`, which {other_origin} sets; remove one of them")]
    Conflict {
        /// Where the first stands.
        origin: Origin,
        /// The first.
        key: &'static str,
        /// The second.
        other: &'static str,
        /// Where the second stands.
        other_origin: Origin,
    },
    /// A key that makes no sense without another.
    #[error("{origin}: `{key}` needs `{missing}` as well; set it, or remove `{key}`")]
    Incomplete {
        /// Where the first stands.
        origin: Origin,
        /// The first.
        key: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// A default is below the home folder, and there is none.
    #[error("the environment variable HOME is not set, so `{key}` has no default; set it")]
    NoHome {
        /// The key without a default.
        key: &'static str,
    },
}

impl ConfigError {
    pub(super) fn bad_value(key: &'static Key, origin: &Origin, text: &str, expected: &'static str) -> Self {
        // A URL with a password in it is refused; it must not end up in the log for that.
        let hidden = key.secret || text.contains('@');
        let value = if hidden { "what it is".to_owned() } else { format!("{text:?}") };
        Self::BadValue { origin: origin.clone(), key: key.name, value, expected }
    }
}
