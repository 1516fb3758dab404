//! This machine: the config file, the data folder, the node's key, the disk.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use node_core::isolation::disk_words;
use node_core::limits::DISK_LOW_BYTES;
use node_core::sentence;
use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::{Finding, bad, good};
use crate::api::{TOKEN_FILE, Token};
use crate::config::Config;
use crate::disk;
use crate::error::NodeError;
use crate::identity;

/// Checks the config file, and who may read it.
pub(super) fn configuration(config: &Config) -> Finding {
    if let Err(error) = config.require_launched() {
        return bad("config", sentence(&error));
    }
    if let Some(words) = exposed(config) {
        return bad("config", words);
    }
    let network = config.chain_params().name;
    let pool = if config.pool.is_public() { String::new() } else { format!(", pool {}", config.pool.as_str()) };
    let source = match &config.file {
        Some(path) => path.display().to_string(),
        None => "no file, defaults only".to_owned(),
    };
    good("config", format!("network {network}{pool}, from {source}"))
}

/// Warning if other users can read the secrets in the config file; none if they cannot, or if there are none.
pub(crate) fn exposed(config: &Config) -> Option<String> {
    let path = config.file.as_ref().filter(|_| config.secret_in_file)?;
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o004 != 0).then(|| {
        let shown = path.display();
        format!("{shown} holds a password, and every user of this machine can read it; run `chmod 600 {shown}`")
    })
}

/// Checks the data folder, the keys and the token in it, and the room on its disk.
pub(super) fn data_dir(config: &Config) -> Vec<Finding> {
    let path = &config.data_dir;
    let mut findings = vec![writable(path)];
    match identity::read(path) {
        Ok(Some(_)) => findings.push(good("identity", "the node has its key")),
        Ok(None) => findings.push(good("identity", "no key yet; the first start creates it")),
        Err(error) => findings.push(bad("identity", sentence(&error))),
    }
    if config.stratum.v2().next().is_some()
        && let Err(error) = identity::check_authority(path)
    {
        findings.push(bad("identity", sentence(&error)));
    }
    if let Err(source) = Token::read(path) {
        findings.push(bad("token", sentence(&NodeError::Token { path: path.join(TOKEN_FILE), source })));
    }
    findings.extend(disk::free_bytes(path).map(room));
    findings
}

/// What this process may not write of a database that it may read, such as one that the administrator restored.
pub(super) fn read_only(store: &Path) -> Option<PathBuf> {
    // RocksDB opens these two at each start.
    let needed = [store.to_owned(), store.join("LOCK"), store.join("LOG")];
    needed.into_iter().find(|path| !matches!(access(path, Access::WRITE_OK), Ok(()) | Err(Errno::NOENT)))
}

fn room(free_bytes: u64) -> Finding {
    let words = disk_words(free_bytes);
    if free_bytes < DISK_LOW_BYTES {
        bad("disk", format!("{words}; free at least {} MB, or set `data_dir`", DISK_LOW_BYTES / 1_000_000))
    } else {
        good("disk", words)
    }
}

fn writable(path: &Path) -> Finding {
    let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(path);
    let result = if existing.is_dir() { probe(existing) } else { Err(io::ErrorKind::NotADirectory.into()) };
    let shown = path.display();
    match result {
        Ok(()) if existing == path => good("data_dir", format!("{shown} is writable")),
        Ok(()) => good("data_dir", format!("{shown} does not exist yet and can be created")),
        Err(error) => bad("data_dir", format!("{shown} is not writable; check its permissions: {error}")),
    }
}

/// Creates, fills and removes a file with a unique name: a full disk has room for a name, but not for a block.
fn probe(folder: &Path) -> io::Result<()> {
    let path: PathBuf = folder.join(format!(".shoal-check-{}", std::process::id()));
    let written = fs::File::create_new(&path).and_then(|mut file| io::Write::write_all(&mut file, &[0; 4_096]));
    fs::remove_file(&path)?;
    written
}

#[cfg(test)]
mod tests {
    use super::room;
    use node_core::limits::DISK_LOW_BYTES;

    #[test]
    fn a_disk_that_is_nearly_full_fails_the_check() {
        assert!(room(DISK_LOW_BYTES).ok);
        let found = room(DISK_LOW_BYTES - 1);
        assert!(!found.ok && found.words.contains("free at least 2147 MB"), "{}", found.words);
    }
}
