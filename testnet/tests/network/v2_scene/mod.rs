//! A node with a listener for Stratum v2.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Up, working};
use crate::line::Line;

/// A node with a listener for Stratum v2, and a line to its bitcoind.
pub(crate) struct Scene {
    pub(crate) up: Up,
    pub(crate) line: Line,
    pub(crate) api: SocketAddr,
    pub(crate) v1: SocketAddr,
    pub(crate) v2: SocketAddr,
}

impl Scene {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// A scene whose node has more settings for miners.
    pub(crate) fn with(edit: impl FnOnce(&mut toml::Table)) -> Self {
        let mut up = Up::start(&["--nodes", "1", "--miners", "2", "--duration", "300"]);
        up.wait_for("the node working", Duration::from_secs(60), |status| working(status) == 1);
        let path = up.dir().join("node-A/shoal.toml");
        let mut config: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let url = config["bitcoind"]["url"].as_str().unwrap();
        let line = Line::new(url.strip_prefix("http://").unwrap().parse().unwrap());
        config["bitcoind"]["url"] = format!("http://{}", line.address).into();
        let v2 = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listeners = vec![toml::Value::from(format!("{v2} v2"))];
        config["stratum"].as_table_mut().unwrap().insert("listeners".to_owned(), listeners.into());
        let v1 = config["stratum"]["listen"].as_str().unwrap().parse().unwrap();
        edit(config["stratum"].as_table_mut().unwrap());
        let api = config["api"]["listen"].as_str().unwrap().parse().unwrap();
        up.must(&["kill", "A"]);
        std::fs::write(path, config.to_string()).unwrap();
        up.must(&["restart", "A"]);
        let scene = Self { up, line, api, v1, v2 };
        let began = Instant::now();
        // The node itself says so: the network's status is of some time before.
        while scene.ask("/status").is_none_or(|status| status["handing_out_work"] != true) {
            assert!(began.elapsed() < Duration::from_secs(60), "the node does not work again: {}", scene.up.log());
            std::thread::sleep(Duration::from_millis(200));
        }
        scene
    }

    /// Asks the node's API.
    pub(crate) fn ask(&self, path: &str) -> Option<Value> {
        let mut socket = TcpStream::connect(self.api).ok()?;
        let request = format!("GET /api/v1{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.api);
        socket.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The URL that the node shows, with its key.
    pub(crate) fn url(&self) -> String {
        let began = Instant::now();
        loop {
            let shown = self.ask("/mining").unwrap_or_default();
            if let Some(url) = shown["v2_urls"][0]["url"].as_str() {
                return url.to_owned();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the node shows no URL: {shown}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Whether the window pays for work of all these addresses.
    pub(crate) fn pays(&self, addresses: &[&str]) -> bool {
        let window = self.ask("/window?limit=100").unwrap_or_default().to_string();
        addresses.iter().all(|address| window.contains(address))
    }
}
