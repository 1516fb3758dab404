//! Paths of files and folders, in which `~/` means the home folder.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::keys::Key;
use super::settings::Settings;

/// A path, in which `~/` means the home folder, as in a shell.
pub(super) fn path(
    settings: &Settings,
    key: &'static Key,
    home: Option<&Path>,
    default: impl Fn(&Path) -> PathBuf,
) -> Result<PathBuf, ConfigError> {
    let no_home = ConfigError::NoHome { key: key.name };
    match settings.text(key) {
        None => home.map(default).ok_or(no_home),
        Some(("", origin)) => Err(ConfigError::bad_value(key, origin, "", "the path of a file or folder")),
        Some((text, _)) => expand(text, home).ok_or(no_home),
    }
}

/// A path as in a shell; none if it is in an unknown home folder.
pub(super) fn expand(text: &str, home: Option<&Path>) -> Option<PathBuf> {
    match text.strip_prefix("~/") {
        Some(rest) => home.map(|home| home.join(rest)),
        None => Some(PathBuf::from(text)),
    }
}
