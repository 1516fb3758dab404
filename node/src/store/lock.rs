//! Checks whether a process has a database open, without touching its files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Returns true if a process holds RocksDB's lock of the database at `path`.
///
/// Linux lists the locks of all processes that this one can see. On systems without such a list, this returns false,
/// and only opening the database would reveal the lock.
pub(super) fn is_held(path: &Path) -> bool {
    let (Ok(file), Ok(locks)) = (fs::metadata(path.join("LOCK")), fs::read_to_string("/proc/locks")) else {
        return false;
    };
    let (major, minor) = device(file.dev());
    let inode = format!("{major:02x}:{minor:02x}:{}", file.ino());
    locks.lines().any(|line| is_write_lock_of(line, &inode))
}

/// Parses a line such as `4: POSIX ADVISORY WRITE 29909 fe:00:10011515 0 EOF`. A waiting lock has an arrow before its
/// kind.
fn is_write_lock_of(line: &str, inode: &str) -> bool {
    let fields: Vec<&str> = line.split_whitespace().skip(1).collect();
    matches!(fields.as_slice(), ["POSIX", _, "WRITE", _, at, ..] if *at == inode)
}

/// Major and minor number of a device, as Linux packs them.
fn device(packed: u64) -> (u64, u64) {
    let major = ((packed >> 32) & 0xffff_f000) | ((packed >> 8) & 0xfff);
    let minor = ((packed >> 12) & 0xffff_ff00) | (packed & 0xff);
    (major, minor)
}

#[cfg(test)]
mod tests;
