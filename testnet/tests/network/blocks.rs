//! A node whose bitcoind takes no blocks. What its miners find reaches Bitcoin, since every node that hears of a block
//! builds it and submits it to its own; and work whose block it would reject is not handed out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::harness::{Up, node, working};

/// Blocks of the cut-off finder that must reach Bitcoin.
const BLOCKS: usize = 3;

/// Reads one HTTP message. Returns none at the end of the connection.
fn message(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut part = [0; 65_536];
    loop {
        if let Some(end) = bytes.windows(4).position(|at| at == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0_usize) {
                return Some(bytes);
            }
        }
        match socket.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
        }
    }
}

/// What stands between a node and its bitcoind does with a call.
enum Reaction {
    PassOn,
    Close,
    /// Answers it with this result.
    Answer(&'static str),
}

type React = dyn Fn(&[u8]) -> Reaction + Send + Sync;

fn names(call: &[u8], what: &str) -> bool {
    call.windows(what.len()).any(|at| at == what.as_bytes())
}

fn pass_on(mut caller: TcpStream, bitcoind: SocketAddr, react: &React) -> Option<()> {
    let mut to = TcpStream::connect(bitcoind).ok()?;
    while let Some(request) = message(&mut caller) {
        match react(&request) {
            Reaction::PassOn => {
                to.write_all(&request).ok()?;
                caller.write_all(&message(&mut to)?).ok()?;
            }
            Reaction::Close => return None,
            Reaction::Answer(result) => {
                let body = format!("{{\"id\":0,\"error\":null,\"result\":\"{result}\"}}");
                let length = body.len();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
                caller.write_all(answer.as_bytes()).ok()?;
            }
        }
    }
    Some(())
}

/// Lets a node use another bitcoind from its next start on: its own one, behind what reacts to calls.
fn react_to_calls(config: &Path, react: impl Fn(&[u8]) -> Reaction + Send + Sync + 'static) {
    let text = std::fs::read_to_string(config).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let url = table["bitcoind"]["url"].as_str().unwrap();
    let bitcoind: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let react: Arc<React> = Arc::new(react);
    std::thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            let react = Arc::clone(&react);
            std::thread::spawn(move || pass_on(caller, bitcoind, &*react));
        }
    });
    std::fs::write(config, text.replace(url, &format!("http://{address}"))).unwrap();
}

/// All calls that submit a block find the connection closed. Returns what counts them.
fn refuse_blocks(config: &Path) -> Arc<AtomicUsize> {
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refused);
    react_to_calls(config, move |call| {
        if !names(call, "submitblock") {
            return Reaction::PassOn;
        }
        counted.fetch_add(1, Ordering::Relaxed);
        Reaction::Close
    });
    refused
}

#[test]
fn a_block_reaches_bitcoin_though_the_finders_bitcoind_refuses_it() {
    let mut up = Up::start(&["--nodes", "3", "--miners", "3", "--hashrate", "800k"]);
    up.wait_for("all nodes working", Duration::from_secs(60), |status| working(status) == 3);
    let refused = refuse_blocks(&up.dir().join("node-A/shoal.toml"));
    up.must(&["restart", "A"]);
    let log = up.dir().join("up.log");
    up.wait_for("blocks of the node whose bitcoind refuses them", Duration::from_secs(300), |_| {
        let found = std::fs::read_to_string(&log).unwrap().matches("found by m1 at A").count();
        found >= BLOCKS && refused.load(Ordering::Relaxed) >= BLOCKS
    });
    // The last one is on its way.
    std::thread::sleep(Duration::from_secs(5));
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(120)).success(), "{}", up.log());
    let report = up.report();
    let blocks = report["blocks"].as_array().unwrap();
    let by = |block: &serde_json::Value, node: &str| {
        block["accepted_by"].as_array().unwrap().iter().any(|name| name == node)
    };
    let cut_off: Vec<_> = blocks.iter().filter(|block| block["finder_node"] == "A").collect();
    let active = cut_off.iter().filter(|block| block["is_active"] == true).count();
    println!(
        "{} blocks of node A, whose bitcoind refuses them, of which {active} are in Bitcoin's chain",
        cut_off.len()
    );
    assert!(active + 1 >= BLOCKS, "{cut_off:#?}\n{}", up.log());
    assert!(cut_off.iter().all(|block| by(block, "B") || by(block, "C")), "{cut_off:#?}");
}

/// A node whose clock was three hours ahead went on mining blocks that its bitcoind called `time-too-new`.
#[test]
fn work_whose_block_bitcoind_would_reject_is_not_handed_out() {
    let mut up = Up::start(&["--nodes", "2", "--miners", "2"]);
    up.wait_for("both nodes working", Duration::from_secs(60), |status| working(status) == 2);
    let rejects = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&rejects);
    react_to_calls(&up.dir().join("node-A/shoal.toml"), move |call| {
        let judged = names(call, "proposal") && now.load(Ordering::Relaxed);
        if judged { Reaction::Answer("time-too-new") } else { Reaction::PassOn }
    });
    up.must(&["restart", "A"]);
    up.wait_for("node A working", Duration::from_secs(60), |status| working(status) == 2);
    rejects.store(true, Ordering::Relaxed);
    let status = up.wait_for("node A without work", Duration::from_secs(120), |status| working(status) == 1);
    let why = node(&status, "A")["no_work"].as_str().unwrap();
    assert!(why.contains("time-too-new") && why.contains("clock"), "{why}");
    rejects.store(false, Ordering::Relaxed);
    up.wait_for("node A working again", Duration::from_secs(60), |status| working(status) == 2);
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
}
