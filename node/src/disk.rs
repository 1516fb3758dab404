//! Room on the disk of the data folder.

use std::path::Path;

/// Free space on the disk of a folder, or of its nearest existing parent, bytes; none if the system does not report it.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|ancestor| ancestor.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
