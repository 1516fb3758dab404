//! A node starts without its bitcoind, as after a power cut: it says what it waits for, and goes on by itself. Signals
//! never end it without a word.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::routing::post;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use testnet::embedded::{Bitcoin, Config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::free_port;

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

fn program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal")
}

/// The program, in a folder of its own. It is killed when dropped.
struct Node {
    child: Child,
    dir: PathBuf,
    api: SocketAddr,
    stratum: SocketAddr,
}

impl Node {
    fn start(dir: &Path, bitcoin: SocketAddr, environment: &[(&str, &str)]) -> Self {
        let (api, stratum, p2p) = (free_port(), free_port(), free_port());
        let settings = format!(
            "network = \"local\"\nnew_pool = true\nlog = \"info\"\ndata_dir = {data:?}\n\
             [bitcoind]\nurl = \"http://{bitcoin}\"\ncookie_file = {cookie:?}\n\
             [stratum]\nlisten = \"{stratum}\"\n[p2p]\nlisten = [\"{p2p}\"]\nmdns = false\n[api]\nlisten = \"{api}\"\n",
            data = dir.join("data"),
            cookie = dir.join("bitcoin/.cookie"),
        );
        fs::write(dir.join("shoal.toml"), settings).unwrap();
        let child = Command::new(program())
            .args(["run", "--config"])
            .arg(dir.join("shoal.toml"))
            .env_clear()
            // A minimal container has no CA certificates.
            .envs([("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stderr(File::options().create(true).append(true).open(dir.join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, dir: dir.to_owned(), api, stratum }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap()
    }

    /// Exit code of `shoal status`.
    fn status_code(&self) -> Option<i32> {
        let mut status = Command::new(program());
        status.env_clear().args(["status", "--config"]).arg(self.dir.join("shoal.toml")).stdout(Stdio::null());
        status.stderr(Stdio::null()).status().unwrap().code()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    async fn get(&self, path: &str) -> Option<reqwest::Response> {
        reqwest::get(format!("http://{}{path}", self.api)).await.ok()
    }

    async fn status(&self) -> Option<Value> {
        self.get("/api/v1/status").await?.json().await.ok()
    }

    async fn wait_for(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let status = self.status().await;
            if let Some(status) = status.as_ref().filter(|status| is_so(status)) {
                return status.clone();
            }
            assert!(began.elapsed() < SOON, "{what} did not happen: {status:#?}\n{}", self.log());
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn wait_for_log(&self, words: &str) {
        let began = Instant::now();
        while !self.log().contains(words) {
            assert!(began.elapsed() < SOON, "no line with {words:?}:\n{}", self.log());
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn end(&mut self, limit: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < limit, "it did not end:\n{}", self.log());
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a node tells systemd, as long as the test runs.
fn systemd(socket: &Path) -> Arc<Mutex<String>> {
    let socket = UnixDatagram::bind(socket).unwrap();
    let told = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&told);
    std::thread::spawn(move || {
        let mut message = [0; 4096];
        while let Ok(count) = socket.recv(&mut message) {
            *heard.lock().unwrap() += &format!("{}\n", String::from_utf8_lossy(&message[..count]));
        }
    });
    told
}

/// Subscribes as a miner. Returns what the node sends before it closes the connection.
async fn subscribe(stratum: SocketAddr) -> String {
    let mut miner = tokio::net::TcpStream::connect(stratum).await.unwrap();
    miner.write_all(b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"test\"]}\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(SOON, miner.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

/// What a node first answers to a miner that subscribes.
async fn first_answer(stratum: SocketAddr) -> String {
    let mut miner = tokio::net::TcpStream::connect(stratum).await.unwrap();
    miner.write_all(b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"test\"]}\n").await.unwrap();
    let mut answer = [0; 4096];
    let count = tokio::time::timeout(SOON, miner.read(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

async fn bitcoin(dir: &Path, listen: SocketAddr) -> Bitcoin {
    Bitcoin::start(Config { dir: dir.join("bitcoin"), listen, transaction_interval: None }).await.unwrap()
}

/// Every document, page and list can be asked for while nothing is known yet.
async fn everything_answers(node: &Node) {
    let document: Value = node.get("/api/v1/openapi.json").await.unwrap().json().await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut asked = 0;
    for (path, _) in paths.iter().filter(|(path, how)| !path.contains('{') && how.get("get").is_some()) {
        if path.ends_with("/live") {
            continue;
        }
        let status = node.get(path).await.unwrap_or_else(|| panic!("{path} gives no answer")).status();
        assert!(!status.is_server_error() || status == 503, "{path}: {status}");
        asked += 1;
    }
    assert!(asked >= 8, "{asked} routes");
    assert_eq!(node.get("/").await.unwrap().status(), 200, "the pages are there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_waits_for_its_bitcoind_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_port();
    let socket = dir.path().join("notify");
    let told = systemd(&socket);
    let asked = [("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", "1000000")];
    let mut node = Node::start(dir.path(), address, &asked);
    let status = node.wait_for("waiting", |status| status["sync"]["state"] == "waiting").await;
    assert_eq!(status["handing_out_work"], false);
    assert!(status["bitcoin"]["trouble"].as_str().unwrap().contains("cookie"), "{status}");
    assert!(status["no_work_because"].as_str().unwrap().contains("waits for its bitcoind"), "{status}");
    everything_answers(&node).await;
    assert_eq!(node.status_code(), Some(3), "it answers, and has no work");
    assert_eq!(node.get("/health").await.unwrap().status(), 200);
    let ready = node.get("/ready").await.unwrap();
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.unwrap().contains("waits for its bitcoind"));
    let refused = subscribe(node.stratum).await;
    assert!(refused.contains("this node has no work") && !refused.contains("mining.notify"), "{refused}");

    // Signals do what they should while the node waits.
    node.signal(Signal::SIGUSR1);
    node.wait_for_log("this signal does nothing").await;
    let settings = fs::read_to_string(dir.path().join("shoal.toml")).unwrap();
    fs::write(dir.path().join("shoal.toml"), settings.replace("\"info\"", "\"info,node=debug\"")).unwrap();
    node.signal(Signal::SIGHUP);
    node.wait_for_log("log filter and notifications are read again").await;
    fs::write(dir.path().join("shoal.toml"), "lgo = \"info\"\n").unwrap();
    node.signal(Signal::SIGHUP);
    node.wait_for_log("the settings are not valid").await;
    fs::write(dir.path().join("shoal.toml"), settings).unwrap();

    let running = bitcoin(dir.path(), address).await;
    node.wait_for("work", |status| status["handing_out_work"] == true).await;
    assert_eq!(node.get("/ready").await.unwrap().status(), 200);
    assert_eq!(node.status_code(), Some(0));
    assert!(node.log().contains("DEBUG"), "the log filter is the new one:\n{}", node.log());
    // The limits for new miners are those of the file, too.
    assert!(first_answer(node.stratum).await.contains("mining.notify"));
    let limited = fs::read_to_string(dir.path().join("shoal.toml")).unwrap();
    let limited = limited.replace("[stratum]\n", "[stratum]\ncoinbase_limits = [\"test=10\"]\n");
    fs::write(dir.path().join("shoal.toml"), limited).unwrap();
    node.signal(Signal::SIGHUP);
    let began = Instant::now();
    while first_answer(node.stratum).await.contains("mining.notify") {
        assert!(began.elapsed() < SOON, "the limits are the old ones:\n{}", node.log());
    }
    node.signal(Signal::SIGQUIT);
    assert!(node.end(SOON).await.success(), "{}", node.log());
    assert!(node.log().contains("SIGQUIT"), "it says why it ends");
    assert_eq!(node.status_code(), Some(1), "nothing answers");
    let told = told.lock().unwrap().clone();
    let lines =
        ["READY=1", "STATUS=No work for miners: the node waits", "WATCHDOG=1", "STATUS=Miners have work", "STOPPING=1"];
    let places: Vec<_> =
        lines.iter().map(|line| told.find(line).unwrap_or_else(|| panic!("no {line}: {told}"))).collect();
    assert!(places[0] < places[3] && places[3] < places[4], "{told}");

    // The cookie of the last run is still there, but nothing answers.
    drop(running);
    let mut node = Node::start(dir.path(), free_port(), &[]);
    let status = node.wait_for("waiting", |status| status["sync"]["state"] == "waiting").await;
    assert!(status["bitcoin"]["trouble"].as_str().unwrap().contains("cannot be reached"), "{status}");
    node.signal(Signal::SIGTERM);
    assert!(node.end(Duration::from_secs(10)).await.success(), "{}", node.log());
}

/// What answers at bitcoind's address, until it is aborted. No connection outlasts its answer.
async fn answering(listen: SocketAddr, code: StatusCode, body: &'static str) -> tokio::task::JoinHandle<()> {
    let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
    let router = Router::new().route("/", post(move || async move { (code, [(CONNECTION, "close")], body) }));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

/// A power cut left the cookie empty, and the service started again and again without pages. A bitcoind on another network, or one
/// that needs its operator in another way, ended the node, too: the pages of the packages could not say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_waits_for_a_bitcoind_that_needs_its_operator() {
    const OTHER: &str = r#"{"id":0,"error":null,"result":{"chain":"main","blocks":1,"headers":1,
        "bestblockhash":"00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048","initialblockdownload":false}}"#;
    let dir = tempfile::tempdir().unwrap();
    let address = free_port();
    let cookie = dir.path().join("bitcoin/.cookie");
    fs::create_dir(cookie.parent().unwrap()).unwrap();
    fs::write(&cookie, "").unwrap();
    let node = Node::start(dir.path(), address, &[]);
    let waits_for = async |words: &str| {
        let waits = |status: &Value| status["bitcoin"]["trouble"].as_str().is_some_and(|told| told.contains(words));
        let status = node.wait_for(words, waits).await;
        assert_eq!((&status["sync"]["state"], &status["handing_out_work"]), (&"waiting".into(), &false.into()));
        assert_eq!(node.get("/ready").await.unwrap().status(), 503);
        assert_eq!(node.get("/").await.unwrap().status(), 200, "the pages are there");
    };
    waits_for("is not a cookie file").await;
    fs::write(&cookie, "name:password").unwrap();
    for (code, body, words) in [
        (403, "", "rejects connections from this machine"),
        (401, "", "rejects the cookie"),
        (200, OTHER, "runs on another network"),
        (200, "<html>", "cannot be decoded"),
    ] {
        let there = answering(address, StatusCode::from_u16(code).unwrap(), body).await;
        waits_for(words).await;
        there.abort();
        let _aborted = there.await;
    }
    // One that hangs has not failed yet.
    let hung = tokio::net::TcpListener::bind(address).await.unwrap();
    drop(node);
    let node = Node::start(dir.path(), address, &[]);
    node.wait_for("hung", |status| status["bitcoin"]["trouble"] == "it has not sent its headers yet").await;
    drop(hung);

    let _running = bitcoin(dir.path(), address).await;
    node.wait_for("work", |status| status["handing_out_work"] == true).await;
}

/// RocksDB aborts a process that exits while a thread closes a database: one in twelve of these ended with SIGABRT.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_ends_well_however_early_it_stops() {
    const STARTS: u64 = 48;
    for start in 0..STARTS {
        let dir = tempfile::tempdir().unwrap();
        let mut node = Node::start(dir.path(), free_port(), &[]);
        node.wait_for_log("waiting for bitcoind").await;
        tokio::time::sleep(Duration::from_millis(start * 5 % 120)).await;
        node.signal(Signal::SIGTERM);
        let status = node.end(SOON).await;
        assert!(status.success(), "start {start}: {status}\n{}", node.log());
    }
    // It fails while its pages are up.
    let dir = tempfile::tempdir().unwrap();
    let address = free_port();
    let _bitcoin = bitcoin(dir.path(), address).await;
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    for _ in 0..STARTS / 4 {
        let mut node = Node::start(dir.path(), address, &[("SHOAL_P2P_LISTEN", &listen)]);
        assert_eq!(node.end(SOON).await.code(), Some(1), "{}", node.log());
    }
}
