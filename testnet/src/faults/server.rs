//! The network's side of the control socket.

use std::io;
use std::path::{Path, PathBuf};

use futures::{SinkExt, StreamExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::codec::{Framed, LinesCodec};

use super::protocol::{Answer, Request};
use crate::limits::{CONTROL_LINE_BYTES_MAX, SOCKET_PATH_BYTES_MAX};

/// Largest number of commands that wait at once. Each comes from a person or a test.
const CALLS_MAX: usize = 16;

/// An error that prevents the socket from opening.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its path is too long for a socket.
    #[error("the folder {dir} has too long a path for a socket in it; choose a shorter --dir")]
    PathTooLong {
        /// The network's folder.
        dir: PathBuf,
    },
    /// Another network runs in this folder.
    #[error("another test network runs in {dir}; stop it or choose another --dir")]
    InUse {
        /// The network's folder.
        dir: PathBuf,
    },
    /// The server cannot listen on the socket.
    #[error("cannot listen on {path}")]
    Listen {
        /// Path of the socket.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// A command and the channel for its answer.
#[derive(Debug)]
pub struct Call {
    /// The command.
    pub request: Request,
    /// The channel for the answer.
    pub answer: oneshot::Sender<Answer>,
}

/// The listening side. The socket is removed when dropped.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    task: JoinHandle<()>,
}

/// Returns the path of the control socket in this folder.
pub(super) fn socket_path(dir: &Path) -> PathBuf {
    dir.join("control.sock")
}

impl Server {
    /// Listens in the network's folder. Commands arrive at the receiver.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start(dir: &Path) -> Result<(Self, mpsc::Receiver<Call>), ServerError> {
        let path = socket_path(dir);
        if path.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            return Err(ServerError::PathTooLong { dir: dir.to_owned() });
        }
        if UnixStream::connect(&path).await.is_ok() {
            return Err(ServerError::InUse { dir: dir.to_owned() });
        }
        // A network that was killed leaves a socket without a listener behind.
        let _ = std::fs::remove_file(&path);
        let listener =
            UnixListener::bind(&path).map_err(|source| ServerError::Listen { path: path.clone(), source })?;
        let (calls, receiver) = mpsc::channel(CALLS_MAX);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, calls.clone()));
            }
        });
        Ok((Self { path, task }, receiver))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        // No code depends on its removal.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(socket: UnixStream, calls: mpsc::Sender<Call>) {
    let mut lines = Framed::new(socket, LinesCodec::new_with_max_length(CONTROL_LINE_BYTES_MAX));
    while let Some(Ok(line)) = lines.next().await {
        let reply = match serde_json::from_str::<Request>(&line) {
            Err(error) => Answer::Error { error: format!("invalid command: {error}") },
            Ok(request) => {
                let (answer, answered) = oneshot::channel();
                if calls.send(Call { request, answer }).await.is_err() {
                    return;
                }
                let ending = Answer::Error { error: "the test network is stopping".to_owned() };
                answered.await.unwrap_or(ending)
            }
        };
        let Ok(text) = serde_json::to_string(&reply) else { return };
        if lines.send(text).await.is_err() {
            return;
        }
    }
}
