//! Values as they were written, each with the place where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::error::ConfigError;
use super::keys::{Key, Shape};

/// The place where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of the config file, counted from 1.
    File {
        /// The config file.
        path: PathBuf,
        /// The line in it.
        line: usize,
    },
    /// An environment variable.
    Env(&'static str),
    /// A flag of the command line, without its dashes.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::Flag(name) => write!(f, "the flag --{name}"),
        }
    }
}

/// The text given for one key.
#[derive(Clone)]
pub struct Setting {
    /// The values; exactly one unless the key takes a list.
    pub values: Vec<String>,
    /// Where they stand.
    pub origin: Origin,
}

/// Shows the origin only: the values may be a password.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What was written, by key name.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings(BTreeMap<&'static str, Setting>);

impl Settings {
    pub(super) fn insert(&mut self, key: &Key, setting: Setting) {
        self.0.insert(key.name, setting);
    }

    /// Lays `upper` over these settings: what it names wins.
    pub(super) fn overlay(&mut self, upper: &Self) {
        self.0.extend(upper.0.iter().map(|(name, setting)| (*name, setting.clone())));
    }

    pub(super) fn origin(&self, key: &Key) -> Option<&Origin> {
        self.0.get(key.name).map(|setting| &setting.origin)
    }

    /// The text of a key that takes one value.
    pub(super) fn text(&self, key: &Key) -> Option<(&str, &Origin)> {
        let setting = self.0.get(key.name)?;
        Some((setting.values.first()?, &setting.origin))
    }

    /// Parses the value of a key that takes one value.
    pub(super) fn parse<T>(
        &self,
        key: &'static Key,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((text, origin)) = self.text(key) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| ConfigError::bad_value(key, origin, text, expected))
    }

    /// Parses every value of a key that takes a list.
    pub(super) fn parse_many<T>(
        &self,
        key: &'static Key,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        debug_assert_eq!(key.shape, Shape::Many);
        let Some(Setting { values, origin }) = self.0.get(key.name) else { return Ok(None) };
        let parsed =
            values.iter().map(|text| parse(text).ok_or_else(|| ConfigError::bad_value(key, origin, text, expected)));
        parsed.collect::<Result<Vec<_>, _>>().map(Some)
    }
}
