//! Transcripts of real devices and of situations that cost owners work on other servers, on real sockets.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use stratum::{Difficulty, Readiness, Refusal};

use crate::common::{
    self, Raw, SHARE_DIFFICULTY, TIME, USER, extranonce1, mine, mine_until, serve, serve_with, share_target,
};

const REASON: &str = "this node's bitcoind has not answered for 30 s";

fn stopped() -> Readiness {
    Readiness::Stopped(Refusal(REASON.to_owned()))
}

fn login(id: u32) -> String {
    format!(r#"{{"id":{id},"method":"mining.authorize","params":["{USER}","x"]}}"#)
}

async fn connect_as(server: &common::Running, agent: &str) -> Raw {
    let mut miner = Raw::connect(server).await;
    let subscribe = json!({"id": 1, "method": "mining.subscribe", "params": [agent]});
    miner.send(&subscribe.to_string()).await;
    miner
}

/// bitcoind is gone: connected miners read why and leave.
#[tokio::test]
async fn miners_leave_a_pool_without_work() {
    let server = serve().await;
    let (mut plain, _) = Raw::start(&server).await;
    let mut shows = connect_as(&server, "cgminer/4.12.1").await;
    let subscribed = shows.next().await;
    shows.ask(&login(2)).await;
    shows.job(extranonce1(&subscribed)).await;
    server.pool.set_readiness(stopped());
    let told = shows.next().await;
    assert_eq!((&told["method"], &told["params"][0]), (&"client.show_message".into(), &REASON.into()));
    for miner in [&mut plain, &mut shows] {
        assert_eq!(miner.next().await["error"], json!([20, REASON, null]));
        assert!(miner.line().await.is_none(), "the connection is closed");
    }
}

/// A pool that answers and sends no job keeps devices for minutes. Devices that probe look for `mining.notify`.
#[tokio::test]
async fn a_pool_without_work_refuses_to_subscribe() {
    let server = serve().await;
    for readiness in [Readiness::Paused(Refusal(REASON.to_owned())), stopped()] {
        server.pool.set_readiness(readiness);
        for authorize_first in [false, true] {
            let mut miner = Raw::connect(&server).await;
            if authorize_first {
                assert_eq!(miner.ask(&login(1)).await["result"], true);
            }
            let answer = miner.ask(r#"{"id":2,"method":"mining.subscribe","params":["bitaxe/BM1370/v2"]}"#).await;
            assert_eq!((&answer["result"], &answer["error"]), (&Value::Null, &json!([20, REASON, null])));
            assert!(miner.line().await.is_none(), "the connection is closed");
        }
    }
    server.pool.set_readiness(Readiness::Ready);
    Raw::start(&server).await;
}

/// While the pool pauses, a miner keeps its job, is sent no other one, and its work counts.
#[tokio::test]
async fn a_pause_repeats_no_job_and_loses_no_work() {
    let server = serve_with(|config| config.timeouts.keepalive = Duration::from_millis(600)).await;
    let (mut miner, job) = Raw::start(&server).await;
    server.pool.set_readiness(Readiness::Paused(Refusal(REASON.to_owned())));
    server.pool.withdraw();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(miner.is_silent().await, "no job is repeated");
    assert_eq!(miner.submit(&job, &mine(&job, share_target(), 0)).await, 0);
    assert_eq!(server.pool.found().len(), 1);
    server.pool.set_readiness(Readiness::Ready);
    server.pool.set(|_| {});
    let next = miner.notify(Vec::new(), job.difficulty).await;
    assert_ne!(next.id, job.id);
}

/// Some firmware restarts its extranonce2 at each notify: every job has another time, so no header repeats.
#[tokio::test]
async fn a_repeated_job_has_another_time() {
    let server = serve_with(|config| config.timeouts.keepalive = Duration::from_millis(1_500)).await;
    let (mut miner, first) = Raw::start(&server).await;
    let mut times = vec![first.time];
    for _ in 0..3 {
        let again = miner.notify(extranonce1_of(&first), first.difficulty).await;
        times.push(again.time);
        assert_ne!(again.header([0; 8], again.time, 0, 0), first.header([0; 8], first.time, 0, 0));
        assert_eq!(miner.submit(&again, &mine_restarting(&again)).await, 0, "a device that restarts loses nothing");
    }
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    // The same content under another key, as when a node builds a template twice in a second.
    let key = server.pool.set(|_| {}).key;
    let before = miner.notify(extranonce1_of(&first), first.difficulty).await;
    server.pool.set(|parts| parts.coinb1 = [key.to_le_bytes().as_slice(), &[1; 57]].concat());
    let twin = miner.notify(extranonce1_of(&first), first.difficulty).await;
    assert!(twin.time > before.time, "{} after {}", twin.time, before.time);
}

/// A block's time came from a job's, and the next block's least time from that: jobs must not run away from the clock.
#[tokio::test]
async fn more_jobs_than_seconds_do_not_carry_the_time_away() {
    let server = serve().await;
    let (mut miner, first) = Raw::start(&server).await;
    let mut times = vec![first.time];
    for _ in 0..150 {
        server.pool.set(|_| {});
        times.push(miner.notify(extranonce1_of(&first), first.difficulty).await.time);
    }
    assert!(times.iter().max() <= Some(&(first.time + 90)), "{times:?}");
    let returns = times.windows(2).filter(|pair| pair[1] <= pair[0]).count();
    assert!(returns <= 3, "{times:?}");
}

fn extranonce1_of(job: &stratum::Job) -> Vec<u8> {
    job.extranonce1.clone()
}

/// Mines from extranonce2 0 and nonce 0, like a device that forgets its place.
fn mine_restarting(job: &stratum::Job) -> common::Proof {
    mine_until(job, job.time, None, |hash| share_target().is_met_by(hash))
}

/// bfgminer 5.5 asks for the transactions of each job, and MRR for other versions. Neither is thrown off.
#[tokio::test]
async fn questions_are_answered_without_a_strike() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    for round in 0..150 {
        let list = format!(r#"{{"params":["{}"],"id":"txlist{}","method":"mining.get_transactions"}}"#, job.id, job.id);
        assert_eq!(miner.ask(&list).await["error"][0], 20);
        let multi = format!(r#"{{"id":{round},"method":"mining.multi_version","params":[1]}}"#);
        assert_eq!(miner.ask(&multi).await["error"][0], 20);
        let other = format!(r#"{{"id":{round},"method":"eth_submitHashrate","params":["0x1"]}}"#);
        assert_eq!(miner.ask(&other).await["error"][0], 20);
        // Other servers have parameters with names.
        let named = format!(r#"{{"id":{round},"method":"login","params":{{"login":"alice","pass":"x"}}}}"#);
        assert_eq!(miner.ask(&named).await["error"][0], 20);
        let list = list.replace(&format!(r#"["{}"]"#, job.id), r#"{"job":"1"}"#);
        assert_eq!(miner.ask(&list).await["error"][0], 20);
    }
    // A notice expects no answer.
    miner.send(r#"{"id":null,"method":"mining.get_transactions","params":{}}"#).await;
    miner.send(r#"{"id":null,"method":"login","params":{}}"#).await;
    assert_eq!(miner.submit(&job, &mine(&job, share_target(), 0)).await, 0);
}

/// Miningcore's dialect: a bare value instead of a list. A suggestion that is none changes nothing and is not an offense.
#[tokio::test]
async fn a_bare_suggestion_is_accepted() {
    let server = serve().await;
    server.pool.set(|parts| parts.share_target = Difficulty::floor(100_000.0).target());
    for params in ["3000", "[3000]", r#""3000""#, r#"["3000"]"#, "[3000.0, 7]"] {
        let mut miner = Raw::connect(&server).await;
        for _ in 0..100 {
            for none in ["[]", "null", "[0]", "[-1]", r#"["x"]"#, "{}"] {
                let suggestion = format!(r#"{{"id":3,"method":"mining.suggest_difficulty","params":{none}}}"#);
                assert_eq!(miner.ask(&suggestion).await["error"][0], 20, "{none}");
            }
        }
        let suggestion = format!(r#"{{"id":4,"method":"mining.suggest_difficulty","params":{params}}}"#);
        assert_eq!(miner.ask(&suggestion).await["result"], true);
        let subscribed = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":"x"}"#).await;
        miner.ask(&login(2)).await;
        assert_eq!(miner.job(extranonce1(&subscribed)).await.difficulty.to_string(), "3000", "{params}");
    }
}

/// Whatsminer adds a field; braiins OS writes the number of bits as a text.
#[tokio::test]
async fn additions_and_other_types_are_accepted() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    for (bits, granted) in [(r#""02""#, true), (r#""16""#, true), (r#""17""#, false), ("2", true), ("null", true)] {
        let configure = format!(
            r#"{{"id":1,"method":"mining.configure","params":[["version-rolling"],{{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":{bits}}}]}}"#
        );
        assert_eq!(miner.ask(&configure).await["result"]["version-rolling"], granted, "{bits}");
    }
    let login = format!(r#"{{"id":3587156,"method":"mining.authorize","params":["{USER}",""],"ttl":2}}"#);
    assert_eq!(miner.ask(&login).await["result"], true);
}

/// NerdMiner drops leading zeros of the nonce, others those of the time and the version bits.
#[tokio::test]
async fn a_short_nonce_is_accepted() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    let proof = mine(&job, share_target(), 0);
    assert!(proof.header.nonce < 1 << 28);
    let extranonce2: String = proof.extranonce2.iter().map(|byte| format!("{byte:02x}")).collect();
    let nonce = format!("{:07x}", proof.header.nonce);
    let params = json!([USER, job.id, extranonce2, format!("{TIME:08x}"), nonce]);
    let answer = miner.ask(&json!({"id": 5, "method": "mining.submit", "params": params}).to_string()).await;
    assert_eq!(answer["result"], true, "{answer}");
    let rolled = mine_until(&job, job.time, Some(0x6000), |hash| share_target().is_met_by(hash));
    let params = json!([USER, job.id, extranonce2, format!("{TIME:x}"), format!("{:x}", rolled.header.nonce), "6000"]);
    let answer = miner.ask(&json!({"id": 6, "method": "mining.submit", "params": params}).to_string()).await;
    assert_eq!(answer["result"], true, "{answer}");
}

/// Devices refuse an extranonce1 over 16 bytes, and an extranonce2 over 8.
#[tokio::test]
async fn extranonces_have_eight_bytes_each() {
    let server = serve().await;
    let mut miner = connect_as(&server, "apollo").await;
    let subscribed = miner.next().await;
    assert_eq!((extranonce1(&subscribed).len(), &subscribed["result"][2]), (8, &json!(8)));
}

/// After a failover, a device submits work for the pool that it left.
#[tokio::test]
async fn work_for_another_pool_is_stale_and_no_offence() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    for _ in 0..40 {
        for (id, extranonce2) in [
            ("69b4f8c10000a30a", "0000000000000000"),
            ("job_5", "00000000"),
            ("1", "0000000000000000"),
            (job.id.as_str(), "00000000"),
            (job.id.as_str(), "000000000000000000000000"),
        ] {
            let params = json!([USER, id, extranonce2, format!("{TIME:08x}"), "00000000"]);
            let answer = miner.ask(&json!({"id": 5, "method": "mining.submit", "params": params}).to_string()).await;
            assert_eq!(answer["error"][0], 21, "{id} {extranonce2}: {answer}");
        }
        let number = json!([USER, 5, "0000000000000000", format!("{TIME:08x}"), "00000000"]);
        let answer = miner.ask(&json!({"id": 5, "method": "mining.submit", "params": number}).to_string()).await;
        assert_eq!(answer["error"][0], 21, "{answer}");
    }
    assert_eq!(miner.submit(&job, &mine(&job, share_target(), 0)).await, 0);
    assert_eq!(server.stats.snapshot().totals.rejected.stale, 240);
}

/// A password below what the program itself needs.
#[tokio::test]
async fn nicehash_keeps_its_minimum_whatever_the_password_says() {
    let server = serve().await;
    server.pool.set(|parts| parts.share_target = Difficulty::floor(1e6).target());
    for (password, expected) in [("d=1", "524288"), ("d=600000", "600000")] {
        let mut miner = connect_as(&server, "NiceHash/1.0.0").await;
        let subscribed = miner.next().await;
        let login = json!({"id": 2, "method": "mining.authorize", "params": [USER, password]});
        miner.ask(&login.to_string()).await;
        assert_eq!(miner.job(extranonce1(&subscribed)).await.difficulty.to_string(), expected);
    }
}

/// `0.00000000 of 0.0000115` was of no use.
#[tokio::test]
async fn a_rejected_value_has_significant_digits() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    let hash = mine_until(&job, TIME, None, |hash| !share_target().is_met_by(hash));
    let extranonce2: String = hash.extranonce2.iter().map(|byte| format!("{byte:02x}")).collect();
    let params = json!([USER, job.id, extranonce2, format!("{TIME:08x}"), format!("{:08x}", hash.header.nonce)]);
    let answer = miner.ask(&json!({"id": 5, "method": "mining.submit", "params": params}).to_string()).await;
    let words = answer["error"][1].as_str().unwrap();
    let got: f64 = words.strip_prefix("low difficulty share: ").unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(got > 0.0 && got < SHARE_DIFFICULTY, "{words}");
}

/// Three nodes that started in one second gave the same extranonces, and their owner lost 41% of the work.
#[tokio::test]
async fn servers_started_together_issue_no_common_extranonce() {
    let servers = futures::future::join_all((0..16).map(|_| serve())).await;
    let mut seen = HashSet::new();
    let mut miners = Vec::new();
    for server in &servers {
        for _ in 0..8 {
            let mut miner = connect_as(server, "x").await;
            assert!(seen.insert(extranonce1(&miner.next().await)), "two connections have one extranonce");
            miners.push(miner);
        }
    }
}

/// A device that comes back with its session id continues its search space: never one that is in use, or another node's.
#[tokio::test]
async fn a_returning_miner_resumes_its_extranonce_if_it_is_free() {
    let (server, other) = (serve().await, serve().await);
    let subscribe = |id: &str| json!({"id": 1, "method": "mining.subscribe", "params": ["x", id]}).to_string();
    let (first, job) = Raw::start(&server).await;
    let id: String = job.extranonce1.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut early = Raw::connect(&server).await;
    assert_ne!(early.ask(&subscribe(&id)).await["result"][1], json!(id), "it is in use");
    drop(first);
    while server.stats.snapshot().connections.len() > 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut elsewhere = Raw::connect(&other).await;
    assert_ne!(elsewhere.ask(&subscribe(&id)).await["result"][1], json!(id), "another node did not issue it");
    let mut back = Raw::connect(&server).await;
    let subscribed = back.ask(&subscribe(&id)).await;
    assert_eq!((&subscribed["result"][1], &subscribed["result"][0][1][1]), (&json!(id), &json!(id)));
    assert_eq!(back.ask(&login(2)).await["result"], true);
    let again = back.job(extranonce1(&subscribed)).await;
    assert!(again.time > job.time, "the same work unit has a later time, so no header repeats");
    assert_eq!(back.submit(&again, &mine_restarting(&again)).await, 0);
}

/// A proxy authorizes a thousand and more workers on its connection.
#[tokio::test]
async fn a_proxy_may_have_any_number_of_workers() {
    let server = serve().await;
    let (mut proxy, job) = Raw::start(&server).await;
    for worker in 0..1_200 {
        let login = json!({"id": worker, "method": "mining.authorize", "params": [format!("alice.{worker}"), "x"]});
        assert_eq!(proxy.ask(&login.to_string()).await["result"], true, "{worker}");
    }
    assert_eq!(server.stats.snapshot().connections[0].workers.len(), stratum::limits::WORKERS_MAX);
    for (skip, worker) in ["alice.7", "alice.1199"].into_iter().enumerate() {
        let proof = mine(&job, share_target(), skip);
        let extranonce2: String = proof.extranonce2.iter().map(|byte| format!("{byte:02x}")).collect();
        let nonce = format!("{:08x}", proof.header.nonce);
        let params = json!([worker, job.id, extranonce2, format!("{TIME:08x}"), nonce]);
        let answer = proxy.ask(&json!({"id": 5, "method": "mining.submit", "params": params}).to_string()).await;
        assert_eq!(answer["result"], true, "{answer}");
        assert_eq!(&*server.pool.found()[skip].worker, worker);
    }
}

/// A program that does not introduce itself is asked.
#[tokio::test]
async fn the_version_of_a_silent_program_is_asked_for() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let subscribed = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":[]}"#).await;
    miner.ask(&login(2)).await;
    miner.job(extranonce1(&subscribed)).await;
    let asked = miner.next().await;
    assert_eq!(asked["method"], "client.get_version");
    miner.send(&json!({"id": asked["id"], "result": "cgminer/4.12.1", "error": null}).to_string()).await;
    assert_eq!(miner.ask(r#"{"id":3,"method":"mining.ping"}"#).await["result"], true);
    assert_eq!(server.stats.snapshot().connections[0].agent, "cgminer/4.12.1");
}

/// Blanks in a user name make no other worker.
#[tokio::test]
async fn blanks_in_a_user_name_do_not_matter() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    for (skip, user) in [" alice.rig1", "alice .rig1", "alice. rig1 "].into_iter().enumerate() {
        let proof = mine(&job, share_target(), skip);
        let extranonce2: String = proof.extranonce2.iter().map(|byte| format!("{byte:02x}")).collect();
        let nonce = format!("{:08x}", proof.header.nonce);
        let params = json!([user, job.id, extranonce2, format!("{TIME:08x}"), nonce]);
        let answer = miner.ask(&json!({"id": 5, "method": "mining.submit", "params": params}).to_string()).await;
        assert_eq!(answer["result"], true, "{user}: {answer}");
        assert_eq!(&*server.pool.found()[skip].worker, USER);
    }
    for user in ["  alice.rig1 ", "alice .rig1", "alice . rig1", "alice.\trig1"] {
        let mut other = connect_as(&server, "x").await;
        other.next().await;
        let login = json!({"id": 2, "method": "mining.authorize", "params": [user, "x"]});
        assert_eq!(other.ask(&login.to_string()).await["result"], true);
        let snapshot = server.stats.snapshot();
        assert_eq!(snapshot.connections.last().unwrap().workers, [USER], "{user:?}: statistics know one worker");
    }
}
