//! Handshakes of real devices, in the order each sends them, on real sockets.

use std::sync::Arc;

use serde_json::{Value, json};
use stratum::{Difficulty, Pool, Tally};

use crate::common::{self, Raw, SHARE_DIFFICULTY, USER, extranonce1, mine, serve, share_target};

fn login(id: u32) -> String {
    format!(r#"{{"id":{id},"method":"mining.authorize","params":["{USER}","x"]}}"#)
}

fn method(line: &Value) -> &str {
    line["method"].as_str().unwrap_or("response")
}

#[tokio::test]
async fn esp_miner_sends_all_at_once() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let burst = [
        r#"{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}"#,
        r#"{"id":2,"method":"mining.subscribe","params":["bitaxe/BM1370/v2.x"]}"#,
        &login(3),
        r#"{"id":4,"method":"mining.suggest_difficulty","params":[1000]}"#,
        r#"{"id":5,"method":"mining.extranonce.subscribe","params":[]}"#,
    ];
    miner.send(&burst.join("\n")).await;
    let configured = miner.next().await;
    assert_eq!(configured["result"]["version-rolling"], true);
    assert_eq!(configured["result"]["version-rolling.mask"], "1fffe000");
    let subscribed = miner.next().await;
    assert_eq!(subscribed["id"], 2);
    assert_eq!(miner.next().await["result"], true);
    let mask = miner.next().await;
    assert_eq!((method(&mask), &mask["params"][0]), ("mining.set_version_mask", &"1fffe000".into()));
    let job = miner.job(extranonce1(&subscribed)).await;
    assert!(job.clean);
    for id in [4, 5] {
        let response = miner.next().await;
        assert_eq!((response["id"].as_u64(), &response["result"]), (Some(id), &true.into()));
    }
    assert_eq!(miner.submit(&job, &mine(&job, share_target(), 0)).await, 0);
    assert_eq!(server.stats.snapshot().connections[0].agent, "bitaxe/BM1370/v2.x");
}

#[tokio::test]
async fn cgminer_reads_one_line_after_configure_and_retries_subscribe() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let configure = r#"{"id":0,"method":"mining.configure","params":[["version-rolling","minimum-difficulty","subscribe-extranonce","made-up"],
        {"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":16,"minimum-difficulty.value":2048}]}"#;
    let configured = miner.ask(&configure.replace('\n', "")).await;
    for extension in ["version-rolling", "subscribe-extranonce"] {
        assert_eq!(configured["result"][extension], true, "{extension}");
    }
    assert_eq!(configured["result"]["made-up"], false);
    assert_eq!(configured["result"]["minimum-difficulty"], false, "the cap is unknown before the first work unit");
    let first = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":["cgminer/4.11.1"]}"#).await;
    let again = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":[]}"#).await;
    assert_eq!(first, again);
    assert_eq!(miner.ask(&login(2)).await["result"], true);
    assert_eq!(method(&miner.next().await), "mining.set_version_mask");
    let job = miner.job(extranonce1(&first)).await;
    assert_eq!(job.difficulty, Difficulty::floor(SHARE_DIFFICULTY), "the share target caps the requested minimum");
}

#[tokio::test]
async fn s9j_configures_last_and_gets_one_line() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    let configured = miner
        .ask(r#"{"id":3,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"00fff000"}]}"#)
        .await;
    assert_eq!(configured["result"]["version-rolling.mask"], "00ffe000");
    assert!(miner.is_silent().await);
    assert_eq!(miner.submit(&job, &mine(&job, share_target(), 0)).await, 0);
}

#[tokio::test]
async fn a_mask_with_too_few_bits_is_not_granted() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let configured = miner
        .ask(r#"{"id":3,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"00006000","version-rolling.min-bit-count":16}]}"#)
        .await;
    assert_eq!(configured["result"], serde_json::json!({"version-rolling": false}));
}

#[tokio::test]
async fn nicehash_gets_the_difficulty_it_needs_up_to_the_share_target() {
    let server = serve().await;
    for (share_difficulty, expected) in [(1e6, 524_288), (4_096.0, 4_096)] {
        server.pool.set(|parts| parts.share_target = Difficulty::floor(share_difficulty).target());
        let mut miner = Raw::connect(&server).await;
        let hello = r#"{"id":"a","method":"mining.subscribe","params":["NiceHash/1.0.0","1700000000","00ff"]}"#;
        let subscribed = miner.ask(hello).await;
        assert_eq!(miner.ask(&login(2)).await["result"], true);
        let job = miner.job(extranonce1(&subscribed)).await;
        assert_eq!(job.difficulty.to_string(), expected.to_string());
    }
}

#[tokio::test]
async fn a_password_sets_a_floor_below_the_cap() {
    let server = serve().await;
    server.pool.set(|parts| parts.share_target = Difficulty::floor(100_000.0).target());
    let mut miner = Raw::connect(&server).await;
    let subscribed = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":[]}"#).await;
    let login = format!(r#"{{"id":null,"method":"mining.authorize","params":["{USER}","x,d=50000"]}}"#);
    assert_eq!(miner.ask(&login).await["result"], true);
    assert_eq!(miner.job(extranonce1(&subscribed)).await.difficulty.to_string(), "50000");
}

#[tokio::test]
async fn authorize_before_subscribe_works() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    assert_eq!(miner.ask(&login(1)).await["result"], true);
    assert!(miner.is_silent().await, "no job before subscribe");
    let subscribed = miner.ask(r#"{"id":2,"method":"mining.subscribe","params":[]}"#).await;
    miner.job(extranonce1(&subscribed)).await;
}

#[tokio::test]
async fn a_rejected_user_gets_the_reason() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let response = miner.ask(r#"{"id":1,"method":"mining.authorize","params":["mallory.x","x"]}"#).await;
    assert_eq!(response["error"][0], 24);
    assert_eq!(response["error"][1], "mallory is an address of another network");
}

/// The bound is in bytes, as memory and the messages of Stratum v2 are.
#[tokio::test]
async fn a_user_name_has_room_for_a_split_and_an_end() {
    let server = serve().await;
    for letter in ["w", "é"] {
        let room = (stratum::limits::USER_BYTES_MAX - "alice.".len()) / letter.len();
        let mut miner = Raw::connect(&server).await;
        for (letters, fits) in [(room, true), (room + 1, false)] {
            let user = format!("alice.{}", letter.repeat(letters));
            let login = json!({"id": 1, "method": "mining.authorize", "params": [user, "x"]});
            let answer = miner.ask(&login.to_string()).await;
            assert_eq!(answer["result"] == true, fits, "{answer}");
            if !fits {
                assert_eq!(answer["error"][0], 24);
                assert!(answer["error"][1].as_str().unwrap().contains("512 bytes"), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn a_connection_has_one_account_but_many_workers() {
    let server = serve().await;
    let (mut miner, _) = Raw::start(&server).await;
    let second = miner.ask(r#"{"id":5,"method":"mining.authorize","params":["alice.rig2","x"]}"#).await;
    assert_eq!(second["result"], true);
    let other = miner.ask(r#"{"id":6,"method":"mining.authorize","params":["bob.rig1","x"]}"#).await;
    assert_eq!(other["error"][0], 24);
    assert_eq!(server.stats.snapshot().connections[0].workers, ["alice.rig1", "alice.rig2"]);
}

/// The account names the payee of a connection, so readers of the snapshot need not parse user names.
#[tokio::test]
async fn the_snapshot_has_the_account_from_the_pool() {
    let server = serve().await;
    let address = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";
    let users = [
        address.to_owned(),
        format!("{address}.w"),
        format!(" {address}.w"),
        format!("{address} .w"),
        format!("\t{address}\t . w "),
    ];
    for user in users {
        let mut miner = Raw::connect(&server).await;
        let account = || server.stats.snapshot().connections.last().unwrap().account.clone();
        miner.ask(r#"{"id":1,"method":"mining.subscribe","params":[]}"#).await;
        assert_eq!(account(), None, "no login yet");
        let rejected = json!({"id": 2, "method": "mining.authorize", "params": [" mallory .w", "x"]});
        assert_eq!(miner.ask(&rejected.to_string()).await["error"][0], 24);
        assert_eq!(account(), None, "a rejected login has no account");
        let login = json!({"id": 3, "method": "mining.authorize", "params": [user, "x"]});
        assert_eq!(miner.ask(&login.to_string()).await["result"], true);
        assert_eq!(account(), Some(server.pool.authorize(&user).unwrap()), "{user:?}");
        assert_eq!(account().as_deref(), Some(address.as_bytes()), "{user:?}");
        let snapshot = server.stats.snapshot().connections.pop().unwrap();
        let name: String = user.split_whitespace().collect();
        assert_eq!(snapshot.workers, [name], "blanks make no other worker");
        assert_eq!(serde_json::to_value(&snapshot).unwrap().get("account"), None, "the account is not serialized");
    }
}

#[tokio::test]
async fn another_account_leaves_the_snapshot_as_it_is() {
    let server = serve().await;
    let (mut miner, _) = Raw::start(&server).await;
    for (user, code) in [("bob.rig1", Some(24)), (" alice .rig2", None)] {
        let login = json!({"id": 5, "method": "mining.authorize", "params": [user, "x"]});
        assert_eq!(miner.ask(&login.to_string()).await["error"][0].as_i64(), code);
        let account = server.stats.snapshot().connections[0].account.clone();
        assert_eq!(account.as_deref(), Some(b"alice".as_slice()));
    }
}

#[tokio::test]
async fn a_reconnecting_device_gets_new_extranonces_and_job_ids() {
    let server = serve().await;
    let (first, first_job) = Raw::start(&server).await;
    drop(first);
    let (_second, second_job) = Raw::start(&server).await;
    assert_ne!(first_job.id, second_job.id);
    assert_ne!(first_job.header([0; 8], 0, 0, 0), second_job.header([0; 8], 0, 0, 0));
}

#[tokio::test]
async fn a_miner_waits_until_there_is_work() {
    let server = serve().await;
    server.pool.withdraw();
    let mut miner = Raw::connect(&server).await;
    let subscribed = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":[]}"#).await;
    assert_eq!(miner.ask(&login(2)).await["result"], true);
    assert!(miner.is_silent().await);
    server.pool.set(|_| {});
    miner.job(extranonce1(&subscribed)).await;
}

#[tokio::test]
async fn clean_jobs_if_and_only_if_bitcoins_tip_changed() {
    let server = serve().await;
    let (mut miner, first) = Raw::start(&server).await;
    server.pool.set(|_| {});
    let same_tip = miner.notify(Vec::new(), first.difficulty).await;
    assert!(!same_tip.clean);
    server.pool.set(|parts| parts.prev_block = "00".repeat(32).parse().unwrap());
    let new_tip = miner.notify(Vec::new(), first.difficulty).await;
    assert!(new_tip.clean);
    assert_eq!(new_tip.prev_block, "00".repeat(32).parse().unwrap());
}

#[tokio::test]
async fn miners_change_at_once_between_solo_work_and_pool_work() {
    let server = serve().await;
    let (mut miner, first) = Raw::start(&server).await;
    for (solo, clean) in [(false, false), (true, true), (true, false), (false, true), (false, false)] {
        server.pool.set(|parts| parts.solo = solo);
        assert_eq!(miner.notify(Vec::new(), first.difficulty).await.clean, clean, "solo {solo}");
    }
}

#[tokio::test]
async fn a_new_difficulty_comes_once_and_right_before_its_job() {
    let server = serve().await;
    let (mut miner, first) = Raw::start(&server).await;
    let half = SHARE_DIFFICULTY / 2.0;
    server.pool.set(|parts| parts.share_target = Difficulty::floor(half).target());
    let job = miner.job(Vec::new()).await;
    assert_eq!(job.difficulty, Difficulty::floor(half));
    server.pool.set(|parts| parts.share_target = Difficulty::floor(half).target());
    let same = miner.notify(Vec::new(), job.difficulty).await;
    assert_ne!(same.id, first.id);
}

#[tokio::test]
async fn unusual_but_valid_messages_are_accepted() {
    let server = serve().await;
    let (mut miner, _) = Raw::start(&server).await;
    miner.send("").await;
    miner.send(r#"{"id":1,"method":"pong","params":[]}"#).await;
    miner.send(r#"{"id":7,"result":"bitaxe","error":null}"#).await;
    assert_eq!(miner.ask(r#"{"id":"x","method":"mining.ping"}"#).await["result"], true);
    let unknown = miner.ask(r#"{"id":8,"method":"mining.multi_version","params":[1]}"#).await;
    assert_eq!(unknown["error"][0], 20);
    let wrong = miner.ask(r#"{"id":9,"method":"mining.submit","params":["a","zz"]}"#).await;
    assert_eq!(wrong["error"][0], 20);
    assert!(wrong["error"][1].as_str().unwrap().contains("extranonce2"), "{wrong}");
}

/// Accepted work is counted for whom its job pays, and the device's owner reads what the pool has to say: once, between the
/// response to the login and the first job.
#[tokio::test]
async fn work_is_counted_for_its_payee_and_a_notice_is_shown_to_programs_that_show_it() {
    let server = serve().await;
    *server.pool.notice.lock().unwrap() = Some("1% of the work pays the owner".to_owned());
    let tally = Arc::new(Tally::default());
    server.pool.set(|parts| parts.tally = Some(Arc::clone(&tally)));
    for (agent, is_shown) in [("cgminer/4.11.1", true), ("bitaxe/BM1370/v2.x", false)] {
        let mut miner = Raw::connect(&server).await;
        let subscribe = format!(r#"{{"id":1,"method":"mining.subscribe","params":["{agent}"]}}"#);
        let subscribed = miner.ask(&subscribe).await;
        assert_eq!(miner.ask(&login(2)).await["result"], true);
        if is_shown {
            let shown = miner.next().await;
            assert_eq!(
                (method(&shown), &shown["params"][0]),
                ("client.show_message", &json!("1% of the work pays the owner"))
            );
        }
        let job = miner.job(extranonce1(&subscribed)).await;
        assert_eq!(miner.ask(&login(3)).await["result"], true);
        assert!(miner.is_silent().await, "nothing is shown twice");
        assert_eq!(tally.take(), 0);
        let proof = mine(&job, share_target(), 0);
        assert_eq!(miner.submit(&job, &proof).await, 0);
        assert_ne!(miner.submit(&job, &proof).await, 0, "a duplicate");
        let expected = Tally::default();
        expected.add(job.difficulty);
        assert_eq!(tally.take(), expected.take());
    }
}

/// The choices behind a proof, as programs write them: extranonce2, time and nonce.
fn choices(proof: &common::Proof) -> [String; 3] {
    let extranonce2 = proof.extranonce2.iter().map(|byte| format!("{byte:02x}")).collect();
    [extranonce2, format!("{:08x}", proof.header.time), format!("{:08x}", proof.header.nonce)]
}

/// pooler's cpuminer 2.5.1, as its source has it: the first line after `subscribe` is the answer, and of those after
/// `authorize`, the first without a method. It comes back with its session id.
#[tokio::test]
async fn cpuminer_mines_and_comes_back() {
    let server = serve().await;
    let mut session = String::new();
    for resumes in [false, true] {
        let mut miner = Raw::connect(&server).await;
        let id = if resumes { format!(r#", "{session}""#) } else { String::new() };
        miner.send(&format!(r#"{{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"{id}]}}"#)).await;
        let subscribed = miner.next().await;
        let topics = subscribed["result"][0].as_array().unwrap();
        let notify = topics.iter().find(|topic| topic[0] == "mining.notify").unwrap();
        assert!(!resumes || notify[1] == session.as_str(), "{subscribed}");
        notify[1].as_str().unwrap().clone_into(&mut session);
        miner.send(&format!(r#"{{"id": 2, "method": "mining.authorize", "params": ["{USER}", "x"]}}"#)).await;
        let mut answer = miner.next().await;
        while answer.get("method").is_some() {
            answer = miner.next().await;
        }
        assert_eq!((&answer["result"], &answer["error"]), (&Value::Bool(true), &Value::Null));
        let job = miner.job(extranonce1(&subscribed)).await;
        let [extranonce2, time, nonce] = choices(&mine(&job, share_target(), 0));
        let params = format!(r#"["{USER}", "{}", "{extranonce2}", "{time}", "{nonce}"]"#, job.id);
        let answer = miner.ask(&format!(r#"{{"method": "mining.submit", "params": {params}, "id":4}}"#)).await;
        assert_eq!(answer["result"], true, "{answer}");
        drop(miner);
        while !server.stats.snapshot().connections.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    assert_eq!(server.pool.found().len(), 2);
}

/// bfgminer 5.5.0, as its source has it: it suggests a target and tells what it can under no id, takes the first line for the
/// answer to `subscribe`, and asks for the transactions of each job that has some.
#[tokio::test]
async fn bfgminer_mines_and_asks_for_transactions() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let target = "00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    miner.send(&format!(r#"{{"id": null, "method": "mining.suggest_target", "params": ["{target}"]}}"#)).await;
    let goals = r#"{"notify":[],"set_difficulty":{},"set_goal":[],"malgo":{"SHA256d":{}},"suggested_target":"x"}"#;
    miner.send(&format!(r#"{{"id":null,"method":"mining.capabilities","params":[{goals}]}}"#)).await;
    miner.send(r#"{"id": 0, "method": "mining.subscribe", "params": ["bfgminer/5.5.0"]}"#).await;
    let subscribed = miner.next().await;
    assert_eq!(subscribed["id"], 0, "{subscribed}");
    let extranonce1 = extranonce1(&subscribed);
    assert_eq!(
        miner.ask(r#"{"id": "xnsub", "method": "mining.extranonce.subscribe", "params": []}"#).await["result"],
        true
    );
    let login = format!(r#"{{"id": "auth", "method": "mining.authorize", "params": ["{USER}", "x"]}}"#);
    assert_eq!(miner.ask(&login).await["result"], true);
    miner.send(r#"{"id": null, "method": "mining.suggest_difficulty", "params": [1]}"#).await;
    let mut job = miner.job(extranonce1.clone()).await;
    for number in 1..=100 {
        let ask =
            r#"{"params": ["JOB"], "id": "txlistJOB", "method": "mining.get_transactions"}"#.replace("JOB", &job.id);
        assert_eq!(miner.ask(&ask).await["error"][0], 20, "job {number}");
        let [extranonce2, time, nonce] = choices(&mine(&job, share_target(), 0));
        let params = format!(r#"["{USER}", "{}", "{extranonce2}", "{time}", "{nonce}"]"#, job.id);
        let answer = miner.ask(&format!(r#"{{"params": {params}, "id": {number}, "method": "mining.submit"}}"#)).await;
        assert_eq!(answer["result"], true, "{answer}");
        server.pool.set(|_| {});
        job = miner.notify(extranonce1.clone(), job.difficulty).await;
    }
    assert_eq!(server.pool.found().len(), 100);
}
