//! Found blocks reach Bitcoin though the finder's bitcoind takes none: every node that hears of a block builds it and
//! submits it to its own.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod harness;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harness::{Up, working};

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

/// Passes on all calls to bitcoind but those that submit a block: these find the connection closed.
fn pass_on(mut caller: TcpStream, bitcoind: SocketAddr, refused: &AtomicUsize) -> Option<()> {
    let mut to = TcpStream::connect(bitcoind).ok()?;
    while let Some(request) = message(&mut caller) {
        if request.windows(11).any(|at| at == b"submitblock") {
            refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        to.write_all(&request).ok()?;
        caller.write_all(&message(&mut to)?).ok()?;
    }
    Some(())
}

/// Starts a bitcoind that refuses blocks, and is otherwise the one at this address.
fn refusing(bitcoind: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, refused) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&refused);
    std::thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || pass_on(caller, bitcoind, &counted));
        }
    });
    (address, refused)
}

/// Lets a node use another bitcoind from its next start on. Returns what counts the blocks that it refused.
fn take_bitcoind(config: &Path) -> Arc<AtomicUsize> {
    let text = std::fs::read_to_string(config).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let url = table["bitcoind"]["url"].as_str().unwrap();
    let (address, refused) = refusing(url.strip_prefix("http://").unwrap().parse().unwrap());
    std::fs::write(config, text.replace(url, &format!("http://{address}"))).unwrap();
    refused
}

#[test]
fn a_block_reaches_bitcoin_though_the_finders_bitcoind_refuses_it() {
    let mut up = Up::start(&["--nodes", "3", "--miners", "3", "--hashrate", "800k"]);
    up.wait_for("all nodes working", Duration::from_secs(60), |status| working(status) == 3);
    let refused = take_bitcoind(&up.dir().join("node-A/shoal.toml"));
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
    let cut_off: Vec<_> = blocks.iter().filter(|block| block["finder_node"] == "A" && !by(block, "A")).collect();
    let active = cut_off.iter().filter(|block| block["is_active"] == true).count();
    println!("{} blocks of node A that its bitcoind refused, of which {active} are in Bitcoin's chain", cut_off.len());
    assert!(active + 1 >= BLOCKS, "{cut_off:#?}\n{}", up.log());
    assert!(cut_off.iter().all(|block| by(block, "B") || by(block, "C")), "{cut_off:#?}");
}
