//! A node that is not in sync: it answers on its API, and refuses miners, so that they turn to their next pool.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::harness::{Up, working};

/// The address of a node's port, from its config file.
fn port(up: &Up, node: &str, table: &str) -> SocketAddr {
    let text = std::fs::read_to_string(up.dir().join(node).join("shoal.toml")).unwrap();
    let config: toml::Table = text.parse().unwrap();
    config[table]["listen"].as_str().unwrap().parse().unwrap()
}

/// Sends bytes and returns what comes until the node closes, or for 5 s; none if it cannot be reached.
fn ask(address: SocketAddr, bytes: &str) -> Option<String> {
    let mut socket = TcpStream::connect(address).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let _ = socket.write_all(bytes.as_bytes());
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = socket.read(&mut piece) {
        answer.extend_from_slice(&piece[..count]);
    }
    Some(String::from_utf8_lossy(&answer).into_owned())
}

fn status(address: SocketAddr) -> Option<serde_json::Value> {
    let request = format!("GET /api/v1/status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let answer = ask(address, &request)?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

const SUBSCRIBE: &str = "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"test\"]}\n";

#[test]
fn a_node_that_is_not_in_sync_answers_and_refuses_miners() {
    let mut up = Up::start(&["--nodes", "2", "--miners", "2", "--duration", "300"]);
    up.wait_for("both working", Duration::from_secs(120), |status| working(status) == 2);
    let (stratum, api) = (port(&up, "node-B", "stratum"), port(&up, "node-B", "api"));
    assert!(ask(stratum, SUBSCRIBE).unwrap().contains("mining.notify"), "miners are served");

    // Alone, the node cannot know what it missed.
    up.must(&["kill", "A"]);
    up.must(&["kill", "B"]);
    up.must(&["restart", "B"]);
    let began = Instant::now();
    let alone = loop {
        match status(api) {
            Some(status) if status["sync"]["state"] == "searching" => break status,
            _ if began.elapsed() > Duration::from_secs(60) => panic!("no answer: {}", up.log()),
            _ => std::thread::sleep(Duration::from_millis(200)),
        }
    };
    assert_eq!(alone["handing_out_work"], false);
    assert!(alone["height"].as_u64().unwrap() > 0, "it has read its share-chain: {alone}");
    let asked = Instant::now();
    let refused = ask(stratum, SUBSCRIBE).unwrap_or_default();
    assert!(refused.contains("this node has no work: ") && !refused.contains("mining.notify"), "{refused}");
    assert!(asked.elapsed() < Duration::from_secs(4), "and at once");

    up.must(&["restart", "A"]);
    up.wait_for("both working again", Duration::from_secs(120), |status| working(status) == 2);
    // That status may be of before the kill.
    let began = Instant::now();
    while !ask(stratum, SUBSCRIBE).unwrap_or_default().contains("mining.notify") {
        assert!(began.elapsed() < Duration::from_secs(60), "miners are served again: {}", up.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}
