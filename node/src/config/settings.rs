//! Settings as text, each with its origin.

use std::collections::BTreeMap;
use std::fmt;

use super::error::ConfigError;
use super::keys::{self, Key, Shape};
use super::origin::Origin;

/// The text of one key.
#[derive(Clone)]
pub struct Setting {
    /// The values; one unless the key takes a list.
    pub values: Vec<String>,
    /// Where they were written.
    pub origin: Origin,
}

/// Shows only the origin: the values may be a password.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// All settings, by key name.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings(BTreeMap<&'static str, Setting>);

impl Settings {
    pub(super) fn insert(&mut self, key: &Key, setting: Setting) {
        self.0.insert(key.name, setting);
    }

    /// Overlays `upper` over these settings: its values win.
    pub(super) fn overlay(&mut self, upper: &Self) {
        self.0.extend(upper.0.iter().map(|(name, setting)| (*name, setting.clone())));
    }

    /// True if a secret is written in a file.
    pub(super) fn has_secret_in_file(&self) -> bool {
        let is_there = |key: &Key| {
            let in_file = |setting: &&Setting| matches!(setting.origin, Origin::File { .. });
            self.0
                .get(key.name)
                .filter(in_file)
                .is_some_and(|setting| setting.values.iter().any(|value| !value.is_empty()))
        };
        keys::KEYS.iter().any(|key| key.secret && is_there(key))
    }

    /// All settings as text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.0.iter().map(|(name, setting)| (*name, &setting.values[..]))
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

    /// The value of a key that is true or false.
    pub(super) fn switch(&self, key: &'static Key) -> Result<Option<bool>, ConfigError> {
        self.parse(key, "true or false", |text| text.parse().ok())
    }

    /// Rejects a list with more than `limit` entries.
    pub(super) fn bounded(
        &self,
        key: &'static Key,
        count: usize,
        limit: usize,
        expected: &'static str,
    ) -> Result<(), ConfigError> {
        match self.origin(key) {
            Some(origin) if count > limit => {
                Err(ConfigError::bad_value(key, origin, &format!("{count} entries"), expected))
            }
            _ => Ok(()),
        }
    }

    /// Parses every value of a key that takes a list.
    pub(super) fn parse_many<T>(
        &self,
        key: &'static Key,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        self.parse_each(key, |text| parse(text).ok_or(expected))
    }

    /// Like [`Self::parse_many`], but the parser gives the advice.
    pub(super) fn parse_each<T>(
        &self,
        key: &'static Key,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        debug_assert_eq!(key.shape, Shape::Many);
        let Some(Setting { values, origin }) = self.0.get(key.name) else { return Ok(None) };
        let parsed = values
            .iter()
            .map(|text| parse(text).map_err(|expected| ConfigError::bad_value(key, origin, text, expected)));
        parsed.collect::<Result<Vec<_>, _>>().map(Some)
    }
}
