//! Hostile and broken peers on real sockets: each gets one clear error, and no other miner suffers.

use std::time::{Duration, Instant};

use serde_json::json;
use stratum::{Readiness, Refusal, limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::common::{self, Raw, Running, mine, serve, serve_with, share_target};

/// Sends bytes, and returns everything that the server writes until it closes the connection.
async fn say(server: &common::Running, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(server.addr).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut said = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut said)).await;
    // A client that sends too much may see a reset after the error line.
    let _reset = read.expect("the server closes");
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn garbage_gets_one_error_and_closes_the_connection() {
    let server = serve().await;
    let cases: [(&[u8], &str); 8] = [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "not a Stratum message"),
        (b"\x16\x03\x01\x02\x00\x01\n", "not a Stratum message"),
        (b"[1,2,3]\n", "expected a JSON object"),
        (b"{\"id\":1}\n", "no method"),
        (b"{\"id\":{},\"method\":\"mining.ping\"}\n", "the id must be"),
        (b"{\"id\":1.5,\"method\":\"mining.ping\"}\n", "the id must be"),
        (b"{\"id\":1,\"method\":\"mining.ping\"\n", "not a Stratum message"),
        (b"\xff\xfe\xfd\n", "not UTF-8"),
    ];
    for (bytes, expected) in cases {
        let said = say(&server, bytes).await;
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(expected), "{said} should contain {expected}");
    }
    let deep = [b"{\"id\":1,\"method\":\"a\",\"params\":".as_slice(), &b"[".repeat(4_000), b"\n"].concat();
    assert!(say(&server, &deep).await.contains("recursion limit"));
}

#[tokio::test]
async fn an_endless_line_closes_the_connection() {
    let server = serve().await;
    let said = say(&server, &vec![b'a'; 100_000]).await;
    assert!(said.contains("longer than 8192 bytes"), "{said}");
}

#[tokio::test]
async fn an_incomplete_line_closes_the_connection() {
    let server = serve_with(|config| config.timeouts.partial_line = Duration::from_secs(1)).await;
    let said = say(&server, b"{\"id\":1,\"method\":\"mining.sub").await;
    assert!(said.contains("incomplete line"), "{said}");
}

#[tokio::test]
async fn a_connection_without_login_is_closed() {
    let server = serve_with(|config| config.timeouts.handshake = Duration::from_secs(1)).await;
    let said = say(&server, b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n").await;
    assert!(said.lines().last().unwrap().contains("no mining.subscribe and mining.authorize within 1 s"), "{said}");
}

#[tokio::test]
async fn a_silent_miner_is_closed() {
    let server = serve_with(|config| config.timeouts.idle = Duration::from_secs(1)).await;
    let (mut miner, _) = Raw::start(&server).await;
    let last = miner.next().await;
    assert!(last["error"][1].as_str().unwrap().contains("no message received"), "{last}");
    assert!(miner.line().await.is_none());
}

#[tokio::test]
async fn connection_limits_hold_and_closed_connections_free_their_slots() {
    let server = serve_with(|config| config.connections_per_ip_max = 2).await;
    let (first, _) = Raw::start(&server).await;
    let (_second, _) = Raw::start(&server).await;
    let said = say(&server, b"").await;
    assert!(said.contains("too many connections from your address: the limit is 2"), "{said}");
    drop(first);
    let deadline = Instant::now() + Duration::from_secs(5);
    while server.stats.snapshot().connections.len() == 2 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    Raw::start(&server).await;
    assert_eq!(server.stats.snapshot().connections_refused, 1);
}

#[tokio::test]
async fn a_full_server_rejects_with_the_reason() {
    let server = serve_with(|config| config.connections_max = 1).await;
    let (_miner, _) = Raw::start(&server).await;
    assert!(say(&server, b"").await.contains("this server is full"));
}

#[tokio::test]
async fn a_flood_closes_the_connection() {
    let server = serve().await;
    let flood = "{\"id\":1,\"method\":\"mining.submit\",\"params\":[]}\n".repeat(100);
    let said = say(&server, flood.as_bytes()).await;
    assert!(said.contains("too many invalid requests"), "{said}");
    let flood = "{\"id\":1,\"method\":\"mining.ping\"}\n".repeat(6_000);
    let said = say(&server, flood.as_bytes()).await;
    assert!(said.contains("too many messages") && said.lines().count() < 5_000, "{}", said.lines().count());
}

#[tokio::test]
async fn connections_of_one_address_wait_in_line_and_others_do_not() {
    const PINGS: usize = 2_000;
    let server = serve_with(|config| config.messages_burst = 50.0).await;
    let (mut hostile, job) = Raw::start(&server).await;
    let start = Instant::now();
    let pings = "{\"id\":1,\"method\":\"mining.ping\"}\n".repeat(PINGS);
    hostile.write.write_all(pings.as_bytes()).await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = Raw::on(socket.connect(server.addr).await.unwrap());
    assert_eq!(other.ask("{\"id\":2,\"method\":\"mining.ping\"}").await["result"], true);
    // A connection that waits gets its jobs at once.
    server.pool.set(|_| {});
    let mut answers = 0;
    while hostile.next().await["method"] != "mining.notify" {
        answers += 1;
    }
    assert!(answers < PINGS, "the job came after all answers");
    for _ in answers..PINGS {
        assert_eq!(hostile.next().await["result"], true, "nothing is lost");
    }
    let least = PINGS as f64 / limits::ADDRESS_MESSAGES_PER_SECOND - 0.5;
    assert!(start.elapsed().as_secs_f64() > least, "{:?}", start.elapsed());
    // An accepted share is paid for by its work.
    let shares: Vec<_> = (0..3).map(|skip| mine(&job, share_target(), skip)).collect();
    for share in &shares {
        assert_eq!(hostile.submit(&job, share).await, 0);
    }
}

#[tokio::test]
async fn what_a_new_connection_costs_counts_for_its_address() {
    let server = serve_with(|config| config.messages_burst = 50.0).await;
    let start = Instant::now();
    for _ in 0..100 {
        drop(Raw::start(&server).await);
    }
    let cost = 100.0 * f64::from(3 + limits::JOB_MESSAGES) - 50.0;
    // A connection that has its job does not wait, but the next one does.
    let least = cost / limits::ADDRESS_MESSAGES_PER_SECOND - 0.1;
    assert!(start.elapsed().as_secs_f64() > least, "{:?}", start.elapsed());
}

/// Waits until the statistics have counted an end for each of these reasons.
async fn closed_by(server: &Running, expected: &[(&str, u64)]) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let closed = server.stats.snapshot().connections_closed;
        let counted: Vec<_> =
            closed.iter().filter(|(_, count)| **count > 0).map(|(name, count)| (*name, *count)).collect();
        if counted == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{counted:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_statistics_say_why_connections_ended() {
    let server = serve().await;
    say(&server, b"[1,2,3]\n").await;
    say(&server, &"{\"id\":1,\"method\":\"mining.submit\",\"params\":[]}\n".repeat(100).into_bytes()).await;
    let (mut miner, job) = Raw::start(&server).await;
    let mut wrong = mine(&job, share_target(), 0);
    wrong.header.time = 0;
    assert_eq!(miner.submit(&job, &wrong).await, 20);
    drop(miner);
    closed_by(&server, &[("malformed", 1), ("miner", 1), ("strikes", 1)]).await;
    while server.stats.open_connections() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // What it did is known until it is read.
    let left = server.stats.take().1;
    let of_miner: Vec<_> = left.iter().filter(|connection| connection.account.is_some()).collect();
    assert_eq!((of_miner.len(), of_miner[0].submits.rejected.time), (1, 1));
    assert!(server.stats.take().1.is_empty());
    server.pool.set_readiness(Readiness::Stopped(Refusal("no work".to_owned())));
    say(&server, b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n").await;
    closed_by(&server, &[("malformed", 1), ("miner", 1), ("no_work", 1), ("strikes", 1)]).await;
}

#[tokio::test]
async fn connections_that_ended_are_kept_in_bounded_memory() {
    let server = serve_with(|config| config.messages_burst = f64::MAX).await;
    for _ in 0..limits::LEFT_MAX + 10 {
        let mut miner = Raw::connect(&server).await;
        miner.ask("{\"id\":1,\"method\":\"mining.submit\",\"params\":[]}").await;
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.stats.open_connections() > 0 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(server.stats.take().1.len(), limits::LEFT_MAX);
}

#[tokio::test]
async fn a_miner_that_does_not_read_is_closed_and_delays_no_other() {
    let server = serve_with(|config| config.timeouts.write = Duration::from_secs(1)).await;
    let (mut deaf, _) = Raw::start(&server).await;
    let (mut honest, job) = Raw::start(&server).await;
    for _ in 0..400 {
        server.pool.set(|parts| parts.coinb2 = vec![0; 20_000]);
        honest.notify(Vec::new(), job.difficulty).await;
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.stats.snapshot().connections.len() == 2 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.stats.snapshot().connections.len(), 1);
    let current = server.pool.set(|_| {});
    let job = honest.notify(Vec::new(), job.difficulty).await;
    assert_eq!(current.prev_block, job.prev_block);
    let _gone = deaf.write.shutdown().await;
}

#[tokio::test]
async fn a_stopping_server_closes_its_connections() {
    let pool = common::OneWork::new();
    let config = stratum::Config::new("127.0.0.1:0".parse().unwrap());
    let server = stratum::Server::bind(config, pool).await.unwrap();
    let addr = server.local_addrs()[0];
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { drop(stopped.await) }));
    let (_client, mut jobs) = stratum::Client::connect(addr, "alice", "test/1").await.unwrap();
    assert!(jobs.recv().await.is_some());
    let mut owner = TcpStream::connect(addr).await.unwrap();
    owner.write_all(b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cgminer/4.12\"]}\n").await.unwrap();
    let mut answer = [0; 512];
    assert!(owner.read(&mut answer).await.unwrap() > 0);
    stop.send(()).unwrap();
    let mut told = String::new();
    owner.read_to_string(&mut told).await.unwrap();
    let methods: Vec<_> = ["client.show_message", "client.reconnect", "this server is stopping"]
        .map(|words| told.find(words).unwrap_or(usize::MAX))
        .into();
    assert!(methods[0] < methods[1] && methods[1] < usize::MAX && methods[2] < usize::MAX, "{told}");
    drop(owner);
    running.await.unwrap();
    assert!(jobs.recv().await.is_none());
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn the_error_names_a_port_in_use() {
    let server = serve().await;
    let config = stratum::Config::new(server.addr);
    let error = stratum::Server::bind(config, common::OneWork::new()).await.err().unwrap();
    assert!(error.to_string().starts_with(&format!("cannot listen for miners on {}", server.addr)), "{error}");
}

#[tokio::test]
async fn a_line_in_pieces_counts_as_one_line() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    for piece in ["{\"id\":1,\"met", "hod\":\"mining", ".ping\"}", "\r\n"] {
        miner.write.write_all(piece.as_bytes()).await.unwrap();
        miner.write.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(miner.next().await["result"], true);
    assert_eq!(miner.submit(&job, &mine(&job, share_target(), 0)).await, 0);
}

/// Authorizes so many users of one account, as a proxy does.
async fn authorize_many(miner: &mut Raw, count: usize) {
    let login =
        |number| json!({"id": number, "method": "mining.authorize", "params": [format!("alice.{number}"), "x"]});
    let logins: Vec<_> = (0..count).map(|number| format!("{}\n", login(number))).collect();
    miner.write.write_all(logins.concat().as_bytes()).await.unwrap();
    for _ in 0..count {
        assert_eq!(miner.next().await["result"], true);
    }
}

fn names_kept(server: &Running) -> usize {
    server.stats.snapshot().connections.iter().map(|connection| connection.workers.len()).sum()
}

#[tokio::test]
async fn user_names_of_one_address_are_no_more_than_its_connections_may_be() {
    let server = serve().await;
    let mut miners = Vec::new();
    for _ in 0..3 {
        let (mut miner, job) = Raw::start(&server).await;
        authorize_many(&mut miner, 600).await;
        miners.push((miner, job));
    }
    assert_eq!(names_kept(&server), 3 + limits::WORKERS_MAX, "and the first of each connection");
    let (last, job) = &mut miners[2];
    assert_eq!(last.submit(job, &mine(job, share_target(), 0)).await, 0);
    // Those of a connection that ends are free again.
    drop(miners.remove(0));
    while server.stats.snapshot().connections.len() > 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (mut next, _) = Raw::start(&server).await;
    authorize_many(&mut next, 600).await;
    assert_eq!(names_kept(&server), 3 + limits::WORKERS_MAX);
}

#[tokio::test]
async fn control_characters_of_a_user_name_are_blanks() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let subscribed = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":["test/1"]}"#).await;
    let user = "alice.\u{1}rig\u{b}\u{7f}1\u{1b}";
    let login = json!({"id": 2, "method": "mining.authorize", "params": [user, "x"]}).to_string();
    assert_eq!(miner.ask(&login).await["result"], true);
    let job = miner.job(common::extranonce1(&subscribed)).await;
    assert_eq!(server.stats.snapshot().connections[0].workers, ["alice.rig  1"]);
    let proof = mine(&job, share_target(), 0);
    let (time, nonce) = (format!("{:08x}", proof.header.time), format!("{:08x}", proof.header.nonce));
    let params = json!([user, job.id, format!("{:016x}", u64::from_be_bytes(proof.extranonce2)), time, nonce]);
    let submit = json!({"id": 3, "method": "mining.submit", "params": params}).to_string();
    assert_eq!(miner.ask(&submit).await["result"], true, "it is the same user");
}

#[tokio::test]
async fn a_line_full_of_extensions_is_answered_in_part() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let names: Vec<_> = (0..800).map(|number| format!("a{number}")).collect();
    let names = [vec!["version-rolling".to_owned()], names].concat();
    let configure = json!({"id": 1, "method": "mining.configure", "params": [names, {}]}).to_string();
    let answer = miner.ask(&configure).await;
    let outcome = answer["result"].as_object().unwrap();
    assert_eq!(outcome["version-rolling"], true);
    assert_eq!(outcome.len(), limits::EXTENSIONS_MAX + 1, "and the mask");
}
