//! Reads the TOML file into settings, and rejects unknown keys.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::keys::{self, Key, Shape};
use super::origin::Origin;
use super::settings::{Setting, Settings};
use crate::limits::CONFIG_BYTES_MAX;

/// Reads one config file.
///
/// # Errors
/// The file cannot be read, is not valid TOML, or has an unknown key or a value of the wrong type.
pub(super) fn read(path: &Path) -> Result<Settings, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let size_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if size_bytes > CONFIG_BYTES_MAX {
        let limit_bytes = CONFIG_BYTES_MAX;
        return Err(ConfigError::TooLarge { path: path.to_owned(), size_bytes, limit_bytes });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    parse(&text, path)
}

/// Parses the text of a config file. `path` only appears in messages.
///
/// # Errors
/// As [`read`].
pub(super) fn parse(text: &str, path: &Path) -> Result<Settings, ConfigError> {
    let file = File { text, path };
    let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        line: file.line(&error.span().unwrap_or_default()),
        reason: error.message().replace('\n', ", "),
    })?;
    let mut settings = Settings::default();
    file.collect("", table.get_ref(), &mut settings)?;
    Ok(settings)
}

struct File<'a> {
    text: &'a str,
    path: &'a Path,
}

impl File<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    fn origin(&self, span: &Range<usize>) -> Origin {
        Origin::File { path: self.path.to_owned(), line: self.line(span) }
    }

    /// Collects the values of `table`, with `prefix` before each key's name.
    fn collect(&self, prefix: &str, table: &DeTable<'_>, settings: &mut Settings) -> Result<(), ConfigError> {
        for (name, value) in table {
            let full = format!("{prefix}{}", name.get_ref());
            let origin = self.origin(&name.span());
            if let Some(key) = keys::find(&full) {
                let values = values(key, value, &origin)?;
                settings.insert(key, Setting { values, origin });
            } else if let (DeValue::Table(inner), true) = (value.get_ref(), keys::is_table(&full)) {
                self.collect(&format!("{full}."), inner, settings)?;
            } else {
                let nearest = keys::nearest(&full);
                return Err(ConfigError::UnknownKey { origin, name: full, nearest });
            }
        }
        Ok(())
    }
}

/// The values of a key as text, if they have the key's shape.
fn values(key: &'static Key, value: &Spanned<DeValue<'_>>, origin: &Origin) -> Result<Vec<String>, ConfigError> {
    let wrong = |found: &DeValue<'_>| ConfigError::WrongType {
        origin: origin.clone(),
        key: key.name,
        expected: match key.shape {
            Shape::One => "one value, in quotes unless it is a number",
            Shape::Many => "a list of strings, [\"like\", \"this\"]",
            Shape::Switch => "true or false",
        },
        found: found.type_str(),
    };
    let value = value.get_ref();
    match (key.shape, value) {
        (Shape::One, DeValue::String(text)) => Ok(vec![text.to_string()]),
        (Shape::One, DeValue::Integer(number)) => Ok(vec![number.as_str().replace('_', "")]),
        (Shape::One, DeValue::Float(number)) => Ok(vec![number.as_str().replace('_', "")]),
        (Shape::Switch, DeValue::Boolean(switch)) => Ok(vec![switch.to_string()]),
        (Shape::Many, DeValue::Array(items)) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(wrong(other)),
            })
            .collect(),
        (_, other) => Err(wrong(other)),
    }
}
