//! Several listeners of one server: own difficulties, PROXY headers, TLS.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use stratum::{
    Authority, Balancers, CoinbaseLimit, Config, Difficulty, DifficultyRange, Limits, Listener, Pool, Server, Tls,
};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::aws_lc_rs};

use crate::common::{OneWork, Raw, USER, serve_with};

fn local() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn file(name: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/tls").join(name)
}

fn tls() -> Tls {
    Tls::from_pem(&file("certificate.pem"), &file("key.pem")).unwrap()
}

/// What a miner that speaks TLS trusts.
fn client() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("certificate.pem")).unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(client)
}

/// Subscribes and authorizes. Returns the difficulty of the first job.
async fn mine(socket: impl AsyncRead + AsyncWrite + Unpin, password: &str) -> f64 {
    let (read, mut write) = tokio::io::split(socket);
    let subscribe = r#"{"id":1,"method":"mining.subscribe","params":["x"]}"#;
    let login = format!(r#"{{"id":2,"method":"mining.authorize","params":["{USER}","{password}"]}}"#);
    write.write_all(format!("{subscribe}\n{login}\n").as_bytes()).await.unwrap();
    let mut lines = BufReader::new(read).lines();
    loop {
        let line = tokio::time::timeout(Duration::from_secs(10), lines.next_line()).await.unwrap().unwrap().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["method"] == "mining.set_difficulty" {
            return line["params"][0].as_f64().unwrap();
        }
    }
}

#[tokio::test]
async fn each_listener_has_its_own_difficulties() {
    let pool = OneWork::new();
    pool.set(|parts| parts.share_target = Difficulty::floor(1e6).target());
    let mut config = Config::new(local());
    let rental = DifficultyRange { start: 500_000.0, min: 100_000.0, max: 700_000.0 };
    config.listeners.push(Listener { difficulty: rental, ..Listener::new(local()) });
    let server = Server::bind(config, Arc::clone(&pool) as Arc<dyn Pool>).await.unwrap();
    let addresses = server.local_addrs();
    let stats = server.stats();
    let _running = tokio::task::JoinSet::from_iter([server.run(std::future::pending())]);
    let cases =
        [(0, "x", 1_024.0), (0, "d=5", 5.0), (1, "x", 500_000.0), (1, "d=5", 100_000.0), (1, "d=900000", 700_000.0)];
    for (listener, password, expected) in cases {
        let socket = TcpStream::connect(addresses[listener]).await.unwrap();
        assert_eq!(mine(socket, password).await, expected, "listener {listener}, {password}");
    }
    assert_eq!(stats.snapshot().connections_taken, 5, "they share the statistics");
}

#[tokio::test]
async fn new_limits_hold_for_new_connections() {
    let (change, changes) = watch::channel(Limits::default());
    let server = serve_with(|config| config.changes = changes).await;
    server.pool.set(|parts| parts.share_target = Difficulty::floor(1e6).target());
    let mut old = TcpStream::connect(server.addr).await.unwrap();
    assert_eq!(mine(&mut old, "x").await, 1_024.0);
    let difficulty = DifficultyRange { start: 4_096.0, min: 2_048.0, max: 8_192.0 };
    let none = CoinbaseLimit { agent: "x".to_owned(), bytes: Some(10) };
    change.send_replace(Limits { difficulties: vec![(server.addr, difficulty)], ..Limits::default() });
    let began = Instant::now();
    while mine(TcpStream::connect(server.addr).await.unwrap(), "d=1").await < 2_048.0 {
        assert!(began.elapsed() < Duration::from_secs(10), "the old limits still hold");
    }
    change.send_replace(Limits { coinbase_limits: [none].into(), ..Limits::default() });
    let subscribe = br#"{"id":1,"method":"mining.subscribe","params":["x"]}"#;
    loop {
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        socket.write_all(&[subscribe, b"\n".as_slice()].concat()).await.unwrap();
        let line = BufReader::new(socket).lines().next_line().await.unwrap().unwrap();
        if line.contains("coinbase") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "the old limits still hold: {line}");
    }
    // The miner that was there before is served as before.
    let submit = br#"{"id":9,"method":"mining.get_transactions","params":[]}"#;
    old.write_all(&[submit, b"\n".as_slice()].concat()).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(10), old.read(&mut [0; 64])).await.unwrap().unwrap() > 0);
}

#[tokio::test]
async fn a_proxy_header_names_the_miner() {
    let server = serve_with(|config| {
        config.listeners[0].balancers = Some(Balancers::new(|ip| ip.is_loopback()));
        config.connections_per_ip_max = 1;
    })
    .await;
    let connect = async |header: &[u8]| {
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        socket.write_all(header).await.unwrap();
        socket
    };
    let peer = || server.stats.snapshot().connections.last().unwrap().peer.to_string();
    let mut one = connect(b"PROXY TCP4 192.0.2.7 127.0.0.1 5000 3333\r\n").await;
    mine(&mut one, "x").await;
    assert_eq!(peer(), "192.0.2.7:5000");
    let binary =
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".as_slice(), &[192, 0, 2, 8, 127, 0, 0, 1, 0, 9, 13, 5]].concat();
    let mut two = connect(&binary).await;
    mine(&mut two, "x").await;
    assert_eq!(peer(), "192.0.2.8:9");
    // The limit by address counts miners, not the load balancer.
    let mut said = String::new();
    connect(b"PROXY TCP4 192.0.2.7 127.0.0.1 5001 3333\r\n").await.read_to_string(&mut said).await.unwrap();
    assert!(said.contains("too many connections from your address"), "{said}");
    drop(one);
    while server.stats.snapshot().connections.len() > 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut again = connect(b"PROXY TCP4 192.0.2.7 127.0.0.1 5002 3333\r\n").await;
    mine(&mut again, "x").await;
    let mut said = Vec::new();
    connect(b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n")
        .await
        .read_to_end(&mut said)
        .await
        .unwrap_or(0);
    assert!(said.is_empty(), "without a header, no connection is served");
}

/// Messages of all connections that a load balancer forwards for one miner count for that miner, by either version of the header.
#[tokio::test]
async fn behind_a_load_balancer_the_miner_waits_that_sends_too_much_and_no_other() {
    let server = serve_with(|config| {
        config.listeners[0].balancers = Some(Balancers::new(|ip| ip.is_loopback()));
        config.messages_burst = 50.0;
    })
    .await;
    let connect = async |header: &[u8]| {
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        socket.write_all(header).await.unwrap();
        Raw::on(socket)
    };
    let ping = "{\"id\":1,\"method\":\"mining.ping\"}";
    let mut hostile = Vec::new();
    for port in 0..20 {
        let mut one = connect(format!("PROXY TCP4 192.0.2.7 127.0.0.1 {port} 3333\r\n").as_bytes()).await;
        one.write.write_all(format!("{ping}\n").repeat(200).as_bytes()).await.unwrap();
        hostile.push(one);
    }
    // More answers than the burst has.
    for one in &mut hostile {
        for _ in 0..5 {
            one.next().await;
        }
    }
    let binary =
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".as_slice(), &[192, 0, 2, 7, 127, 0, 0, 1, 0, 9, 13, 5]].concat();
    let asked = Instant::now();
    let mut same = connect(&binary).await;
    same.ask(ping).await;
    // The 20 connections owe a message each, and take turns with this one.
    assert!(asked.elapsed() >= Duration::from_millis(10), "{:?}", asked.elapsed());
    let mut other = connect(b"PROXY TCP4 192.0.2.8 127.0.0.1 1 3333\r\n").await;
    let asked = Instant::now();
    for _ in 0..40 {
        other.ask(ping).await;
    }
    assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
}

/// The load balancer's own address has no budget of handshakes: each counts for the miner that the header names.
#[tokio::test]
async fn behind_a_load_balancer_handshakes_count_for_the_miner() {
    let server = serve_with(|config| {
        config.listeners[0].balancers = Some(Balancers::new(|ip| ip.is_loopback()));
        config.listeners[0].tls = Some(tls());
        config.handshakes_burst = 3.0;
    })
    .await;
    let connect = async |miner: &str| {
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        socket.write_all(format!("PROXY TCP4 {miner} 127.0.0.1 1 3333\r\n").as_bytes()).await.unwrap();
        socket
    };
    // The server waits for the first message of a handshake, unless it refuses the connection.
    let is_refused = async |socket: &mut TcpStream| {
        tokio::time::timeout(Duration::from_millis(150), socket.read(&mut [0; 1])).await.is_ok()
    };
    let mut hostile = Vec::new();
    for _ in 0..100 {
        hostile.push(connect("192.0.2.7").await);
    }
    let mut others = [connect("192.0.2.8").await, connect("192.0.2.8").await, connect("192.0.2.8").await];
    for other in &mut others {
        assert!(!is_refused(other).await);
    }
    assert!(is_refused(hostile.last_mut().unwrap()).await || is_refused(&mut hostile[98]).await);
}

/// Who reaches the listener past the load balancer can name no address.
#[tokio::test]
async fn only_a_load_balancer_is_believed() {
    let server = serve_with(|config| {
        config.listeners[0].balancers = Some(Balancers::new(|ip| ip == "192.0.2.1".parse::<IpAddr>().unwrap()));
    })
    .await;
    let mut socket = TcpStream::connect(server.addr).await.unwrap();
    let _reset = socket
        .write_all(b"PROXY TCP4 192.0.2.7 127.0.0.1 5000 3333\r\n{\"id\":1,\"method\":\"mining.subscribe\"}\n")
        .await;
    let mut said = Vec::new();
    let _reset = socket.read_to_end(&mut said).await;
    assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
    assert_eq!(server.stats.snapshot().connections_taken, 0);
}

#[tokio::test]
async fn miners_may_speak_tls() {
    let server = serve_with(|config| config.listeners[0].tls = Some(tls())).await;
    let connector = TlsConnector::from(client());
    let socket = TcpStream::connect(server.addr).await.unwrap();
    let secure = connector.connect("localhost".try_into().unwrap(), socket).await.unwrap();
    assert!(mine(secure, "x").await > 0.0);
    let mut plain = TcpStream::connect(server.addr).await.unwrap();
    plain.write_all(b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n").await.unwrap();
    let mut said = Vec::new();
    let _reset = plain.read_to_end(&mut said).await;
    assert!(!String::from_utf8_lossy(&said).contains("mining"), "plain miners are not served");
}

#[test]
fn a_missing_certificate_is_named() {
    let error = Tls::from_pem(&file("none.pem"), &file("key.pem")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read a certificate from ") && error.contains("none.pem"), "{error}");
    let error = Tls::from_pem(&file("certificate.pem"), &file("certificate.pem")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read a private key from "), "{error}");
}

/// Beginnings of connections: of each protocol, whole, cut, with a changed byte, with more behind it; and any bytes.
fn beginnings() -> impl Strategy<Value = Vec<u8>> {
    let mut hello = Vec::new();
    ClientConnection::new(client(), "localhost".try_into().unwrap()).unwrap().write_tls(&mut hello).unwrap();
    let known = prop::sample::select(vec![
        Vec::new(),
        hello,
        b"PROXY TCP4 192.0.2.7 127.0.0.1 5000 3333\r\n".to_vec(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".as_slice(), &[192, 0, 2, 8, 127, 0, 0, 1, 0, 9, 13, 5]].concat(),
        b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n".to_vec(),
    ]);
    let more = prop::collection::vec(any::<u8>(), 0..300);
    let change = prop::option::of((any::<prop::sample::Index>(), any::<u8>()));
    (known.clone(), known, more, any::<prop::sample::Index>(), any::<bool>(), change).prop_map(
        |(first, second, more, cut, is_cut, change)| {
            let mut bytes = [first, second, more].concat();
            if let Some((at, byte)) = change.filter(|_| !bytes.is_empty()) {
                *at.get_mut(&mut bytes) = byte;
            }
            bytes.truncate(if is_cut { cut.index(bytes.len() + 1) } else { bytes.len() });
            bytes
        },
    )
}

/// After any first bytes, on any kind of listener, the connection ends, nothing panics, and other miners are served.
#[tokio::test]
async fn any_beginning_ends_its_own_connection_alone() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        told(info);
    }));
    let server = serve_with(|_| {}).await;
    let proxied = || Some(Balancers::new(|ip| ip.is_loopback()));
    let authority = Some(Authority::from_secret([7; 32]).unwrap());
    let listeners = vec![
        Listener::new(local()),
        Listener { tls: Some(tls()), ..Listener::new(local()) },
        Listener { balancers: proxied(), ..Listener::new(local()) },
        Listener { balancers: proxied(), tls: Some(tls()), ..Listener::new(local()) },
        Listener { v2: authority, ..Listener::new(local()) },
    ];
    let config = Config { listeners, ..Config::new(local()) };
    let hostile = Server::bind(config, Arc::clone(&server.pool) as Arc<dyn Pool>).await.unwrap();
    let addresses = hostile.local_addrs();
    let mut running = tokio::task::JoinSet::from_iter([hostile.run(std::future::pending())]);
    let (mut runner, beginnings) = (TestRunner::deterministic(), beginnings());
    for _ in 0..200 {
        let bytes = beginnings.new_tree(&mut runner).unwrap().current();
        for address in &addresses {
            let mut socket = TcpStream::connect(address).await.unwrap();
            // The server may have closed it already.
            let _reset = socket.write_all(&bytes).await;
            let _reset = socket.shutdown().await;
            let ended = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut Vec::new())).await;
            assert!(ended.is_ok(), "{address} keeps {bytes:02x?}");
        }
    }
    assert!(mine(TcpStream::connect(addresses[0]).await.unwrap(), "x").await > 0.0);
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
    running.abort_all();
}
