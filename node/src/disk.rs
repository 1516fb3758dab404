//! Room on the disk of the data folder.

use std::path::Path;

/// Free bytes on the disk of a folder, or of the nearest one above that exists; none if the system does not say.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|ancestor| ancestor.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
