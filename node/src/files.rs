//! Replaces small files in one step, so that a crash leaves the old file or the new one.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Mode of a file that only the node's user may read.
pub(crate) const PRIVATE: u32 = 0o600;

/// Mode of a file without secrets.
pub(crate) const PUBLIC: u32 = 0o644;

/// Writes a new file beside `path` and renames it. Neither the content nor the mode of an old file remains.
///
/// # Errors
/// The system's error. The old file is then unchanged.
pub(crate) fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let _ = fs::remove_file(&unfinished);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}
