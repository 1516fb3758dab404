//! One JSON-RPC request over HTTP, HTTPS or a Unix socket: credentials, time limit, size limit, envelope.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::{BitcoindError, ConnectionError};
use crate::config::{BitcoindAuth, BitcoindConfig, Secret};
use crate::limits::{
    BUSY_ANSWER_BYTES_MAX, BUSY_PAUSE, CA_BYTES_MAX, CONNECT_TIMEOUT, COOKIE_BYTES_MAX, IDLE_TIMEOUT, REASON_CHARS_MAX,
};

/// JSON-RPC error codes that the node treats specially, from bitcoind's `rpc/protocol.h`.
const CODE_NOT_CONNECTED: i64 = -9;
const CODE_INITIAL_DOWNLOAD: i64 = -10;
const CODE_WARMUP: i64 = -28;

/// bitcoind's words at the end of a long poll when it stops, with the code for a missing connection.
const SHUTTING_DOWN: &str = "Shutting down";

/// A word in bitcoind's answer when its request queue is full. While it stops, it answers with the same status.
const QUEUE: &str = "queue";

/// Ports on which bitcoind talks to its peers: main, signet, testnet4, regtest. JSON-RPC uses the port below.
const PEER_PORTS: [u16; 4] = [8333, 38333, 48333, 18444];

/// Time and size limits of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) time: Duration,
    pub(super) bytes: usize,
}

/// A JSON-RPC client.
#[derive(Debug)]
pub(super) struct Transport {
    http: Client,
    /// The configured URL, for people.
    url: Url,
    /// Where requests go. A Unix socket has a URL of HTTP beside its path.
    target: Url,
    auth: BitcoindAuth,
    /// The cookie's name and password, as last read.
    cookie: Mutex<Option<(String, Secret)>>,
}

/// The answer to one call.
#[derive(Debug, Deserialize)]
pub(super) struct Answer<T> {
    #[serde(default)]
    id: Value,
    #[serde(default = "Option::default")]
    result: Option<T>,
    error: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    code: i64,
    message: String,
}

impl Transport {
    pub(super) fn new(config: &BitcoindConfig) -> Result<Self, BitcoindError> {
        let mut http = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let mut target = config.url.clone();
        match (config.url.scheme(), &config.tls_ca) {
            ("https", None) => {}
            ("https", Some(path)) => http = http.tls_certs_only(authorities(path)?),
            // Plain HTTP needs no certificate authorities, and a minimal container has none.
            (scheme, _) => {
                http = http.tls_certs_only([]);
                if scheme == "unix" {
                    http = http.unix_socket(PathBuf::from(config.url.path()));
                    target = Url::parse("http://localhost/").expect("a fixed, valid URL");
                }
            }
        }
        let http = http.build().map_err(BitcoindError::NoHttpClient)?;
        Ok(Self { http, url: config.url.clone(), target, auth: config.auth.clone(), cookie: Mutex::new(None) })
    }

    /// The configured URL.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Makes one call and returns the answer's bytes.
    pub(super) async fn call(
        &self,
        method: &'static str,
        params: Value,
        bounds: Bounds,
    ) -> Result<Vec<u8>, BitcoindError> {
        let request = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params });
        self.send(method, &request, bounds).await
    }

    /// Makes the same call with several parameters in one request. Returns the answers in the order of `params`.
    pub(super) async fn batch<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: impl IntoIterator<Item = Value>,
        bounds: Bounds,
    ) -> Result<Vec<T>, BitcoindError> {
        let requests: Vec<Value> = params
            .into_iter()
            .enumerate()
            .map(|(id, params)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .collect();
        let bytes = self.send(method, &Value::from(requests.as_slice()), bounds).await?;
        let mut answers: Vec<Answer<T>> = parse(method, &bytes)?;
        answers.sort_by_key(|answer| answer.id.as_u64());
        let in_order = answers.iter().enumerate().all(|(n, a)| a.id.as_u64() == Some(n as u64));
        if answers.len() != requests.len() || !in_order {
            return Err(BitcoindError::NoResult { method });
        }
        answers.into_iter().map(|answer| answer.result(method)?.ok_or(BitcoindError::NoResult { method })).collect()
    }

    /// Sends a request. If bitcoind's queue is full, sends it once more after a pause: a bitcoind that begins to stop says
    /// the same, and says after the pause that it stops.
    async fn send(&self, method: &'static str, request: &Value, bounds: Bounds) -> Result<Vec<u8>, BitcoindError> {
        let work = async {
            let answer = self.send_once(method, request, bounds).await;
            if !matches!(answer, Err(BitcoindError::Busy)) {
                return answer;
            }
            tokio::time::sleep(BUSY_PAUSE).await;
            self.send_once(method, request, bounds).await
        };
        tokio::time::timeout(bounds.time, work)
            .await
            .map_err(|_| BitcoindError::TimedOut { method, limit: bounds.time })?
    }

    /// If bitcoind rejects the cookie, reads the cookie file again and retries once.
    async fn send_once(&self, method: &'static str, request: &Value, bounds: Bounds) -> Result<Vec<u8>, BitcoindError> {
        let mut response = self.post(method, request, false).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            response = self.post(method, request, true).await?;
        }
        self.read(method, response, bounds.bytes).await
    }

    async fn post(&self, method: &'static str, request: &Value, renew: bool) -> Result<Response, BitcoindError> {
        let (name, password) = self.credentials(renew).await?;
        self.http
            .post(self.target.clone())
            .basic_auth(name, Some(password.expose()))
            .header(CONTENT_TYPE, "application/json")
            .body(request.to_string())
            .send()
            .await
            .map_err(|source| self.connection_error(method, source))
    }

    async fn read(
        &self,
        method: &'static str,
        mut response: Response,
        limit_bytes: usize,
    ) -> Result<Vec<u8>, BitcoindError> {
        let url = self.url.to_string();
        match response.status() {
            StatusCode::UNAUTHORIZED => {
                return Err(self.refused(url));
            }
            StatusCode::FORBIDDEN => return Err(BitcoindError::NotAdmitted { url }),
            StatusCode::SERVICE_UNAVAILABLE => return Err(busy_or_stopping(response).await),
            status @ (StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) => {
                return Err(BitcoindError::Gateway { url, status: status.as_u16() });
            }
            // Older versions of bitcoind send JSON-RPC errors with these statuses; the body has the error.
            StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::INTERNAL_SERVER_ERROR => {}
            status => {
                let status = status.as_u16();
                return Err(BitcoindError::Status { url, method, status });
            }
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.connection_error(method, error))? {
            if bytes.len() + chunk.len() > limit_bytes {
                return Err(BitcoindError::TooLarge { method, limit_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn connection_error(&self, method: &'static str, error: reqwest::Error) -> BitcoindError {
        let unreachable = error.is_connect();
        let (url, source) = (self.url.to_string(), ConnectionError(error));
        match self.url.port().filter(|port| PEER_PORTS.contains(port)) {
            _ if unreachable => BitcoindError::Unreachable { url, source },
            Some(port) => BitcoindError::PeerPort { url, rpc_port: port - 1 },
            None => BitcoindError::Broken { method, source },
        }
    }

    async fn credentials(&self, renew: bool) -> Result<(String, Secret), BitcoindError> {
        let path = match &self.auth {
            BitcoindAuth::User { name, password } => return Ok((name.clone(), password.clone())),
            BitcoindAuth::Cookie(path) => path,
        };
        let known = self.cookie.lock().expect("no code panics while it holds this").clone();
        if let (Some(cookie), false) = (known, renew) {
            return Ok(cookie);
        }
        let malformed = || BitcoindError::CookieMalformed { path: path.clone() };
        let unreadable = |source| BitcoindError::CookieUnreadable { path: path.clone(), source };
        let found = tokio::fs::metadata(path).await.map_err(unreadable)?;
        // Opening a pipe would block the thread until a writer opens it.
        if !found.is_file() || found.len() > COOKIE_BYTES_MAX {
            return Err(malformed());
        }
        let text = tokio::fs::read_to_string(path).await.map_err(unreadable)?;
        let (name, password) = text.trim_end().split_once(':').ok_or_else(malformed)?;
        let cookie = (name.to_owned(), Secret::new(password));
        *self.cookie.lock().expect("no code panics while it holds this") = Some(cookie.clone());
        Ok(cookie)
    }

    fn refused(&self, url: String) -> BitcoindError {
        match &self.auth {
            BitcoindAuth::User { name, .. } => BitcoindError::WrongCredentials { url, name: name.clone() },
            BitcoindAuth::Cookie(path) => BitcoindError::WrongCookie { url, path: path.clone() },
        }
    }
}

/// The certificate authorities in a file.
fn authorities(path: &Path) -> Result<Vec<Certificate>, BitcoindError> {
    let unreadable = |source| BitcoindError::AuthoritiesUnreadable { path: path.to_owned(), source };
    let size_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    let bytes = if size_bytes > CA_BYTES_MAX { Vec::new() } else { std::fs::read(path).map_err(unreadable)? };
    let found = Certificate::from_pem_bundle(&bytes).unwrap_or_default();
    if found.is_empty() { Err(BitcoindError::NoAuthorities { path: path.to_owned() }) } else { Ok(found) }
}

/// Why bitcoind accepts no request: its queue is full, or it is stopping. Only the words distinguish the two.
async fn busy_or_stopping(mut response: Response) -> BitcoindError {
    let mut words = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        words.extend_from_slice(&chunk);
        if words.len() > BUSY_ANSWER_BYTES_MAX {
            break;
        }
    }
    if String::from_utf8_lossy(&words).contains(QUEUE) { BitcoindError::Busy } else { BitcoindError::Stopping }
}

impl<T> Answer<T> {
    /// The result; `None` if it is `null`.
    pub(super) fn result(self, method: &'static str) -> Result<Option<T>, BitcoindError> {
        let Some(Refusal { code, message }) = self.error else { return Ok(self.result) };
        let words: String = message.chars().take(REASON_CHARS_MAX).collect();
        Err(match code {
            CODE_WARMUP => BitcoindError::Starting { words },
            CODE_NOT_CONNECTED if words == SHUTTING_DOWN => BitcoindError::Stopping,
            CODE_NOT_CONNECTED | CODE_INITIAL_DOWNLOAD => BitcoindError::NotReady { words },
            _ => BitcoindError::Refused { method, code, words },
        })
    }
}

/// Parses the answer to one call; `None` if the result is `null`.
pub(super) fn answer<T: DeserializeOwned>(method: &'static str, bytes: &[u8]) -> Result<Option<T>, BitcoindError> {
    parse::<Answer<T>>(method, bytes)?.result(method)
}

fn parse<T: DeserializeOwned>(method: &'static str, bytes: &[u8]) -> Result<T, BitcoindError> {
    serde_json::from_slice(bytes).map_err(|source| BitcoindError::Malformed { method, source })
}
