//! Measures latency, throughput and memory under load. Run with:
//! `cargo nextest run --release -p stratum --run-ignored only --no-capture`

use std::time::{Duration, Instant};

use stratum::Client;
use tokio::sync::mpsc;

use crate::common::{self, TIME, serve};

const MINERS: usize = 500;
/// Bytes of `coinb2` with 48 P2TR outputs and the two commitments.
const COINB2_BYTES: usize = 48 * 43 + 90;
const ROUNDS: usize = 40;

fn quantile(times: &mut [Duration], quantile: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * quantile) as usize]
}

/// Time from a change of work until the first and the last miner have read the new job.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn work_reaches_all_miners() {
    let server = serve().await;
    let (heard, mut notified) = mpsc::unbounded_channel();
    let mut clients = Vec::new();
    for miner in 0..MINERS {
        let (client, mut jobs) =
            Client::connect(server.addr, &format!("miner{}.rig", miner % 50), "load/1").await.unwrap();
        jobs.recv().await.unwrap();
        let heard = heard.clone();
        tokio::spawn(async move {
            while jobs.recv().await.is_some() {
                heard.send(Instant::now()).unwrap();
            }
        });
        clients.push(client);
    }
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        server.pool.set(|parts| parts.coinb2 = vec![7; COINB2_BYTES]);
        first.push(notified.recv().await.unwrap() - start);
        for _ in 2..MINERS {
            notified.recv().await.unwrap();
        }
        last.push(notified.recv().await.unwrap() - start);
    }
    for (name, times) in [("first", &mut first), ("last", &mut last)] {
        println!("{MINERS} miners, {name} notified: p50 {:?}, max {:?}", quantile(times, 0.5), quantile(times, 1.0));
    }
}

/// Round trips of submissions, one at a time per connection.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn submits_are_answered() {
    let server = serve().await;
    server.pool.set(|parts| {
        parts.coinb2 = vec![7; COINB2_BYTES];
        parts.branch = [[1; 32]; 12].into();
    });
    let mut tasks = tokio::task::JoinSet::new();
    let start = Instant::now();
    for miner in 0..50 {
        let (client, mut jobs) = Client::connect(server.addr, &format!("miner{miner}.rig"), "load/1").await.unwrap();
        tasks.spawn(async move {
            let job = jobs.recv().await.unwrap();
            let mut times = Vec::new();
            for nonce in 0..1_000u32 {
                let asked = Instant::now();
                let _rejected = client.submit(&job, [0; 8], TIME, nonce, 0).await;
                times.push(asked.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    println!(
        "{} submissions, {rate:.0} per second with the clients on the same cores: p50 {:?}, p99 {:?}",
        times.len(),
        quantile(&mut times, 0.5),
        quantile(&mut times, 0.99)
    );
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

/// Memory per connection with the maximum number of work units, including the miners' sockets.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn connections_cost_memory() {
    const CONNECTIONS: usize = 1_000;
    let server = serve().await;
    let set = || server.pool.set(|parts| parts.coinb2 = vec![7; COINB2_BYTES]);
    let before = resident_bytes();
    let mut miners = Vec::new();
    for _ in 0..CONNECTIONS {
        let (miner, _) = common::Raw::start(&server).await;
        miners.push(miner.into_silent_reader());
    }
    let idle = resident_bytes();
    for _ in 0..70 {
        set();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let full = resident_bytes();
    println!(
        "{CONNECTIONS} connections: {} bytes each with one work unit, {} bytes each with the maximum",
        (idle - before) / CONNECTIONS,
        (full - before) / CONNECTIONS
    );
}
