//! The miner's half of Stratum v1: what the test network's CPU miner and the tests speak.

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

/// What went wrong between client and server.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection failed.
    #[error("the connection to the server failed: {0}")]
    Io(#[from] io::Error),
    /// The server closed the connection, or sent what is no Stratum.
    #[error("the server closed the connection")]
    Closed,
    /// No answer came in time.
    #[error("the server did not answer {0} in time")]
    NoAnswer(&'static str),
    /// The server refused.
    #[error("the server refused {method}: {text} (code {code})")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// Stratum's error code.
        code: i64,
        /// The server's words.
        text: String,
    },
    /// The answer has not the form it must have.
    #[error("the server's answer to {0} cannot be read")]
    Unreadable(&'static str),
}

/// Answers that are waited for, by request id; `None` once the connection has ended.
type Waiting = Option<HashMap<u64, oneshot::Sender<Value>>>;

/// A connection to a server, subscribed and authorized.
///
/// Dropping it closes the connection.
#[derive(Debug)]
pub struct Client {
    user: String,
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    shared: Arc<Shared>,
    reader: tokio::task::JoinHandle<()>,
    ids: AtomicU64,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    extranonce1: Mutex<Vec<u8>>,
    mask: AtomicU32,
}

impl Client {
    /// Connects, negotiates version rolling, subscribes and authorizes as `user`. The jobs end when
    /// the connection does; whoever holds the receiver must keep up with it, because answers wait
    /// behind jobs once [`limits::CLIENT_JOBS_MAX`] are unread.
    ///
    /// # Errors
    /// Says which step failed; a refusal carries the server's words.
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
            waiting: Mutex::new(Some(HashMap::new())),
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
        let asked = json!({ "version-rolling.mask": "ffffffff" });
        let configured = self.call("mining.configure", json!([["version-rolling"], asked])).await?;
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

    /// Sends a proof and waits for the verdict.
    ///
    /// # Errors
    /// [`ClientError::Refused`] carries the server's reason.
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

    /// Asks for a least difficulty.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn suggest_difficulty(&self, difficulty: f64) -> Result<(), ClientError> {
        self.call("mining.suggest_difficulty", json!([difficulty])).await.map(drop)
    }

    async fn call(&self, method: &'static str, params: Value) -> Result<Value, ClientError> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let (answered, answer) = oneshot::channel();
        self.shared.lock_waiting().as_mut().ok_or(ClientError::Closed)?.insert(id, answered);
        let line = format!("{}\n", json!({ "id": id, "method": method, "params": params }));
        self.writer.lock().await.write_all(line.as_bytes()).await?;
        let answer = tokio::time::timeout(limits::CLIENT_ANSWER, answer).await;
        let mut answer = answer.map_err(|_| ClientError::NoAnswer(method))?.map_err(|_| ClientError::Closed)?;
        match answer.get("error") {
            None | Some(Value::Null) => Ok(answer["result"].take()),
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

/// Reads until the connection ends; then all who wait learn that no answer comes.
async fn read_lines(read: OwnedReadHalf, shared: Arc<Shared>, jobs: mpsc::Sender<Arc<Job>>) {
    let mut lines = FramedRead::new(read, LinesCodec::new_with_max_length(limits::SERVER_LINE_BYTES_MAX));
    let mut difficulty = Difficulty::ONE;
    while let Some(Ok(line)) = lines.next().await {
        let Ok(mut message) = serde_json::from_str::<Value>(&line) else { break };
        let params = message["params"].take();
        match message["method"].as_str() {
            None => shared.answer(message),
            Some("mining.set_difficulty") => {
                difficulty = params[0].as_f64().map_or(difficulty, Difficulty::floor);
            }
            Some("mining.set_version_mask") => shared.set_mask(&params[0]),
            Some("mining.notify") => {
                let extranonce1 = shared.extranonce1.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let mask = shared.mask.load(Ordering::Relaxed);
                match Job::read(&params, extranonce1, difficulty, mask) {
                    // Nobody may be interested in jobs any more; answers are read all the same.
                    Ok(job) => drop(jobs.send(Arc::new(job)).await),
                    Err(error) => tracing::warn!(%error, "a notify of the server cannot be read"),
                }
            }
            Some(_) => {}
        }
    }
    *shared.lock_waiting() = None;
}

impl Shared {
    fn lock_waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, message: Value) {
        let Some(id) = message["id"].as_u64() else { return };
        let waiting = self.lock_waiting().as_mut().and_then(|waiting| waiting.remove(&id));
        if let Some(waiting) = waiting {
            // Whoever asked may have given up; then nobody needs the answer.
            let _unheard = waiting.send(message);
        }
    }

    fn set_mask(&self, mask: &Value) {
        if let Some(mask) = mask.as_str().and_then(|mask| u32::from_str_radix(mask, 16).ok()) {
            self.mask.store(mask, Ordering::Relaxed);
        }
    }
}
