//! What readers can make an explorer and its database do, with the bound of each.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ::archive::limits::{READ_TIMEOUT_MS, READERS_MAX, SUMS_ASKED_MAX};
use node::api::limits::{ANSWERS_MADE_MAX, HEADER_BYTES_MAX, LIVE_READERS_MAX};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::Client;

use crate::answers::address;
use crate::archived::{Archived, pool};
use crate::pool::miner;

/// Bits of the number of rows to skip in `from` of a page.
const SKIP_BITS: u32 = 18;

async fn client(archived: &Archived) -> Client {
    archived.server.url().unwrap().connect().await.unwrap()
}

/// A request on a connection of its own.
async fn request(to: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let head = format!("GET /api/v1{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Statements that a lock holds up.
async fn held_up(client: &Client) -> usize {
    let sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
    usize::try_from(client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_who_disconnect_leave_no_more_statements_than_connections() {
    let (mut pool, ids) = pool();
    let archived = Archived::of(&mut pool).await;
    let (locking, watching) = (client(&archived).await, client(&archived).await);
    locking.batch_execute("begin; lock table share in access exclusive mode").await.unwrap();
    let path = format!("/shares/{}", ids[0]);
    let mut most = 0;
    for _ in 0..5 * READERS_MAX {
        let stream = request(archived.address, &path).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(stream);
        most = most.max(held_up(&watching).await);
    }
    assert!((1..=READERS_MAX).contains(&most), "{most} statements wait");
    // Long before the server would end them by itself.
    let left = Instant::now();
    while held_up(&watching).await > 0 {
        assert!(left.elapsed() < Duration::from_millis(READ_TIMEOUT_MS.into()) / 2, "statements are canceled");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    locking.batch_execute("rollback").await.unwrap();
    archived.wait(&format!("/api/v1{path}"), 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_leave_connections_for_pages() {
    let (mut pool, _) = pool();
    let archived = Archived::of(&mut pool).await;
    let locking = client(&archived).await;
    locking.batch_execute("begin; lock table share in access exclusive mode").await.unwrap();
    let path = format!("http://{}/api/v1/miners/{}/history", archived.address, address(&miner(0)));
    let asked: Vec<_> = (0..ANSWERS_MADE_MAX).map(|_| tokio::spawn(archived.http.get(&path).send())).collect();
    let began = Instant::now();
    while asked.iter().filter(|answer| answer.is_finished()).count() < ANSWERS_MADE_MAX - SUMS_ASKED_MAX {
        assert!(began.elapsed() < Duration::from_secs(1), "no more than some wait");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // This reads another table.
    let page = tokio::time::timeout(Duration::from_secs(1), archived.ask("/api/v1/reorganisations")).await;
    assert_eq!(page.expect("a page is not held up").status(), 200);
    locking.batch_execute("rollback").await.unwrap();
    let mut refused = 0;
    for answer in asked {
        let answer = answer.await.unwrap().unwrap();
        if answer.status() != 200 {
            assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"1".parse().unwrap()));
            refused += 1;
        }
    }
    assert_eq!(refused, ANSWERS_MADE_MAX - SUMS_ASKED_MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_skip_no_more_than_the_rows_at_their_height() {
    let (mut pool, _) = pool();
    let archived = Archived::of(&mut pool).await;
    let sql =
        "insert into reorganization select to_timestamp(1000 + n / 3), 1, 1, 2, sha256(n::text::bytea), sha256('new')
        from generate_series(1, 9) as n";
    client(&archived).await.batch_execute(sql).await.unwrap();
    let tip = archived.get("/status").await["height"].as_u64().unwrap();
    let block = archived.get("/blocks").await["blocks"][0]["height"].as_u64().unwrap();
    let miner = format!("/miners/{}", address(&miner(0)));
    for (path, rows, top) in [
        ("/blocks".to_owned(), "blocks", block),
        (format!("{miner}/shares"), "shares", tip),
        (format!("{miner}/payments"), "payments", block),
        ("/reorganisations".to_owned(), "reorganisations", 1_003),
    ] {
        for height in [top, top - 1] {
            let far = (height << SKIP_BITS) + (1 << SKIP_BITS) - 1;
            let far = archived.get(&format!("{path}?from={far}")).await;
            let below = archived.get(&format!("{path}?from={}", (height - 1) << SKIP_BITS)).await;
            assert_eq!(far[rows], below[rows], "{path} at {height}");
            assert!(!below[rows].as_array().unwrap().is_empty(), "{path} at {height}");
        }
    }
    // Pages of a list have all of it once, those of one time, too.
    let (mut found, mut from) = (Vec::new(), Value::Null);
    loop {
        let page = from.as_u64().map_or(String::new(), |from| format!("&from={from}"));
        let page = archived.get(&format!("/reorganisations?limit=2{page}")).await;
        let rows = page["reorganisations"].as_array().unwrap().iter();
        found
            .extend(rows.filter(|row| row["time_unix_s"].as_u64() < Some(2_000)).map(|row| row["old_tip"].to_string()));
        from = page["next_from"].clone();
        if from.is_null() {
            break;
        }
    }
    let all = found.len();
    found.sort_unstable();
    found.dedup();
    assert_eq!((all, found.len()), (9, 9));
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_live_events_leave_room_for_others() {
    let (mut pool, _) = pool();
    let archived = Archived::of(&mut pool).await;
    let mut streams = Vec::new();
    for _ in 0..LIVE_READERS_MAX {
        let stream = archived.ask("/api/v1/events").await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    assert_eq!(archived.ask("/api/v1/events").await.status(), 503);
    assert_eq!(archived.ask("/api/v1/status").await.status(), 200);
    streams.pop();
    archived.wait("/api/v1/events", 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_of_any_length_end_the_connection_to_an_explorer() {
    let (mut pool, _) = pool();
    let archived = Archived::of(&mut pool).await;
    let long = "a".repeat(2 * HEADER_BYTES_MAX);
    for head in [
        format!("GET /{long} HTTP/1.1\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(100)),
    ] {
        let mut stream = TcpStream::connect(archived.address).await.unwrap();
        // The explorer may disconnect before it has read everything.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        let code = answer.split(' ').nth(1).unwrap_or("0");
        assert!(["0", "400", "414", "431"].contains(&code), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_cannot_put_links_into_the_feed_of_others() {
    let (mut pool, _) = pool();
    let archived = Archived::of(&mut pool).await;
    let feed = archived.http.get(format!("http://{}/api/v1/blocks.atom", archived.address));
    let feed = feed.header("host", "evil.example").send().await.unwrap();
    let vary: Vec<_> = feed.headers().get_all("vary").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    assert!(vary.iter().any(|value| value == "host"), "{vary:?}");
    assert!(feed.text().await.unwrap().contains("http://evil.example/blocks"), "its links are those of the host");
}
