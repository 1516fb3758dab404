//! Devices whose owner saves power: they leave one after another, come back, and wait without a job.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use stratum::session::{Action, Session, Start, Timeouts, Welcome};
use stratum::{Authority, CoinbaseLimits, DifficultyRange, Pool, Refusal, limits};

use crate::common::{self, Raw, USER, extranonce1, mine, serve_with, share_target};
use crate::sv2::{Line, Miner, Wish, ask, set_up};

const REASON: &str = "this node's owner pauses this device";

#[tokio::test]
async fn a_device_that_rests_is_disconnected_and_waits_without_a_job_until_it_may_work() {
    let server = serve_with(|config| config.timeouts.rest_spread = Duration::from_millis(300)).await;
    let (mut resting, job) = Raw::start(&server).await;
    let mut other = Raw::connect(&server).await;
    other.ask(r#"{"id":1,"method":"mining.subscribe","params":["test/1"]}"#).await;
    assert_eq!(other.ask(r#"{"id":2,"method":"mining.authorize","params":["alice.rig2","x"]}"#).await["result"], true);
    for method in ["mining.set_difficulty", "mining.notify"] {
        assert_eq!(other.next().await["method"], method);
    }
    assert_eq!(resting.submit(&job, &mine(&job, share_target(), 0)).await, 0);

    server.pool.let_rest(Some("rig1"));
    assert_eq!(resting.next().await["error"][1], REASON);
    assert!(resting.line().await.is_none());
    let mut back = Raw::connect(&server).await;
    let subscribed = back.ask(r#"{"id":1,"method":"mining.subscribe","params":["cgminer/4.11.1"]}"#).await;
    let login = json!({"id": 2, "method": "mining.authorize", "params": [USER, "x"]}).to_string();
    assert_eq!(back.ask(&login).await["result"], true, "it is there, and its owner can see it");
    assert_eq!(back.next().await["params"][0], REASON);
    server.pool.set(|_| {});
    assert_eq!(other.next().await["method"], "mining.notify", "others go on");
    assert!(back.is_silent().await, "no job");
    drop(resting);
    while server.stats.snapshot().connections.len() != 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    server.pool.let_rest(None);
    let job = back.job(extranonce1(&subscribed)).await;
    assert_eq!(back.submit(&job, &mine(&job, share_target(), 0)).await, 0);
}

#[test]
fn devices_of_stratum_v2_rest_likewise() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let authority = Authority::from_secret([7; 32]).unwrap();
    let server = runtime.block_on(serve_with(|config| {
        config.timeouts.rest_spread = Duration::from_millis(300);
        config.listeners[0].v2 = Some(authority.clone());
    }));
    let key = Some(authority.public_key());
    for wish in [Wish::standard(USER), Wish::extended(USER)] {
        let mut miner = Miner::open(server.addr, key, &wish).unwrap();
        miner.mine(1).unwrap();
        server.pool.let_rest(Some("rig1"));
        let ended = std::iter::repeat_with(|| miner.step(Duration::from_secs(20))).find_map(Result::err).unwrap();
        assert_eq!(ended, format!("channel closed: {REASON}"));
        let ended = std::iter::repeat_with(|| miner.step(Duration::from_secs(20))).find_map(Result::err).unwrap();
        assert_eq!(ended, "the connection has ended", "a device goes on as long as it is connected");
        let mut line = Line::connect(server.addr, key).unwrap();
        set_up(&mut line, wish.flags, &wish.vendor).unwrap();
        ask(&mut line, 7, &wish);
        let mut back = Miner::opened(line).unwrap();
        server.pool.set(|_| {});
        while back.step(Duration::from_millis(300)).unwrap() {}
        assert!(back.jobs.is_empty(), "no job");
        server.pool.let_rest(None);
        back.mine(1).unwrap();
    }
}

/// A session with a job, on a virtual clock.
fn session(number: u64, pool: &dyn Pool, now: Instant) -> Session {
    let start = Start {
        extranonce1: number.to_be_bytes(),
        first_job_id: 0,
        difficulty: DifficultyRange::default(),
        coinbase_limits: CoinbaseLimits::default(),
        timeouts: Timeouts::default(),
    };
    let mut session = Session::new(start, now);
    for line in [
        r#"{"id":1,"method":"mining.subscribe","params":[]}"#,
        r#"{"id":2,"method":"mining.authorize","params":["alice.rig1","x"]}"#,
    ] {
        for action in session.handle_line(line, now) {
            match action {
                Action::Subscribe(pending) => drop(session.handle_subscription(pending, Ok(Welcome::default()))),
                Action::Authorize(pending) => {
                    drop(session.handle_verdict(pending, Ok(Arc::from([1u8].as_slice())), now))
                }
                _ => {}
            }
        }
    }
    let account = session.account().unwrap().clone();
    assert!(!session.handle_work(pool.work(&account).unwrap(), now).is_empty());
    session
}

#[test]
fn devices_that_are_to_rest_leave_one_after_another() {
    let (pool, start) = (common::OneWork::new(), Instant::now());
    // Extranonces count up.
    let mut sessions: Vec<_> =
        (0..1_000).map(|number| session(0x0123_4567_89ab_cdef + number, &*pool, start)).collect();
    for session in &mut sessions {
        assert!(session.handle_rest(Refusal(REASON.to_owned()), start).is_empty(), "it goes on with its job");
    }
    let mut left = 0;
    // Each connection looks at the clock at times of its own.
    let step = Duration::from_millis(500);
    for look in 1..=60 {
        let now = start + step * look;
        let before = sessions.len();
        sessions.retain_mut(|session| {
            // Updates in between delay no device.
            session.handle_rest(Refusal(REASON.to_owned()), now);
            !session.tick(now).iter().any(|action| matches!(action, Action::Close(_)))
        });
        let leaving = before - sessions.len();
        assert!(leaving <= 30, "{leaving} of 1,000 at once");
        left += leaving;
    }
    assert_eq!((left, limits::REST_SPREAD), (1_000, step * 60));
}

#[test]
fn a_device_that_may_work_again_in_time_never_leaves() {
    let (pool, start) = (common::OneWork::new(), Instant::now());
    let mut session = session(7, &*pool, start);
    session.handle_rest(Refusal(REASON.to_owned()), start);
    let account = session.account().unwrap().clone();
    assert!(session.handle_work(pool.work(&account).unwrap(), start).is_empty(), "it has this job");
    assert!(session.tick(start + limits::REST_SPREAD).is_empty());
    let later = session.tick(start + limits::KEEPALIVE);
    assert!(matches!(&later[..], [Action::SendJob(_)]), "{later:?}");
}
