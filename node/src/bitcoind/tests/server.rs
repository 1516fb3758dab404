//! The hostile server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::Bitcoind;
use crate::config::{BitcoindAuth, BitcoindConfig, Network, Secret};

/// The server's reaction to a request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// Answers.
    Body(u16, String),
    /// Answers after a while.
    Later(Duration, String),
    /// Never answers.
    Silence,
    /// Stops in the middle of an answer.
    Half,
    /// Answers without end.
    Endless,
}

impl Reply {
    pub(super) fn body(status: u16, body: &str) -> Self {
        Self::Body(status, body.to_owned())
    }

    pub(super) fn result(result: Value) -> Self {
        Self::Body(200, json!({ "id": 0, "result": result }).to_string())
    }
}

type Answer = dyn Fn(&Value) -> Reply + Send + Sync;

struct Shared {
    answer: Box<Answer>,
    credentials: Mutex<Option<(String, String)>>,
}

pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), answer).await
    }

    pub(super) async fn start_at(
        address: SocketAddr,
        answer: impl Fn(&Value) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared { answer: Box::new(answer), credentials: Mutex::new(None) });
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(handle).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, task }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn expect_credentials(&self, name: &str, password: &str) {
        let credentials = (name.to_owned(), password.to_owned());
        *self.shared.credentials.lock().unwrap() = Some(credentials);
    }

    pub(super) fn client(&self, network: Network) -> Bitcoind {
        let password = Secret::new("p");
        self.client_with(network, BitcoindAuth::User { name: "u".to_owned(), password })
    }

    pub(super) fn client_with(&self, network: Network, auth: BitcoindAuth) -> Bitcoind {
        let url = format!("http://{}", self.address).parse().unwrap();
        Bitcoind::new(&BitcoindConfig::new(url, auth, Duration::from_secs(1)), network).unwrap()
    }

    /// A client of several servers, the first one first.
    pub(super) fn client_of(servers: &[&Self], network: Network) -> Bitcoind {
        let config = |server: &&Self| {
            let password = Secret::new("p");
            let auth = BitcoindAuth::User { name: "u".to_owned(), password };
            let url = format!("http://{}", server.address).parse().unwrap();
            BitcoindConfig::new(url, auth, Duration::from_secs(1))
        };
        let mut all = servers.iter().map(config);
        let first = all.next().unwrap();
        Bitcoind::new(&BitcoindConfig { fallback: all.collect(), ..first }, network).unwrap()
    }

    pub(super) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

async fn handle(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some((name, password)) = shared.credentials.lock().unwrap().as_ref() {
        let given = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        if given != Some(format!("Basic {}", base64(&format!("{name}:{password}")))) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
    match (shared.answer)(&request) {
        Reply::Body(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Reply::Later(pause, body) => {
            tokio::time::sleep(pause).await;
            body.into_response()
        }
        Reply::Silence => std::future::pending().await,
        Reply::Half => {
            let start = Ok(Bytes::from("{\"result\":"));
            let broken = Err(std::io::Error::other("broken off"));
            Body::from_stream(stream::iter([start, broken])).into_response()
        }
        Reply::Endless => {
            let spaces = || Ok::<_, Infallible>(Bytes::from(vec![b' '; 1 << 16]));
            Body::from_stream(stream::repeat_with(spaces)).into_response()
        }
    }
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            let padding = digit > chunk.len();
            encoded.push(if padding { '=' } else { char::from(DIGITS[value as usize]) });
        }
    }
    encoded
}
