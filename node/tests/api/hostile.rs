//! Hostile input only gets a clear refusal.

use std::time::{Duration, Instant};

use node::api::limits::{CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADER_READ};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::pool::Pool;
use crate::server::{Api, sentence};

/// The status code of a raw answer, or 0 if the connection ended without one.
fn code(answer: &str) -> u16 {
    let line = answer.lines().next().unwrap_or_default();
    line.split(' ').nth(1).map_or(0, |code| code.parse().unwrap())
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let api = Api::of(Pool::new()).await;
    let unknown = "00".repeat(32);
    for (path, status, words) in [
        ("/links?limit=0", 400, "`limit`"),
        ("/links?limit=501", 400, "1 to 500"),
        ("/links?limit=x", 400, "\"x\""),
        ("/blocks?from=-1", 400, "`from`"),
        ("/window?limit=99999999999999999999", 400, "`limit`"),
        ("/window?page=2", 400, "\"page\""),
        ("/links?from=%FF", 400, "`from`"),
        ("/links/xyz", 400, "64 hexadecimal digits"),
        ("/links/%00%1b", 400, "64 hexadecimal digits"),
        ("/links/%FF", 400, "UTF-8"),
        ("/shares/00", 400, "64 hexadecimal digits"),
        ("/blocks/..", 404, "openapi.json"),
        ("/miners/nobody", 400, "not a valid Bitcoin address"),
        ("/miners/1BoatSLRHtKNngkdXEeobR76b53LETtpyT", 400, "another network"),
        (&format!("/links/{unknown}"), 404, "know the link"),
        (&format!("/blocks/{unknown}"), 404, "know the block"),
        ("/nothing", 404, "openapi.json"),
    ] {
        let sentence = api.refusal(path, status).await;
        assert!(sentence.contains(words), "{path}: {sentence}");
    }
    let long = format!("/miners/{}", "a".repeat(4_000));
    assert!(api.refusal(&long, 400).await.len() < 300, "a caller's words are not repeated in full");
}

#[tokio::test]
async fn only_reading_is_offered() {
    let api = Api::of(Pool::new()).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "NONSENSE"] {
        let request = format!("{method} /api/v1/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = api.raw(request.as_bytes()).await;
        assert_eq!(code(&answer), 405, "{answer}");
        assert!(sentence(body(&answer)).contains("GET"));
    }
    // A proxy in front that gets 200 for CONNECT then passes on everything that the client sends.
    for asked in ["POST /", "DELETE /blocks", "CONNECT example.org:80"] {
        let request = format!("{asked} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = api.raw(request.as_bytes()).await;
        assert_eq!(code(&answer), 405, "{asked}: {answer}");
    }
    for header in ["content-length: 1000000000", "transfer-encoding: chunked"] {
        let request =
            format!("GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\r\n");
        let answer = api.raw(request.as_bytes()).await;
        assert_eq!(code(&answer), 413, "{answer}");
    }
}

#[tokio::test]
async fn a_foreign_page_cannot_read_through_the_browser() {
    let api = Api::of(Pool::new()).await;
    for host in ["evil.example", "evil.example:3380", "localhost.evil.example", ""] {
        let request = format!("GET /api/v1/status HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = api.raw(request.as_bytes()).await;
        assert_eq!(code(&answer), 403, "{answer}");
        assert!(!answer.contains("consensus_id"));
    }
    let answer = api.raw(b"GET /api/v1/status HTTP/1.0\r\n\r\n").await;
    assert_eq!(code(&answer), 403, "{answer}");
    let answer = api.raw(b"GET /api/v1/status HTTP/1.1\r\nhost: LocalHost\r\nconnection: close\r\n\r\n").await;
    assert_eq!(code(&answer), 200, "{answer}");
    assert!(!answer.to_lowercase().contains("access-control-allow"));
}

#[tokio::test]
async fn garbage_and_oversized_heads_end_the_connection() {
    let api = Api::of(Pool::new()).await;
    let line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(2 * HEADER_BYTES_MAX));
    let field = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "a".repeat(2 * HEADER_BYTES_MAX));
    let fields = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(100));
    let noise: Vec<u8> = (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    let stratum = b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n\n".to_vec();
    for bytes in [line.into(), field.into(), fields.into(), noise, tls, stratum] {
        let started = Instant::now();
        let answer = api.raw(&bytes).await;
        assert!(matches!(code(&answer), 0 | 400 | 414 | 431), "{answer}");
        assert!(started.elapsed() < HEADER_READ * 2);
    }
    assert_eq!(api.get("/status").await["height"], 0);
}

/// Incomplete requests, byte by byte or not continued, from more clients than the node serves. A proper client waits
/// until they are disconnected, and then gets an answer.
#[tokio::test]
async fn half_requests_do_not_block_others() {
    let api = Api::of(Pool::new()).await;
    let mut slow = Vec::new();
    for number in 0..CONNECTIONS_MAX {
        let mut stream = api.connect_from(&format!("127.0.0.{}", 3 + number % 2)).await;
        stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nhost: loc").await.unwrap();
        slow.push(stream);
    }
    let started = Instant::now();
    let drip = async {
        for _ in 0..5 {
            tokio::time::sleep(HEADER_READ / 4).await;
            for stream in &mut slow {
                // Fails once the server has closed the connection.
                let _ = stream.write_all(b"a").await;
            }
        }
    };
    let (_, status) = tokio::join!(drip, api.get("/status"));
    assert_eq!(status["height"], 0);
    assert!(started.elapsed() < HEADER_READ * 3);
    for mut stream in slow {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a half request is still connected");
    }
}
