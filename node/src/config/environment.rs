//! Rejects environment variables that look like settings but are not, like unknown keys of the file.

use std::ffi::OsString;

use super::error::ConfigError;
use super::flags::FILE;
use super::keys::KEYS;

/// Prefix of every setting's environment variable.
const PREFIX: &str = "SHOAL_";

/// The one variable that is not a setting: `shoal-testnet` finds this program by it.
const TESTNET_PROGRAM: &str = "SHOAL_BIN";

/// Checks the names of all environment variables.
///
/// # Errors
/// The first variable with the prefix that is not a setting.
pub(super) fn check(names: impl Iterator<Item = OsString>) -> Result<(), ConfigError> {
    for name in names {
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name != TESTNET_PROGRAM && !settings().any(|setting| setting == name) {
            // Compare in upper case: the edit distance counts each difference in case.
            let upper = name.to_ascii_uppercase();
            let nearest =
                settings().min_by_key(|setting| strsim::damerau_levenshtein(setting, &upper)).unwrap_or(FILE.1);
            return Err(ConfigError::UnknownVariable { name: name.escape_debug().to_string(), nearest });
        }
    }
    Ok(())
}

/// Environment variables of all settings.
fn settings() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.env).chain([FILE.1])
}
