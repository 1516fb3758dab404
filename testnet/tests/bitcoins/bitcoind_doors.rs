//! The ways to a real bitcoind besides plain HTTP: HTTPS and a Unix socket, with socat in front, and ZMQ beside it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bitcoin::hex::DisplayHex;
use bitcoin::{Amount, Transaction};
use node::bitcoind::{Bitcoind, BitcoindError, FeedState, TemplateFeed};
use node::config::{BitcoindAuth, BitcoindConfig, Network};
use node_core::jobs::BlockTemplate;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::support::{REGTEST_ADDRESS, free_address, propose, regtest, unsolved, with_coinbase};

const SOON: Duration = Duration::from_secs(30);

/// Time for which the proxy holds a template back.
const SLOW: Duration = Duration::from_millis(1_500);

fn config(url: &str, dir: &Path) -> BitcoindConfig {
    BitcoindConfig::new(url.parse().unwrap(), BitcoindAuth::Cookie(dir.join("regtest/.cookie")), SOON)
}

fn client(config: &BitcoindConfig) -> Bitcoind {
    Bitcoind::new(config, Network::Regtest).unwrap()
}

fn socat(from: &str, to: SocketAddr) -> Child {
    let mut command = Command::new("socat");
    command.arg(from).arg(format!("TCP:{to}")).stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

async fn until_it_answers(bitcoind: &Bitcoind) {
    let began = Instant::now();
    while let Err(error) = bitcoind.ready().await {
        assert!(began.elapsed() < SOON, "{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What a node does with bitcoind goes through: headers in batches, templates and long polls.
async fn serves(bitcoind: Bitcoind, rpc: &testnet::rpc::Rpc) {
    until_it_answers(&bitcoind).await;
    assert_eq!(bitcoind.headers(0..4).await.unwrap().len(), 4);
    let feed = TemplateFeed::start(bitcoind);
    let mut state = feed.subscribe();
    let first =
        tokio::time::timeout(SOON, state.wait_for(|state| state.template.is_some())).await.unwrap().unwrap().clone();
    let height = first.template.unwrap().height;
    let began = Instant::now();
    rpc.call("generatetoaddress", json!([1, REGTEST_ADDRESS])).await.unwrap();
    let next = |state: &FeedState| state.template.as_ref().is_some_and(|template| template.height > height);
    tokio::time::timeout(SOON, state.wait_for(next)).await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_millis(2_900), "by the long poll: {:?}", began.elapsed());
}

#[tokio::test]
async fn bitcoind_behind_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let (_bitcoind, rpc, address) = regtest(dir.path(), &[]).await;
    rpc.call("generatetoaddress", json!([5, REGTEST_ADDRESS])).await.unwrap();
    let path = dir.path().join("rpc.sock");
    let bitcoind = client(&config(&format!("unix:{}", path.display()), dir.path()));
    let missing = bitcoind.ready().await.unwrap_err();
    let BitcoindError::Unreachable { url, source } = &missing else { panic!("{missing:?}") };
    assert!(url.starts_with("unix:/") && source.to_string().contains("no such socket"), "{url}: {source}");
    let _socat = socat(&format!("UNIX-LISTEN:{},fork", path.display()), address);
    serves(bitcoind, &rpc).await;
}

fn openssl(dir: &Path, arguments: &str) {
    let output = std::process::Command::new("openssl").args(arguments.split(' ')).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An authority of its own, and a certificate for localhost.
fn certificates(dir: &Path) {
    const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(dir, &format!("req -x509 {KEY} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"));
    openssl(dir, &format!("req -x509 {KEY} -days 2 -subj /CN=other -keyout other.key -out other.pem"));
    openssl(dir, &format!("req {KEY} -subj /CN=localhost -keyout server.key -out server.csr"));
    std::fs::write(dir.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    openssl(
        dir,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

#[tokio::test]
async fn bitcoind_behind_https() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let (_bitcoind, rpc, address) = regtest(dir.path(), &[]).await;
    rpc.call("generatetoaddress", json!([5, REGTEST_ADDRESS])).await.unwrap();
    let door = free_address();
    let listen = format!(
        "OPENSSL-LISTEN:{},bind=127.0.0.1,reuseaddr,fork,verify=0,cert={dir}/server.pem,key={dir}/server.key",
        door.port(),
        dir = dir.path().display()
    );
    let _socat = socat(&listen, address);
    let sealed = |authorities: Option<&str>| {
        let tls_ca = authorities.map(|name| dir.path().join(name));
        let url = format!("https://localhost:{}", door.port());
        client(&BitcoindConfig { tls_ca, ..config(&url, dir.path()) })
    };
    serves(sealed(Some("ca.pem")), &rpc).await;
    for authorities in [None, Some("other.pem")] {
        let error = sealed(authorities).ready().await.unwrap_err();
        let BitcoindError::Unreachable { source, .. } = &error else { panic!("{error:?}") };
        assert!(source.to_string().contains("its certificate is not trusted"), "{source}");
    }
    let none = BitcoindConfig { tls_ca: Some(dir.path().join("names")), ..config("https://localhost:1", dir.path()) };
    let error = Bitcoind::new(&none, Network::Regtest).unwrap_err();
    assert!(matches!(error, BitcoindError::NoAuthorities { .. }), "{error:?}");
}

/// Reads one HTTP message with its body.
async fn message(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 65_536];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(bytes);
            }
        }
        let count = socket.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    }
}

/// A proxy in front of bitcoind that holds the answers of long polls back, like a bitcoind with a large mempool on a slow
/// machine.
async fn slow_templates(bitcoind: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(bitcoind).await.unwrap();
                while let Some(request) = message(&mut near).await {
                    far.write_all(&request).await.unwrap();
                    let Some(answer) = message(&mut far).await else { return };
                    if String::from_utf8_lossy(&request).contains("longpollid") {
                        tokio::time::sleep(SLOW).await;
                    }
                    near.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    address
}

/// The block of an empty template, built from its fields alone.
fn block_of(empty: &BlockTemplate) -> bitcoin::Block {
    // BIP-0141: the hash of the coinbase's zero witness hash and a reserved value of zeros.
    let root =
        bitcoin::hashes::Hash::to_byte_array(<bitcoin::hashes::sha256d::Hash as bitcoin::hashes::Hash>::hash(&[0; 64]));
    unsolved(&json!({
        "height": empty.height, "version": empty.version, "coinbasevalue": empty.coinbase_value.to_sat(),
        "default_witness_commitment": format!("6a24aa21a9ed{}", root.to_lower_hex_string()),
        "previousblockhash": empty.prev_block, "curtime": empty.time, "bits": format!("{:08x}", empty.bits.to_consensus()),
        "transactions": [],
    }))
}

/// Across a halving of regtest: bitcoind finds each empty template's block valid, and not a satoshi more.
#[tokio::test]
async fn miners_get_an_empty_template_while_the_full_one_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = free_address();
    let option = format!("-zmqpubhashblock=tcp://{publisher}");
    let (_bitcoind, rpc, address) = regtest(dir.path(), &[&option]).await;
    rpc.call("generatetoaddress", json!([147, REGTEST_ADDRESS])).await.unwrap();
    let slow = slow_templates(address).await;
    let config = BitcoindConfig { zmq: Some(publisher.to_string()), ..config(&format!("http://{slow}"), dir.path()) };
    let feed = TemplateFeed::start(client(&config));
    let mut state = feed.subscribe();
    tokio::time::timeout(SOON, state.wait_for(|state| state.template.is_some())).await.unwrap().unwrap();
    // ZMQ's connection is made meanwhile.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for height in 149..=151_u32 {
        let began = Instant::now();
        rpc.call("generatetoaddress", json!([1, REGTEST_ADDRESS])).await.unwrap();
        let is_on = |state: &FeedState| state.template.as_ref().is_some_and(|template| template.height == height);
        let seen = tokio::time::timeout(SOON, state.wait_for(is_on)).await.unwrap().unwrap().clone();
        let empty = seen.template.unwrap();
        println!("an empty template at height {height} after {:?}", began.elapsed());
        assert!(began.elapsed() < SLOW / 2, "{:?}", began.elapsed());
        assert!(empty.transactions.is_empty() && empty.long_poll_id.is_none());
        let subsidy_sat = if height < 150 { 5_000_000_000 } else { 2_500_000_000 };
        assert_eq!(empty.coinbase_value.to_sat(), subsidy_sat);
        assert!(propose(&rpc, &block_of(&empty)).await.is_null(), "bitcoind finds it valid");
        let more = |coinbase: &mut Transaction| coinbase.output[0].value += Amount::from_sat(1);
        assert_eq!(propose(&rpc, &with_coinbase(block_of(&empty), more)).await, "bad-cb-amount");
        let is_full = |state: &FeedState| is_on(state) && state.template.as_ref().unwrap().long_poll_id.is_some();
        tokio::time::timeout(SOON, state.wait_for(is_full)).await.unwrap().unwrap();
        assert!(began.elapsed() >= SLOW);
    }
}
