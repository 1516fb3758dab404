//! Peers that the operator added at run time, on disk, so that they outlast a restart.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::files;
use crate::limits::MANUAL_BYTES_MAX;

/// Name of the file in the data folder.
const FILE: &str = "peers.json";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Saved {
    /// Multiaddresses.
    peers: Vec<String>,
}

/// The addresses, in memory and in the file.
#[derive(Clone, Debug)]
pub struct ManualPeers {
    path: PathBuf,
    list: Arc<Mutex<Vec<String>>>,
}

impl ManualPeers {
    /// Reads the file. One that cannot be read is moved aside with a warning: the node finds other peers.
    #[must_use]
    pub fn load(data_dir: &Path) -> Self {
        let path = data_dir.join(FILE);
        let list = match read(&path) {
            Ok(saved) => saved.peers,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let moved = fs::rename(&path, path.with_extension("unreadable")).is_ok();
                warn!(path = %path.display(), %error, moved, "added peers cannot be read; the node starts without them");
                Vec::new()
            }
        };
        Self { path, list: Arc::new(Mutex::new(list)) }
    }

    /// The addresses.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds or removes an address, and writes the file.
    ///
    /// # Errors
    /// The file cannot be written. The list in memory has changed anyway.
    pub fn set(&self, address: &str, is_in: bool) -> io::Result<()> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|other| other != address);
        if is_in {
            list.push(address.to_owned());
        }
        write(&self.path, &Saved { peers: list.clone() })
    }
}

fn read(path: &Path) -> io::Result<Saved> {
    let mut text = Vec::new();
    File::open(path)?.take(MANUAL_BYTES_MAX).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn write(path: &Path, saved: &Saved) -> io::Result<()> {
    files::replace(path, &serde_json::to_vec_pretty(saved)?, files::PUBLIC)
}

#[cfg(test)]
mod tests {
    use super::{FILE, ManualPeers};

    #[test]
    fn added_peers_outlast_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = ("/ip4/192.0.2.7/tcp/3381", "/dns4/pool.example/udp/3381/quic-v1");
        let peers = ManualPeers::load(dir.path());
        for (address, is_in) in [(one, true), (two, true), (two, true), (one, false)] {
            peers.set(address, is_in).unwrap();
        }
        assert_eq!(ManualPeers::load(dir.path()).list(), [two]);
        // A file that cannot be read is set aside.
        std::fs::write(dir.path().join(FILE), "not json").unwrap();
        assert!(ManualPeers::load(dir.path()).list().is_empty());
        assert!(dir.path().join("peers.unreadable").exists());
    }
}
