//! What one address may take of the API: connections, requests, memory, and time to read an answer.

use std::time::{Duration, Instant};

use node::api::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_LOOPBACK_MAX, WRITE_STALL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::pool::Pool;
use crate::server::{Api, sentence};

async fn read(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset also ends it.
    let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

const REQUEST: &[u8] = b"GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn half_requests_from_one_address_leave_room_for_others() {
    let api = Api::of(Pool::new()).await;
    let mut slow = Vec::new();
    for _ in 0..2 * CONNECTIONS_MAX {
        let mut stream = api.connect_from("127.0.0.1").await;
        // Those beyond the limit are closed already.
        let _ = stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nhost: loc").await;
        slow.push(stream);
    }
    let started = Instant::now();
    let mut other = api.connect_from("127.0.0.2").await;
    other.write_all(REQUEST).await.unwrap();
    let answer = read(other).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());

    let refused = read(slow.pop().unwrap()).await;
    // If the system reports the reset first, the words are lost.
    if let Some((_, body)) = refused.split_once("\r\n\r\n") {
        assert!(refused.starts_with("HTTP/1.1 429") && sentence(body).contains("connections"), "{refused}");
    }
    drop(slow);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut again = api.connect_from("127.0.0.1").await;
    again.write_all(REQUEST).await.unwrap();
    assert!(read(again).await.starts_with("HTTP/1.1 200"), "slots come back");
    const { assert!(CONNECTIONS_PER_LOOPBACK_MAX < CONNECTIONS_MAX) };
}

/// Asks for more than the sockets hold, and reads nothing.
#[tokio::test]
async fn a_client_that_does_not_read_loses_its_connection() {
    let api = Api::of(Pool::new()).await;
    let request = b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut stream = api.connect_from("127.0.0.2").await;
    let size = api.text("/openapi.json").await.1.len();
    let asked = (32 << 20) / size;
    let started = Instant::now();
    let (mut reader, mut writer) = stream.split();
    for _ in 0..asked {
        writer.write_all(request).await.unwrap();
    }
    tokio::time::sleep(WRITE_STALL + Duration::from_secs(3)).await;
    let mut answers = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), reader.read_to_end(&mut answers)).await;
    assert!(ended.is_ok(), "still connected after {:?}", started.elapsed());
    assert!(answers.len() < asked * size, "all {asked} answers came");
    assert_eq!(api.get("/status").await["height"], 0, "others are served");
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_have_limits_of_their_own() {
    let trusting = Api::with(Pool::new(), None, |config| {
        config.api.requests_a_second = 1.try_into().unwrap();
        config.api.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let trusting = trusting.await;
    let ask = async |api: &Api, client: &str| {
        api.ask("/api/v1/status", &[("x-forwarded-for", client)]).await.status().as_u16()
    };
    let mut refused = 0;
    for _ in 0..30 {
        refused += u32::from(ask(&trusting, "203.0.113.7").await == 429);
    }
    assert!(refused >= 10, "{refused} refused");
    assert_eq!(ask(&trusting, "203.0.113.8").await, 200, "another client");
    assert_eq!(ask(&trusting, "203.0.113.9, 203.0.113.7").await, 429, "what the client invents is not believed");

    let alone = Api::with(Pool::new(), None, |config| config.api.requests_a_second = 1.try_into().unwrap()).await;
    let mut refused = 0;
    for number in 0..30 {
        refused += u32::from(ask(&alone, &format!("203.0.113.{number}")).await == 429);
    }
    assert!(refused >= 10, "without trust, the field is ignored: {refused} refused");
}
