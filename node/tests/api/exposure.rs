//! What one address may use of the API: connections, requests, memory, and time to read an answer.

use std::time::{Duration, Instant};

use node::api::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_LOOPBACK_MAX, WRITE_STALL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::pool::Pool;
use crate::server::{Api, sentence};

async fn read(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset also ends the connection.
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
        // The API has already closed those beyond the limit.
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
    // If the system reports the reset first, the answer is lost.
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

/// Requests more than the sockets hold, and reads nothing.
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

/// Every route rejects a wrong token. An answer without the owner's part would hide the mistake.
#[tokio::test]
async fn a_wrong_token_is_401_with_how_to_send_the_right_one() {
    let api = Api::of(Pool::new()).await;
    let wrong = ("authorization", "Bearer 00112233445566778899aabbccddeeff");
    for path in ["status", "peers", "log", "metrics", "miners/tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"] {
        let answer = api.ask(&format!("/api/v1/{path}"), &[wrong]).await;
        assert_eq!(answer.status().as_u16(), 401, "{path}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"shoal\"");
        let told = sentence(&answer.text().await.unwrap());
        assert!(told.starts_with("this token is not this node's") && told.contains("api-token"), "{told}");
        let (name, right) = api.token();
        assert_eq!(api.ask(&format!("/api/v1/{path}"), &[(name, &right)]).await.status().as_u16(), 200, "{path}");
        // A proxy's own password is not meant for this node.
        let basic = ("authorization", "Basic dXNlcjpwYXNz");
        assert_eq!(api.ask(&format!("/api/v1/{path}"), &[basic]).await.status().as_u16(), 200, "{path}");
    }
    let bans = api.ask("/api/v1/bans", &[]).await;
    assert_eq!(
        (bans.status().as_u16(), &bans.headers()["www-authenticate"]),
        (401, &"Bearer realm=\"shoal\"".parse().unwrap())
    );
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_how_long_to_wait() {
    let api = Api::with(Pool::new(), None, |config| config.api.requests_a_second = 1.try_into().unwrap()).await;
    let mut refused = None;
    for _ in 0..30 {
        let answer = api.ask("/api/v1/status", &[]).await;
        if answer.status() == 429 {
            refused = Some(answer);
        }
    }
    let refused = refused.expect("30 requests at once are too many");
    let wait_s: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait_s), "{wait_s}");
    assert!(sentence(&refused.text().await.unwrap()).contains(&format!("wait {wait_s} s")));
    tokio::time::sleep(Duration::from_secs(wait_s)).await;
    assert_eq!(api.ask("/api/v1/status", &[]).await.status().as_u16(), 200);
}

/// Prometheus requests `/metrics` by default.
#[tokio::test]
async fn metrics_are_where_prometheus_looks_and_a_path_without_a_page_is_404() {
    let api = Api::of(Pool::new()).await;
    let answer = api.ask("/metrics", &[]).await;
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = answer.text().await.unwrap();
    assert!(text.contains("# TYPE shoal_peers gauge") && text.ends_with("# EOF\n"), "{text}");
    for (path, status) in
        [("/", 200), ("/chain", 200), ("/blocks/133", 200), ("/metric", 404), ("/healthy", 404), ("/no/page", 404)]
    {
        let answer = api.ask(path, &[]).await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert!(answer.text().await.unwrap().starts_with("<!doctype html>"), "{path}");
    }
}
