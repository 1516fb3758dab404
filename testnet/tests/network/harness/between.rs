//! A proxy between a node and its bitcoind, which reacts to calls.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

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

/// What the proxy does with a call.
pub(crate) enum Reaction {
    PassOn,
    Close,
    /// Answers it with this result.
    Answer(&'static str),
    /// Passes it on, and answers as a bitcoind whose clock is this many seconds ahead.
    Shift(i64),
}

type React = dyn Fn(&[u8]) -> Reaction + Send + Sync;

pub(crate) fn names(call: &[u8], what: &str) -> bool {
    call.windows(what.len()).any(|at| at == what.as_bytes())
}

fn answer_of(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A template as a bitcoind makes it whose clock is ahead. None for any other answer.
fn shifted(answer: &[u8], seconds: i64) -> Option<Vec<u8>> {
    let head = answer.windows(4).position(|at| at == b"\r\n\r\n")?;
    let mut body: Value = serde_json::from_slice(answer.get(head + 4..)?).ok()?;
    let template = body.get_mut("result")?.as_object_mut()?;
    let (time, earliest) = (template.get("curtime")?.as_i64()?, template.get("mintime")?.as_i64()?);
    template.insert("curtime".to_owned(), json!((time + seconds).max(earliest)));
    Some(answer_of(&body.to_string()))
}

fn pass_on(mut caller: TcpStream, bitcoind: SocketAddr, react: &React) -> Option<()> {
    let mut to = TcpStream::connect(bitcoind).ok()?;
    while let Some(request) = message(&mut caller) {
        match react(&request) {
            Reaction::PassOn => {
                to.write_all(&request).ok()?;
                caller.write_all(&message(&mut to)?).ok()?;
            }
            Reaction::Shift(seconds) => {
                to.write_all(&request).ok()?;
                let answer = message(&mut to)?;
                caller.write_all(&shifted(&answer, seconds).unwrap_or(answer)).ok()?;
            }
            Reaction::Close => return None,
            Reaction::Answer(result) => {
                caller.write_all(&answer_of(&format!("{{\"id\":0,\"error\":null,\"result\":\"{result}\"}}"))).ok()?;
            }
        }
    }
    Some(())
}

/// Lets a node use another bitcoind from its next start on: its own one, behind what reacts to calls.
pub(crate) fn react_to_calls(config: &Path, react: impl Fn(&[u8]) -> Reaction + Send + Sync + 'static) {
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
