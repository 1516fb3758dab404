//! Devices that cannot hold the coinbase read why, at subscribe where that is known, instead of hashing for nothing.

use std::sync::Arc;

use serde_json::{Value, json};
use stratum::{CoinbaseLimit, Difficulty, Job, limits};

use crate::common::{
    Raw, Running, SHARE_DIFFICULTY, USER, extranonce1, mine, mine_until, serve, serve_with, share_target,
};

/// Sets a coinbase of this size.
fn grow(server: &Running, bytes: usize) {
    let fixed = 65 + 16 + 50;
    let work = server.pool.set(|parts| parts.outputs = Arc::from(vec![2; bytes - fixed]));
    assert_eq!(work.coinbase_bytes(), bytes);
}

async fn subscribe(server: &Running, agent: &str) -> (Raw, Value) {
    let mut miner = Raw::connect(server).await;
    let answer = miner.ask(&json!({"id": 1, "method": "mining.subscribe", "params": [agent]}).to_string()).await;
    (miner, answer)
}

async fn start(server: &Running, agent: &str) -> (Raw, Job) {
    let (mut miner, subscribed) = subscribe(server, agent).await;
    let login = json!({"id": 2, "method": "mining.authorize", "params": [USER, "x"]});
    assert_eq!(miner.ask(&login.to_string()).await["result"], true);
    let job = miner.job(extranonce1(&subscribed)).await;
    (miner, job)
}

fn sentence(line: &Value) -> &str {
    line["error"][1].as_str().unwrap_or_default()
}

/// Programs that cut the coinbase or break with a long one, as other servers found them.
#[tokio::test]
async fn a_program_that_cannot_hold_the_coinbase_is_refused_at_subscribe() {
    let server = serve().await;
    for (agent, max) in [
        ("NerdMinerV2/1.7", 255),
        ("SparkMiner/1.0", 255),
        ("NiceHash/1.0.0", 500),
        ("Antminer S19/1", 755),
        ("bmminer/2.0.0", 755),
        ("Antminer S21/1", 2_250),
        ("whatsminer/v1.1", 6_500),
        ("xminer-1.2", 16_000),
    ] {
        grow(&server, max);
        subscribe(&server, agent).await.1["result"].as_array().unwrap();
        grow(&server, max + 1);
        let (mut miner, answer) = subscribe(&server, agent).await;
        let words = format!("this device's program holds a coinbase of {max} bytes and the pool's has {},", max + 1);
        assert!(sentence(&answer).starts_with(&words), "{answer}");
        while let Some(line) = miner.line().await {
            assert_eq!(line["method"], "client.show_message", "no job: {line}");
        }
    }
    grow(&server, 16_001);
    start(&server, "cgminer/4.12").await;
}

/// The pool grows while the device is connected.
#[tokio::test]
async fn a_device_leaves_when_the_coinbase_outgrows_it() {
    let server = serve().await;
    grow(&server, 255);
    let (mut miner, _) = start(&server, "NerdMinerV2/1.7").await;
    grow(&server, 256);
    let last = miner.next().await;
    assert!(sentence(&last).contains("holds a coinbase of 255 bytes and the pool's has 256,"), "{last}");
    assert!(miner.line().await.is_none());
}

/// An operator who knows better is believed.
#[tokio::test]
async fn the_operators_limit_counts_before_the_table() {
    let limit = |agent: &str, bytes| CoinbaseLimit { agent: agent.to_owned(), bytes };
    let server = serve_with(|config| {
        config.coinbase_limits = Arc::from([limit("nerdminer", None), limit("own firmware", Some(300))]);
    })
    .await;
    grow(&server, 301);
    start(&server, "NerdMinerV2/1.7").await;
    let (_, answer) = subscribe(&server, "Own Firmware 3").await;
    assert!(sentence(&answer).contains("holds a coinbase of 300 bytes"), "{answer}");
}

/// Submits a share that is not the job's, as a device that cut the coinbase does.
async fn mismatch(miner: &mut Raw, job: &Job) -> i64 {
    let far = Difficulty::floor(SHARE_DIFFICULTY / 64.0).target();
    miner.submit(job, &mine_until(job, job.time, None, |hash| !far.is_met_by(hash))).await
}

#[tokio::test]
async fn a_coinbase_that_a_device_cannot_hold_is_learnt_from_its_shares() {
    let server = serve().await;
    grow(&server, 900);
    let (mut miner, job) = start(&server, "mystery/1").await;
    for round in 0..limits::MISMATCHES_MAX {
        assert_eq!(mismatch(&mut miner, &job).await, 23, "{round}");
    }
    let last = miner.next().await;
    assert!(sentence(&last).contains("probably cannot hold the coinbase of 900 bytes"), "{last}");
    assert!(miner.line().await.is_none());
    let (_, answer) = subscribe(&server, "mystery/1").await;
    assert!(sentence(&answer).contains("holds a coinbase of 899 bytes and the pool's has 900"), "{answer}");
    start(&server, "other/1").await;
    grow(&server, 899);
    let (_miner, _) = start(&server, "mystery/1").await;
    let snapshot = server.stats.snapshot();
    let shown = snapshot.connections.iter().rfind(|connection| connection.agent == "mystery/1").unwrap();
    assert_eq!((shown.coinbase_bytes, shown.coinbase_bytes_max), (Some(899), Some(899)));
}

/// A farm behind one address: a board with bad memory says nothing about the others.
#[tokio::test]
async fn one_broken_device_does_not_lock_out_its_kind() {
    let server = serve().await;
    let (mut good, job) = start(&server, "farm/1").await;
    assert_eq!(good.submit(&job, &mine(&job, share_target(), 0)).await, 0);
    let (mut broken, job) = start(&server, "farm/1").await;
    for _ in 0..limits::MISMATCHES_MAX {
        assert_eq!(mismatch(&mut broken, &job).await, 23);
    }
    assert!(sentence(&broken.next().await).contains("none of the last 16 shares fits its job"));
    start(&server, "farm/1").await;
}

/// A stranger at the same address takes another program's name after its first job. Only its own program is refused later.
#[tokio::test]
async fn a_device_teaches_nothing_for_a_name_that_it_takes_later() {
    let server = serve().await;
    grow(&server, 900);
    let (mut stranger, job) = start(&server, "stranger/1").await;
    stranger.ask(&json!({"id": 3, "method": "mining.subscribe", "params": ["victim/1"]}).to_string()).await;
    for _ in 0..limits::MISMATCHES_MAX {
        assert_eq!(mismatch(&mut stranger, &job).await, 23);
    }
    while stranger.line().await.is_some() {}
    start(&server, "victim/1").await;
    let (_, answer) = subscribe(&server, "stranger/1").await;
    assert!(sentence(&answer).contains("holds a coinbase of 899 bytes"), "{answer}");
}

/// A share in between shows that the device holds the coinbase; a device that ignores its difficulty is none of these.
#[tokio::test]
async fn shares_that_are_only_too_easy_teach_nothing() {
    let server = serve().await;
    let (mut miner, job) = start(&server, "lucky/1").await;
    for skip in 0..3 {
        for _ in 1..limits::MISMATCHES_MAX {
            assert_eq!(mismatch(&mut miner, &job).await, 23);
        }
        assert_eq!(miner.submit(&job, &mine(&job, share_target(), skip)).await, 0);
    }
    let easier = Difficulty::floor(SHARE_DIFFICULTY / 8.0).target();
    let easy = mine_until(&job, job.time, None, |hash| easier.is_met_by(hash) && !share_target().is_met_by(hash));
    for _ in 0..2 * limits::MISMATCHES_MAX {
        assert_eq!(miner.submit(&job, &easy).await, 23);
    }
    assert_eq!(miner.submit(&job, &mine(&job, share_target(), 3)).await, 0);
}
