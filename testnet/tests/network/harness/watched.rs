//! A node of a test network, as its operator and its miners see it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Up;

/// A node of the network, by its config file.
pub(crate) struct Watched {
    pub(crate) stratum: SocketAddr,
    pub(crate) p2p: SocketAddr,
    api: SocketAddr,
    token: String,
}

impl Watched {
    pub(crate) fn of(up: &Up, name: &str) -> Self {
        let folder = up.dir().join(format!("node-{name}"));
        let config: toml::Table = std::fs::read_to_string(folder.join("shoal.toml")).unwrap().parse().unwrap();
        let listen = |table: &str| config[table]["listen"].as_str().unwrap().parse().unwrap();
        let p2p = config["p2p"]["listen"][0].as_str().unwrap().parse().unwrap();
        let token = std::fs::read_to_string(folder.join("data/api-token")).unwrap().trim().to_owned();
        Self { stratum: listen("stratum"), p2p, api: listen("api"), token }
    }

    /// The answer of the API, or null if there is none.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (api, token) = (self.api, &self.token);
        let request = format!(
            "GET /api/v1{path} HTTP/1.1\r\nHost: {api}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(api, &request);
        answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or_default()
    }

    /// Waits until its status meets a condition.
    pub(crate) fn wait_for(&self, what: &str, limit: Duration, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let status = self.get("/status");
            if is_so(&status) {
                return status;
            }
            assert!(began.elapsed() < limit, "{what}: {status:#}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Events of a kind, newest first.
    pub(crate) fn events(&self, kind: &str) -> Vec<String> {
        let log = self.get("/log?limit=100");
        let events = log["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind);
        events.map(|event| event["sentence"].as_str().unwrap().to_owned()).collect()
    }
}

/// Sends bytes and returns what comes until the other side closes, or for 5 s.
pub(crate) fn ask(address: SocketAddr, bytes: &str) -> String {
    let Ok(mut socket) = TcpStream::connect(address) else { return String::new() };
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let _ = socket.write_all(bytes.as_bytes());
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// What a miner says first.
pub(crate) const SUBSCRIBE: &str = "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"test\"]}\n";
