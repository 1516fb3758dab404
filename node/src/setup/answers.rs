//! The settings that are known so far, and the file that they make.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::keys::{KEYS, Key, Shape};
use crate::config::{Config, ConfigError, Overrides};
use crate::error::NodeError;
use crate::files;
use node_core::sentence;

/// Settings by the names of their keys.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    values: BTreeMap<&'static str, Vec<String>>,
    path: PathBuf,
}

impl Answers {
    /// Values of flags and environment variables.
    pub(super) fn new(overrides: &Overrides, path: PathBuf) -> Self {
        Self { values: overrides.given().map(|(name, values)| (name, values.to_vec())).collect(), path }
    }

    /// The file to write.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.values.contains_key(key.name)
    }

    /// Sets a key, if the configuration is valid with it.
    pub(super) fn try_set(&mut self, key: &'static Key, text: &str) -> Result<(), ConfigError> {
        let values = match key.shape {
            Shape::Many => text.split([',', ' ']).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
            Shape::One | Shape::Switch => vec![text.to_owned()],
        };
        let mut next = self.clone();
        next.values.insert(key.name, values);
        next.config()?;
        *self = next;
        Ok(())
    }

    /// The configuration that these settings make.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        Config::of_text(&self.text(), &self.path)
    }

    /// What is wrong with a setting, without its line in the file, which is not written yet.
    pub(super) fn words(&self, error: &ConfigError) -> String {
        let words = sentence(error);
        let place = format!("{} line ", self.path.display());
        let after = words.strip_prefix(&place).and_then(|rest| rest.split_once(": "));
        after.map_or_else(|| words.clone(), |(_, after)| after.to_owned())
    }

    pub(super) fn wrong(&self, error: &ConfigError) -> NodeError {
        NodeError::SetupWrong { words: self.words(error) }
    }

    /// Writes the file. If it holds a password, only its owner can read it.
    pub(super) fn write(&self) -> Result<(), NodeError> {
        let failed = |source| NodeError::SetupFile { path: self.path.clone(), source };
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let secret = KEYS.iter().any(|key| key.secret && self.has(key));
        let mode = if secret { files::PRIVATE } else { files::PUBLIC };
        files::replace(&self.path, self.text().as_bytes(), mode).map_err(failed)
    }

    /// The text of the file: keys outside tables first, then each table once.
    fn text(&self) -> String {
        let mut text = "# Written by `shoal setup`. shoal.example.toml describes every key.\n".to_owned();
        let mut table = "";
        let (inside, outside): (Vec<&Key>, Vec<&Key>) = KEYS.iter().partition(|key| key.name.contains('.'));
        for key in outside.into_iter().chain(inside) {
            let Some(values) = self.values.get(key.name) else { continue };
            let (of, name) = key.name.split_once('.').unwrap_or(("", key.name));
            if of != table {
                table = of;
                text.push_str(&format!("\n[{table}]\n"));
            }
            text.push_str(&format!("{name} = {}\n", value(key, values)));
        }
        text
    }
}

/// A value in TOML, whose strings may be written like those of JSON.
fn value(key: &Key, values: &[String]) -> String {
    let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string();
    let first = values.first();
    match key.shape {
        Shape::One => first.map(quoted).unwrap_or_default(),
        Shape::Switch => first.cloned().unwrap_or_default(),
        Shape::Many => format!("[{}]", values.iter().map(quoted).collect::<Vec<_>>().join(", ")),
    }
}
