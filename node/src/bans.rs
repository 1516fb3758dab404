//! Bans on disk, so that they outlast a restart.
//!
//! The file says how long each ban still lasts, and when it was written. Neither a clock that was set back, nor one
//! that ran ahead while the file was written, lengthens a ban. A clock that runs ahead at the start ends bans early.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use p2p::BanView;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::warn;

use crate::clock::now;
use crate::files;
use crate::limits::{BANS_BYTES_MAX, BANS_PAUSE};

/// Name of the file in the data folder.
pub const FILE: &str = "bans.json";

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    /// When the file was written, by this machine's clock.
    saved_unix_s: u32,
    bans: Vec<SavedBan>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedBan {
    what: String,
    /// Time left when the file was written, seconds.
    left_s: u64,
    by_operator: bool,
    reason: String,
}

/// Reads the bans that are still in force. A file that cannot be read is moved aside with a warning: a node without bans is
/// better than none.
#[must_use]
pub fn load(data_dir: &Path) -> Vec<BanView> {
    let path = data_dir.join(FILE);
    match read(&path) {
        Ok(saved) => in_force(saved, now().0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let aside = path.with_extension("unreadable");
            let moved = fs::rename(&path, &aside).is_ok();
            warn!(path = %path.display(), %error, moved, "the bans cannot be read; the node starts without them");
            Vec::new()
        }
    }
}

fn read(path: &Path) -> io::Result<Saved> {
    let mut text = Vec::new();
    File::open(path)?.take(BANS_BYTES_MAX).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn in_force(saved: Saved, now_unix_s: u32) -> Vec<BanView> {
    let elapsed_s = u64::from(now_unix_s.saturating_sub(saved.saved_unix_s));
    let clock = Instant::now();
    let view = |ban: SavedBan| {
        let left_s = ban.left_s.checked_sub(elapsed_s).filter(|left_s| *left_s > 0)?;
        let until = clock.checked_add(Duration::from_secs(left_s))?;
        Some(BanView { what: ban.what.parse().ok()?, until, by_operator: ban.by_operator, reason: ban.reason })
    };
    saved.bans.into_iter().filter_map(view).collect()
}

/// Writes the bans whenever they change, until the network stops.
pub async fn keep(data_dir: PathBuf, mut bans: watch::Receiver<Arc<Vec<BanView>>>) {
    while bans.changed().await.is_ok() {
        let list = Arc::clone(&bans.borrow_and_update());
        let path = data_dir.join(FILE);
        let writing = tokio::task::spawn_blocking(move || write(&path, &list));
        if let Ok(Err(error)) = writing.await {
            warn!(%error, "the bans cannot be written; they end with this run");
        }
        tokio::time::sleep(BANS_PAUSE).await;
    }
    // The node is stopping: callers must not mistake the end of this task for a failure.
    std::future::pending().await
}

fn write(path: &Path, bans: &[BanView]) -> io::Result<()> {
    let clock = Instant::now();
    let saved = |ban: &BanView| SavedBan {
        what: ban.what.to_string(),
        left_s: ban.until.saturating_duration_since(clock).as_secs(),
        by_operator: ban.by_operator,
        reason: ban.reason.clone(),
    };
    let file = Saved { saved_unix_s: now().0, bans: bans.iter().map(saved).collect() };
    files::replace(path, &serde_json::to_vec_pretty(&file)?, files::PUBLIC)
}

#[cfg(test)]
mod tests;
