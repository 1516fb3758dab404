//! Variables that look like settings and are none: refused like unknown keys of the file.

use std::ffi::OsString;

use super::error::ConfigError;
use super::flags::FILE;
use super::keys::KEYS;

/// How the name of every setting's variable starts.
const PREFIX: &str = "SHOAL_";

/// The one variable that is meant for another program: the testnet finds this one by it.
const TESTNET_PROGRAM: &str = "SHOAL_BIN";

/// Checks the names of environment variables.
///
/// # Errors
/// The first that starts like a setting's variable and is none.
pub(super) fn check(names: impl Iterator<Item = OsString>) -> Result<(), ConfigError> {
    for name in names {
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name != TESTNET_PROGRAM && !settings().any(|setting| setting == name) {
            // Names differ in their letters; the case alone would count as a different letter each.
            let upper = name.to_ascii_uppercase();
            let nearest =
                settings().min_by_key(|setting| strsim::damerau_levenshtein(setting, &upper)).unwrap_or(FILE.1);
            return Err(ConfigError::UnknownVariable { name: name.escape_debug().to_string(), nearest });
        }
    }
    Ok(())
}

/// The variables of all settings.
fn settings() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().map(|key| key.env).chain([FILE.1])
}
