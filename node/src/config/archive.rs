//! The key of the archive.

use ::archive::ArchiveUrl;

use super::error::ConfigError;
use super::key::Key;
use super::settings::Settings;

/// The archive's database.
pub const ARCHIVE_URL: Key = Key::one(
    ["archive.url", "archive-url", "SHOAL_ARCHIVE_URL"],
    "URL",
    "PostgreSQL database for the share-chain's history, like postgres://shoal:PASSWORD@db.example/shoal; flags are visible to other users of this machine [default: none]",
)
.secret();

/// The archive's database, if there is one.
pub(super) fn resolve(settings: &Settings) -> Result<Option<ArchiveUrl>, ConfigError> {
    let expected = "a URL with host and database, like postgres://shoal:PASSWORD@db.example/shoal?sslmode=require";
    match settings.text(&ARCHIVE_URL) {
        Some(("", _)) => Ok(None),
        _ => settings.parse(&ARCHIVE_URL, expected, |text| text.parse().ok()),
    }
}
