//! Checks whether a process has a database open, without touching its files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Returns true if a process holds RocksDB's lock of the database at `path`.
///
/// Linux lists the locks of all processes that this one can see. On systems without such a list, this returns false,
/// and only opening the database would reveal the lock.
pub(super) fn is_held(path: &Path) -> bool {
    let lock_file = path.join("LOCK");
    let (Ok(file), Ok(locks)) = (fs::metadata(&lock_file), fs::read_to_string("/proc/locks")) else {
        return false;
    };
    let (major, minor) = device(file.dev());
    let (inode, own) = (file.ino().to_string(), format!("{major:02x}:{minor:02x}"));
    let mut writers = locks.lines().filter_map(write_lock).filter(|lock| lock.inode == inode);
    // On btrfs, the list has another device than the file.
    writers.any(|lock| lock.device == own || has_open(lock.pid, &lock_file))
}

/// A write lock that a process holds.
#[derive(Debug, PartialEq, Eq)]
struct WriteLock<'a> {
    pid: &'a str,
    device: &'a str,
    inode: &'a str,
}

/// Parses a line such as `4: POSIX ADVISORY WRITE 29909 fe:00:10011515 0 EOF`. A waiting lock has an arrow before its
/// kind.
fn write_lock(line: &str) -> Option<WriteLock<'_>> {
    let fields: Vec<&str> = line.split_whitespace().skip(1).collect();
    let ["POSIX", _, "WRITE", pid, at, ..] = fields.as_slice() else { return None };
    let (device, inode) = at.rsplit_once(':')?;
    Some(WriteLock { pid, device, inode })
}

/// True if a process that this one may look at has a file open.
fn has_open(pid: &str, file: &Path) -> bool {
    let (Ok(file), Ok(open)) = (file.canonicalize(), fs::read_dir(format!("/proc/{pid}/fd"))) else { return false };
    open.flatten().any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|path| path == file))
}

/// Major and minor number of a device, as Linux packs them.
fn device(packed: u64) -> (u64, u64) {
    let major = ((packed >> 32) & 0xffff_f000) | ((packed >> 8) & 0xfff);
    let minor = ((packed >> 12) & 0xffff_ff00) | (packed & 0xff);
    (major, minor)
}

#[cfg(test)]
mod tests;
