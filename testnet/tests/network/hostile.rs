//! A running node gets garbage, oversized and partial messages on every port. It reports what is wrong, and continues
//! to accept shares.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crate::harness::{Up, node, tips, working};

/// Time without an answer to hostile bytes that need none.
const SILENCE: Duration = Duration::from_secs(5);

/// Time for a required answer, because a busy machine is slow.
const ANSWER: Duration = Duration::from_secs(30);

/// Number of connections with a partial message that stay open all the time.
const HALF_OPEN: usize = 40;

/// A node's ports, from its config file.
struct Ports {
    stratum: SocketAddr,
    p2p: SocketAddr,
    api: SocketAddr,
}

fn ports(up: &Up) -> Ports {
    let text = std::fs::read_to_string(up.dir().join("node-A").join("shoal.toml")).unwrap();
    let config: toml::Table = text.parse().unwrap();
    let listen = |table: &str| config[table]["listen"].as_str().unwrap().parse().unwrap();
    Ports {
        stratum: listen("stratum"),
        p2p: config["p2p"]["listen"][0].as_str().unwrap().parse().unwrap(),
        api: listen("api"),
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(SILENCE)).unwrap();
    socket.set_write_timeout(Some(SILENCE)).unwrap();
    socket
}

/// Sends bytes that need no answer. Waits until the node answers or closes, or the time is over. A node may close
/// before it has read all bytes.
fn feed(address: SocketAddr, bytes: &[u8]) {
    exchange(address, bytes, SILENCE);
}

/// Sends bytes and returns the complete required answer.
fn ask(address: SocketAddr, bytes: &[u8]) -> String {
    exchange(address, bytes, ANSWER)
}

fn exchange(address: SocketAddr, bytes: &[u8], limit: Duration) -> String {
    let mut socket = connect(address);
    socket.set_read_timeout(Some(limit)).unwrap();
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while answer.len() < 1_000_000 && !is_whole(&answer) {
        match socket.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&piece[..count]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Returns whether an answer is complete: a Stratum line, or an HTTP answer with its whole body, which may come in
/// pieces.
fn is_whole(answer: &[u8]) -> bool {
    if !answer.starts_with(b"HTTP/") {
        return answer.ends_with(b"\n");
    }
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    // Without a length, the answer ends when the node closes.
    length.is_some_and(|length: usize| body.len() >= length)
}

/// Returns meaningless bytes, the same in every run.
fn garbage(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..count).map(|_| next()).collect()
}

fn attack_stratum(address: SocketAddr) {
    let nested = format!("{}\n", "[".repeat(100_000));
    for bytes in [&garbage(100_000), nested.as_bytes(), &vec![b'a'; 4_000_000], b"\0\0\0\n", b"\xff\xfe\n", b"\n\n\n"] {
        feed(address, bytes);
    }
    for line in
        ["null", "[]", "{}", "1e999", r#"{"id":1,"method":7,"params":{}}"#, r#"{"id":{},"method":"mining.submit"}"#]
    {
        feed(address, format!("{line}\n").as_bytes());
    }
    let refused = [
        (r#"{"id":1,"method":"mining.steal","params":[]}"#, "unknown method"),
        (r#"{"id":1,"method":"mining.submit","params":["a","b","c","d","e"]}"#, "error"),
        (r#"{"id":1,"method":"mining.authorize","params":["not-an-address","x"]}"#, "not a valid Bitcoin address"),
    ];
    for (line, expected) in refused {
        let answer = ask(address, format!("{line}\n").as_bytes());
        assert!(answer.contains(expected), "{line} got {answer:?}, not {expected}");
        let answer: serde_json::Value = serde_json::from_str(answer.lines().next().unwrap()).unwrap();
        assert!(answer["error"].is_array() || answer["result"] == false, "{answer}");
    }
}

fn attack_api(address: SocketAddr) {
    let request =
        |line: &str, rest: &str| format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{rest}\r\n");
    let long = "x".repeat(200_000);
    for bytes in [garbage(100_000), request("GET /", &format!("X-Long: {long}\r\n")).into_bytes(), long.into_bytes()] {
        feed(address, &bytes);
    }
    let refused = [
        (request("GET /api/v1/links?limit=99999999", ""), "400"),
        (request("GET /api/v1/links?from=minus", ""), "400"),
        (request("GET /api/v1/shares/zz", ""), "400"),
        (request("GET /api/v1/../../etc/passwd", ""), "404"),
        (request("GET /api/v1/nowhere", ""), "404"),
        (request("GET /nowhere.txt", ""), "404"),
        (request("POST /api/v1/status", "Content-Length: 99999999999\r\n"), "4"),
        (request("DELETE /api/v1/status", ""), "405"),
        ("GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(), "4"),
    ];
    for (request, status) in refused {
        let answer = ask(address, request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}\ngot {answer}");
        assert!(answer.contains("\"error\""), "{request}\ngot {answer}");
    }
}

fn attack_p2p(address: SocketAddr) {
    let hello = b"\x13/multistream/1.0.0\n";
    let oversized = [hello.as_slice(), &[0xff, 0xff, 0xff, 0xff, 0x0f], &garbage(200_000)].concat();
    for bytes in [garbage(100_000), [hello.as_slice(), &garbage(1_000)].concat(), oversized, hello[..7].to_vec()] {
        let mut socket = connect(address);
        let _ = socket.write_all(&bytes);
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for size in [1, 20, 1_200, 1_472] {
        socket.send_to(&garbage(size), address).unwrap();
    }
}

#[test]
fn hostile_bytes_do_nothing_but_get_a_refusal() {
    let mut up = Up::start(&["--nodes", "2"]);
    let before = up.wait_for("shares being found", Duration::from_secs(60), |status| {
        working(status) == 2 && node(status, "A")["shares"].as_u64() >= Some(5)
    });
    let Ports { stratum, p2p, api } = ports(&up);

    let halves = [
        (stratum, br#"{"id":1,"method":"mining.sub"#.as_slice()),
        (api, b"GET /api/v1/status HTTP/1.1\r\nHost: lo"),
        (p2p, b"\x13/multistream"),
    ];
    let half_open: Vec<TcpStream> = (0..HALF_OPEN)
        .flat_map(|_| halves)
        .map(|(address, bytes)| {
            let mut socket = connect(address);
            // The node may close in the meantime.
            let _ = socket.write_all(bytes);
            socket
        })
        .collect();
    attack_stratum(stratum);
    attack_p2p(p2p);
    drop(half_open);
    attack_api(api);

    let found = |status: &serde_json::Value| node(status, "A")["shares"].as_u64().unwrap();
    up.wait_for("more shares being found", Duration::from_secs(30), |status| {
        working(status) == 2 && found(status) > found(&before) + 10
    });
    up.wait_for("the nodes agreeing", Duration::from_secs(60), |status| tips(status).len() == 1);
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
    up.check(&["--agreed", "--lost-max", "0", "--rss-max", "150000000"]);
    up.must_be_gone(Duration::from_secs(15));
}
