//! The archive's database.

use ::archive::ArchiveUrl;

use super::error::ConfigError;
use super::keys::ARCHIVE_URL;
use super::settings::Settings;

/// The archive's database, if there is one.
pub(super) fn resolve(settings: &Settings) -> Result<Option<ArchiveUrl>, ConfigError> {
    let expected = "a URL with host and database, like postgres://shoal:PASSWORD@db.example/shoal?sslmode=require";
    match settings.text(&ARCHIVE_URL) {
        Some(("", _)) => Ok(None),
        _ => settings.parse(&ARCHIVE_URL, expected, |text| text.parse().ok()),
    }
}
