//! The other terminal's side of the control socket.

use std::io::{self, Write};
use std::os::unix::net::UnixStream as UnixSocket;
use std::path::{Path, PathBuf};

use futures::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio_util::codec::{Framed, LinesCodec};

use super::protocol::{Answer, Request};
use super::server::socket_path;
use crate::limits::{CONTROL_ANSWER_MAX, CONTROL_LINE_BYTES_MAX, NETWORKS_NOTED_MAX};

/// The reason why a command had no effect.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No network has been started yet.
    #[error("no test network has been started yet; start one with `shoal-testnet up`, or name its folder with --dir")]
    NeverStarted,
    /// More than one network runs.
    #[error("{count} test networks run, and the command does not say which one it is for; add {names}")]
    Several {
        /// Number of networks.
        count: usize,
        /// The option for each.
        names: String,
    },
    /// No network runs in the folder.
    #[error("no test network runs in {dir}; start one with `shoal-testnet up`, or name its folder with --dir")]
    NotRunning {
        /// The folder.
        dir: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The network has ended or is stuck.
    #[error("the test network in {dir} does not answer")]
    NoAnswer {
        /// The folder.
        dir: PathBuf,
    },
    /// The network rejected the command.
    #[error("{0}")]
    Rejected(String),
}

/// Sends a command to the network in `dir`.
///
/// # Errors
/// [`ClientError`]. A rejection carries the network's sentence.
pub async fn ask(dir: &Path, request: &Request) -> Result<Answer, ClientError> {
    let no_answer = || ClientError::NoAnswer { dir: dir.to_owned() };
    let socket = UnixStream::connect(socket_path(dir))
        .await
        .map_err(|source| ClientError::NotRunning { dir: dir.to_owned(), source })?;
    let mut lines = Framed::new(socket, LinesCodec::new_with_max_length(CONTROL_LINE_BYTES_MAX));
    let text = serde_json::to_string(request).map_err(|_| no_answer())?;
    lines.send(text).await.map_err(|_| no_answer())?;
    let line = tokio::time::timeout(CONTROL_ANSWER_MAX, lines.next()).await.map_err(|_| no_answer())?;
    let Some(Ok(line)) = line else { return Err(no_answer()) };
    match serde_json::from_str(&line).map_err(|_| no_answer())? {
        Answer::Error { error } => Err(ClientError::Rejected(error)),
        answer => Ok(answer),
    }
}

/// Returns the folder of the network that runs. If none does, that of the network that was started last.
///
/// # Errors
/// [`ClientError::NeverStarted`], or [`ClientError::Several`] if more than one runs.
pub fn running_dir() -> Result<PathBuf, ClientError> {
    let noted = note_path().map(|path| noted(&path)).unwrap_or_default();
    let running: Vec<&PathBuf> = noted.iter().filter(|dir| UnixSocket::connect(socket_path(dir)).is_ok()).collect();
    match running[..] {
        [] => noted.last().cloned().ok_or(ClientError::NeverStarted),
        [dir] => Ok(dir.clone()),
        _ => {
            let names: Vec<_> = running.iter().map(|dir| format!("--dir {}", dir.display())).collect();
            Err(ClientError::Several { count: names.len(), names: names.join(" or ") })
        }
    }
}

/// Saves the folder of a network that was just started, for commands without `--dir`.
///
/// # Errors
/// If the note cannot be written. The network runs anyway.
pub fn note_started(dir: &Path) -> io::Result<()> {
    let path = note_path().ok_or(io::ErrorKind::NotFound)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let known = noted(&path);
    if known.len() > NETWORKS_NOTED_MAX {
        let kept = known.iter().rev().take(NETWORKS_NOTED_MAX / 2).rev();
        std::fs::write(&path, kept.map(|dir| format!("{}\n", dir.display())).collect::<String>())?;
    }
    // Networks that start at the same time append, so that none loses another's line.
    let mut file = std::fs::File::options().create(true).append(true).open(path)?;
    file.write_all(format!("{}\n", dir.display()).as_bytes())
}

/// The folders of networks, the one that was started last at the end, each once.
fn noted(path: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in text.lines().map(PathBuf::from) {
        dirs.retain(|known| *known != dir);
        dirs.push(dir);
    }
    dirs
}

fn note_path() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("shoal").join("testnet-networks"))
}
