//! A Stratum v1 client, for the test network's CPU miner and the tests.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitcoin::hex::DisplayHex;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::{FramedRead, LinesCodec};

use crate::difficulty::Difficulty;
use crate::limits;
use crate::pool::EXTRANONCE2_BYTES;

mod job;

pub use job::{Job, NotifyError};

/// Why a call to the server failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection failed.
    #[error("the connection to the server failed: {0}")]
    Io(#[from] io::Error),
    /// The server closed the connection or sent an invalid message.
    #[error("the server closed the connection")]
    Closed,
    /// The server did not respond within [`limits::CLIENT_ANSWER`]. Holds the method.
    #[error("the server did not respond to {0} in time")]
    NoAnswer(&'static str),
    /// The server rejected the request.
    #[error("the server rejected {method}: {text} (code {code})")]
    Refused {
        /// Method of the request.
        method: &'static str,
        /// Stratum's error code.
        code: i64,
        /// The server's message.
        text: String,
    },
    /// The response does not have the expected form. Holds the method.
    #[error("cannot parse the server's response to {0}")]
    Unreadable(&'static str),
}

/// Pending requests, by id. `None` once the connection has closed.
type Pending = Option<HashMap<u64, oneshot::Sender<Value>>>;

/// A subscribed and authorized connection to a server. Dropping it closes the connection.
#[derive(Debug)]
pub struct Client {
    user: String,
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    shared: Arc<Shared>,
    reader: tokio::task::JoinHandle<()>,
    ids: AtomicU64,
}

/// State that the client shares with its reader task.
#[derive(Debug)]
struct Shared {
    pending: Mutex<Pending>,
    extranonce1: Mutex<Vec<u8>>,
    /// Version bits that the miner may roll. 0 without version rolling.
    mask: AtomicU32,
}

impl Client {
    /// Connects, negotiates version rolling, subscribes and authorizes as `user`. `agent` is the user
    /// agent.
    ///
    /// Returns the client and a channel of its jobs, which closes with the connection. Receive the jobs
    /// promptly: while [`limits::CLIENT_JOBS_MAX`] jobs are unread, responses wait behind them.
    ///
    /// # Errors
    /// Returns which step failed. [`ClientError::Refused`] has the server's message.
    pub async fn connect(
        server: SocketAddr,
        user: &str,
        agent: &str,
    ) -> Result<(Self, mpsc::Receiver<Arc<Job>>), ClientError> {
        let socket = TcpStream::connect(server).await?;
        socket.set_nodelay(true)?;
        let (read, write) = socket.into_split();
        let (jobs, receiver) = mpsc::channel(limits::CLIENT_JOBS_MAX);
        let shared = Arc::new(Shared {
            pending: Mutex::new(Some(HashMap::new())),
            extranonce1: Mutex::default(),
            mask: AtomicU32::new(0),
        });
        let client = Self {
            user: user.to_owned(),
            writer: tokio::sync::Mutex::new(write),
            reader: tokio::spawn(read_lines(read, Arc::clone(&shared), jobs)),
            shared,
            ids: AtomicU64::new(1),
        };
        client.handshake(agent).await?;
        Ok((client, receiver))
    }

    async fn handshake(&self, agent: &str) -> Result<(), ClientError> {
        let options = json!({ "version-rolling.mask": "ffffffff" });
        let configured = self.call("mining.configure", json!([["version-rolling"], options])).await?;
        if let Some(mask) = configured.get("version-rolling.mask").and_then(Value::as_str) {
            let mask = u32::from_str_radix(mask, 16).map_err(|_| ClientError::Unreadable("mining.configure"))?;
            self.shared.mask.store(mask, Ordering::Relaxed);
        }
        let subscribed = self.call("mining.subscribe", json!([agent])).await?;
        let extranonce1 = job::subscription(&subscribed).ok_or(ClientError::Unreadable("mining.subscribe"))?;
        *self.shared.extranonce1.lock().unwrap_or_else(PoisonError::into_inner) = extranonce1;
        self.call("mining.authorize", json!([self.user, "x"])).await?;
        Ok(())
    }

    /// Submits a proof of work and waits for the response. `time` is in seconds since 1970 (UTC), and
    /// `version_bits` outside the job's mask are ignored.
    ///
    /// # Errors
    /// Returns [`ClientError::Refused`] with the server's reason if the server rejects the submission,
    /// and another [`ClientError`] if it does not respond.
    pub async fn submit(
        &self,
        job: &Job,
        extranonce2: [u8; EXTRANONCE2_BYTES],
        time: u32,
        nonce: u32,
        version_bits: u32,
    ) -> Result<(), ClientError> {
        let mut params = json!([
            self.user,
            job.id,
            format!("{:x}", extranonce2.as_hex()),
            format!("{time:08x}"),
            format!("{nonce:08x}"),
        ]);
        if let (Some(list), true) = (params.as_array_mut(), job.mask != 0) {
            list.push(json!(format!("{:08x}", version_bits & job.mask)));
        }
        self.call("mining.submit", params).await.map(drop)
    }

    /// Sends a request and returns its result.
    async fn call(&self, method: &'static str, params: Value) -> Result<Value, ClientError> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let (respond, response) = oneshot::channel();
        self.shared.lock_pending().as_mut().ok_or(ClientError::Closed)?.insert(id, respond);
        let line = format!("{}\n", json!({ "id": id, "method": method, "params": params }));
        self.writer.lock().await.write_all(line.as_bytes()).await?;
        let response = tokio::time::timeout(limits::CLIENT_ANSWER, response).await;
        let mut response = response.map_err(|_| ClientError::NoAnswer(method))?.map_err(|_| ClientError::Closed)?;
        match response.get("error") {
            None | Some(Value::Null) => Ok(response["result"].take()),
            Some(error) => Err(ClientError::Refused {
                method,
                code: error[0].as_i64().unwrap_or_default(),
                text: error[1].as_str().unwrap_or_default().to_owned(),
            }),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Reads lines until the connection closes, then fails all pending requests.
async fn read_lines(read: OwnedReadHalf, shared: Arc<Shared>, jobs: mpsc::Sender<Arc<Job>>) {
    let mut lines = FramedRead::new(read, LinesCodec::new_with_max_length(limits::SERVER_LINE_BYTES_MAX));
    let mut difficulty = Difficulty::ONE;
    while let Some(Ok(line)) = lines.next().await {
        let Ok(mut message) = serde_json::from_str::<Value>(&line) else { break };
        let params = message["params"].take();
        match message["method"].as_str() {
            None => shared.respond(message),
            Some("mining.set_difficulty") => {
                difficulty = params[0].as_f64().map_or(difficulty, Difficulty::floor);
            }
            Some("mining.set_version_mask") => shared.set_mask(&params[0]),
            Some("mining.notify") => {
                let extranonce1 = shared.extranonce1.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let mask = shared.mask.load(Ordering::Relaxed);
                match Job::read(&params, extranonce1, difficulty, mask) {
                    // Keep reading responses even if the user dropped the receiver of jobs.
                    Ok(job) => drop(jobs.send(Arc::new(job)).await),
                    Err(error) => tracing::warn!(%error, "cannot parse a mining.notify from the server"),
                }
            }
            Some(_) => {}
        }
    }
    *shared.lock_pending() = None;
}

impl Shared {
    fn lock_pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a response to the pending request with its id.
    fn respond(&self, message: Value) {
        let Some(id) = message["id"].as_u64() else { return };
        let caller = self.lock_pending().as_mut().and_then(|pending| pending.remove(&id));
        if let Some(caller) = caller {
            // The caller may have timed out.
            let _unheard = caller.send(message);
        }
    }

    fn set_mask(&self, mask: &Value) {
        if let Some(mask) = mask.as_str().and_then(|mask| u32::from_str_radix(mask, 16).ok()) {
            self.mask.store(mask, Ordering::Relaxed);
        }
    }
}
