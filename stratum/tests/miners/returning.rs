//! Devices that come back go on from the difficulty that fitted them.

use std::time::{Duration, Instant};

use serde_json::json;
use stratum::{Authority, Job};
use tokio::io::AsyncWriteExt;

use crate::common::{Raw, Running, USER, extranonce1, mine, serve_with};
use crate::sv2::{Miner, Wish};

/// A difficulty that takes a dozen hashes.
const EASY: f64 = 4e-9;

/// Shares after which a connection's difficulty follows them.
const SHARES: usize = stratum::limits::VARDIFF_SHARES as usize;

fn has_left(server: &Running) -> bool {
    server.stats.snapshot().connections.is_empty()
}

/// Connects and logs in, with the user name before or after the program's name.
async fn start(server: &Running, agent: &str, user: &str, authorize_first: bool) -> (Raw, Job) {
    let mut miner = Raw::connect(server).await;
    let subscribe = json!({"id": 1, "method": "mining.subscribe", "params": [agent]}).to_string();
    let login = json!({"id": 2, "method": "mining.authorize", "params": [user, "x"]}).to_string();
    if authorize_first {
        miner.ask(&login).await;
    }
    let subscribed = miner.ask(&subscribe).await;
    if !authorize_first {
        miner.ask(&login).await;
    }
    let job = miner.job(extranonce1(&subscribed)).await;
    (miner, job)
}

#[tokio::test]
async fn a_device_of_v1_that_comes_back_begins_with_its_last_difficulty() {
    let server = serve_with(|config| config.listeners[0].difficulty.start = EASY).await;
    let (mut miner, job) = start(&server, "bitaxe/BM1370", USER, false).await;
    assert!(job.difficulty.to_f64() <= EASY);
    let fitting = measure(&server, &mut miner, &job).await;
    for authorize_first in [false, true] {
        let (_back, job) = start(&server, "bitaxe/BM1370", USER, authorize_first).await;
        assert_eq!(job.difficulty, fitting, "it need not be measured anew");
        for (agent, user) in [("bitaxe/BM1370", "alice.rig2"), ("cgminer/4", USER)] {
            let (_other, job) = start(&server, agent, user, authorize_first).await;
            assert!(job.difficulty.to_f64() <= EASY, "{agent} {user} is another device");
        }
    }
}

/// Has a device show its rate and leave. Returns the difficulty that fits it.
async fn measure(server: &Running, miner: &mut Raw, job: &Job) -> stratum::Difficulty {
    for skip in 0..SHARES {
        assert_eq!(miner.submit(job, &mine(job, job.difficulty.target(), skip)).await, 0);
    }
    let fitting = miner.job(job.extranonce1.clone()).await.difficulty;
    assert!(fitting > job.difficulty, "it is faster than that");
    miner.write.shutdown().await.unwrap();
    while !has_left(server) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    fitting
}

/// After a rest, all devices of a farm get their first jobs in one moment.
#[tokio::test]
async fn devices_that_rested_do_not_flood_the_server_when_they_resume() {
    let server = serve_with(|config| config.listeners[0].difficulty.start = EASY).await;
    let (mut miner, job) = start(&server, "bitaxe/BM1370", USER, false).await;
    let fitting = measure(&server, &mut miner, &job).await;
    server.pool.let_rest(Some("rig1"));
    for authorize_first in [false, true] {
        let mut back = Raw::connect(&server).await;
        let subscribe = r#"{"id":1,"method":"mining.subscribe","params":["bitaxe/BM1370"]}"#;
        let login = json!({"id": 2, "method": "mining.authorize", "params": [USER, "x"]}).to_string();
        let lines = if authorize_first { [&*login, subscribe] } else { [subscribe, &*login] };
        let mut subscribed = json!(null);
        for line in lines {
            let answer = back.ask(line).await;
            subscribed = if answer["id"] == 1 { answer } else { subscribed };
        }
        assert!(back.is_silent().await, "no job");
        server.pool.let_rest(None);
        assert_eq!(back.job(extranonce1(&subscribed)).await.difficulty, fitting, "it need not be measured anew");
        server.pool.let_rest(Some("rig1"));
    }
}

#[tokio::test]
async fn a_device_that_names_its_program_after_its_first_job_begins_with_its_last_difficulty() {
    let server = serve_with(|config| config.listeners[0].difficulty.start = EASY).await;
    let (mut miner, job) = start(&server, "", USER, false).await;
    let asked = miner.next().await;
    assert_eq!(asked["method"], "client.get_version");
    miner.send(&json!({"id": asked["id"], "result": "late/1", "error": null}).to_string()).await;
    let fitting = measure(&server, &mut miner, &job).await;
    let (_back, job) = start(&server, "", USER, false).await;
    assert_eq!(job.difficulty, fitting);
}

#[test]
fn a_device_of_v2_that_comes_back_begins_with_its_last_difficulty_whatever_it_says_of_its_rate() {
    let authority = Authority::from_secret([7; 32]).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(serve_with(|config| config.listeners[0].v2 = Some(authority.clone())));
    let open = |wish: &Wish| Miner::open(server.addr, Some(authority.public_key()), wish).unwrap();
    for wish in [Wish::standard(USER), Wish::extended("alice.rig2")] {
        // It says that it does two hashes a second, and does millions.
        let wish = Wish { hashrate: 2.0, ..wish };
        let mut miner = open(&wish);
        let easy = miner.target;
        let began = Instant::now();
        while miner.target == easy {
            assert!(began.elapsed() < Duration::from_secs(20), "the difficulty follows its shares");
            miner.mine(1).unwrap();
            miner.drain().unwrap();
        }
        let fitting = miner.target;
        drop(miner);
        while !has_left(&server) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(open(&wish).target, fitting, "its first target is its last one");
        let other = Wish { user: "alice.rig9".to_owned(), ..wish.clone() };
        assert_eq!(open(&other).target, easy, "another name is another device");
        let other = Wish { vendor: "other".to_owned(), ..wish };
        assert_eq!(open(&other).target, easy, "another program is another device");
    }
}
