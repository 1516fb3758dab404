//! What devices and servers do in the field, and the test of each kind. This file has those that no other one fits.
//!
//! | what happens | tests |
//! |---|---|
//! | devices hold 255 to 16,000 bytes of a coinbase | `coinbase.rs`, `agents/tests.rs`; v2: `v2.rs`, `coinbases_that_a_device_...`, `a_device_that_hashes_...` |
//! | ESP-Miner sends its whole handshake at once | `handshakes.rs`, `esp_miner_...`; v2: `v2_messages.rs`, `a_bitaxe_...` |
//! | cgminer reads one line after configure, and repeats subscribe | `handshakes.rs`, `cgminer_...` |
//! | S9j configures last, others authorize first | `handshakes.rs`, `s9j_...`, `authorize_before_...` |
//! | S21 leaves if a mask comes before its login | `nothing_comes_before_the_login_but_answers` |
//! | NiceHash needs difficulty 524,288, and sends a timestamp for a session id | `handshakes.rs`, `nicehash_...`; `field_notes.rs`, `nicehash_...`; `a_program_has_its_least_difficulty_in_stratum_v2_too` |
//! | programs roll version bits without having asked | `submits.rs`, `version_bits_...`; v2: `v2.rs`, `rolled_version_bits_...` |
//! | cgminer keeps one difficulty for each job | `handshakes.rs`, `a_new_difficulty_...`; `session/tests.rs`, `check_lines` |
//! | a share counts by its own job's difficulty | `submits.rs`, `a_share_must_meet_...` |
//! | firmware parses whole difficulties | `difficulties_from_1_on_are_whole_numbers` |
//! | ESP-Miner drops job ids that it saw | `handshakes.rs`, `a_reconnecting_device_...`; `session/tests.rs`, `check_lines` |
//! | cgminer leaves after 90 s without a job | `a_job_comes_at_least_every_minute`; `session/tests.rs`, `keepalives_...`; v2: `v2_messages.rs`, `deadlines_...` |
//! | extranonce2 of 4 to 8 bytes, extranonce1 of at most 16 | `field_notes.rs`, `extranonces_...` |
//! | a device reads lines of 16 KiB, frames of 8 KiB and 20 hashes | `a_job_of_48_outputs_fits_what_devices_read` |
//! | ids are texts, numbers or null; passwords are missing or no text | `message/tests.rs`, `ids_...`; `a_login_needs_a_user_name_alone` |
//! | duplicates in other letters | `a_duplicate_in_other_letters_is_one`; `submits.rs`, `the_same_header_...` |
//! | blocks that come late, and times out of range | `submits.rs`, `a_bitcoin_block_...`, `ntime_...`; `session/tests.rs`, `a_block_on_a_stale_job_...` |
//! | passwords with a difficulty, suggestions | `message/tests.rs`, `the_password_...`; `field_notes.rs`, `a_bare_suggestion_...` |
//! | bitcoind is gone; a silent pool; a probe for jobs | `field_notes.rs`, `miners_leave_...`, `a_pool_without_work_...`, `a_pause_...`; v2: `v2.rs`, `without_work_...` |
//! | a device begins its extranonce2 anew with each job | `field_notes.rs`, `a_repeated_job_...`; `an_extended_channel_repeats_no_job` |
//! | questions for transactions and unknown methods | `field_notes.rs`, `questions_...`; `handshakes.rs`, `bfgminer_...`; v2: `unknown_messages_and_other_pools_work_offend_nobody` |
//! | additional fields, numbers as texts, short hex | `field_notes.rs`, `additions_...`, `a_short_nonce_...` |
//! | separators and blanks in user names | `node/src/miners/payee/tests.rs`; `field_notes.rs`, `blanks_...` |
//! | work for another pool after a failover | `field_notes.rs`, `work_for_another_pool_...`; v2: `unknown_messages_and_other_pools_work_offend_nobody` |
//! | thousands of shares a second | `session/tests.rs`, `valid_shares_...`, `shares_of_an_old_...` |
//! | values of rejected shares | `field_notes.rs`, `a_rejected_value_...` |
//! | nodes that start together | `field_notes.rs`, `servers_started_together_...`; `channels_of_servers_started_together_have_no_common_extranonce` |
//! | devices that come back | `returning.rs`; `field_notes.rs`, `a_returning_miner_...` |

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stratum::{Authority, Difficulty, limits};

use crate::common::{Raw, Running, TIME, USER, extranonce1, mine, mine_until, serve, serve_with, share_target};
use crate::sv2::{self, Line, Miner, Wish, ask, set_up};

fn login() -> String {
    json!({"id": 3, "method": "mining.authorize", "params": [USER, "x"]}).to_string()
}

/// Firmware of the S21 ends a connection on which `mining.set_version_mask` comes before its login.
#[tokio::test]
async fn nothing_comes_before_the_login_but_answers() {
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    let configure =
        r#"{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"1fffe000"}]}"#;
    assert_eq!(miner.ask(configure).await["result"]["version-rolling"], true);
    let subscribed = miner.ask(r#"{"id":2,"method":"mining.subscribe","params":["Antminer S21/1"]}"#).await;
    server.pool.set(|_| {});
    assert!(miner.is_silent().await);
    assert_eq!(miner.ask(&login()).await["result"], true);
    assert_eq!(miner.next().await["method"], "mining.set_version_mask");
    miner.job(extranonce1(&subscribed)).await;
}

/// The same header is one share, however it is written.
#[tokio::test]
async fn a_duplicate_in_other_letters_is_one() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    let proof = mine_until(&job, TIME, None, |hash| share_target().is_met_by(hash));
    let extranonce2: String = proof.extranonce2.iter().map(|byte| format!("{byte:02x}")).collect();
    let (time, nonce) = (format!("{TIME:08x}"), format!("{:08x}", proof.header.nonce));
    let short = nonce.trim_start_matches('0').to_owned();
    let submit = |parts: [&str; 5], bits: Option<&str>| {
        let params: Vec<_> = parts.into_iter().chain(bits).collect();
        json!({"id": 9, "method": "mining.submit", "params": params}).to_string()
    };
    let plain = [USER, &job.id, &extranonce2, &time, &nonce];
    assert_eq!(miner.ask(&submit(plain, None)).await["result"], true);
    let (id, upper) = (job.id.to_uppercase(), time.to_uppercase());
    let longer = format!("0{}", job.id);
    let id_longer = if longer.len() > 8 { &job.id } else { &longer };
    for (parts, bits) in [
        (plain, Some("00000000")),
        (plain, Some("0")),
        ([USER, &id, &extranonce2.to_uppercase(), &upper, &nonce.to_uppercase()], None),
        ([" alice . rig1", &job.id, &extranonce2, &time, &nonce], None),
        ([USER, &job.id, &extranonce2, &time, if short.is_empty() { "0" } else { &short }], None),
        ([USER, id_longer, &extranonce2, &time, &nonce], None),
    ] {
        let answer = miner.ask(&submit(parts, bits)).await;
        assert_eq!(answer["error"][0], 22, "{parts:?} {bits:?}: {answer}");
    }
    assert_eq!(server.pool.found().len(), 1);
}

/// Programs leave the password out, or send something else.
#[tokio::test]
async fn a_login_needs_a_user_name_alone() {
    let server = serve().await;
    for more in [json!([]), json!([null]), json!([5]), json!([""]), json!([["d=5"]]), json!(["x", "y", {"z": 1}])] {
        let mut miner = Raw::connect(&server).await;
        let subscribed = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":["x",1700000000,null]}"#).await;
        let params: Vec<_> = [json!(USER)].into_iter().chain(more.as_array().unwrap().clone()).collect();
        let login = json!({"id": "a", "method": "mining.authorize", "params": params}).to_string();
        assert_eq!(miner.ask(&login).await["result"], true, "{login}");
        let job = miner.job(extranonce1(&subscribed)).await;
        assert_eq!(miner.submit(&job, &mine(&job, share_target(), 0)).await, 0);
    }
}

/// Some firmware reads a difficulty as a number of 32 bits.
#[tokio::test]
async fn difficulties_from_1_on_are_whole_numbers() {
    let server = serve().await;
    for (cap, asked) in [(1.7, "d=1.2"), (1_000.9, "d=999.5"), (1e9, "d=123456.789"), (3e9, "d=4e9")] {
        server.pool.set(|parts| parts.share_target = Difficulty::floor(cap).target());
        let mut miner = Raw::connect(&server).await;
        miner.ask(r#"{"id":1,"method":"mining.subscribe","params":["x"]}"#).await;
        let login = json!({"id": 2, "method": "mining.authorize", "params": [USER, asked]}).to_string();
        miner.ask(&login).await;
        let sent = miner.next().await["params"][0].clone();
        let number = sent.as_u64().unwrap_or_else(|| panic!("{sent} for {asked} below {cap}"));
        assert!(number >= 1 && number as f64 <= cap && number <= u32::MAX.into(), "{sent}");
    }
}

/// cgminer leaves after 90 s without a job, and a deadline is checked once a tick.
#[test]
fn a_job_comes_at_least_every_minute() {
    assert!(limits::KEEPALIVE + limits::TICK < Duration::from_secs(60));
}

/// A line of at most 16,383 characters, a frame of 8 KiB with at most 20 hashes: what `NerdQAxe` and Bitaxe read.
#[tokio::test]
async fn a_job_of_48_outputs_fits_what_devices_read() {
    let server = serve().await;
    let work = server.pool.set(|parts| {
        // 48 outputs, and a branch of 16,384 transactions.
        parts.outputs = Arc::from([2; 2_150]);
        parts.branch = Arc::from([[3; 32]; 14]);
    });
    assert!(work.coinbase_bytes() >= 2_250);
    let mut miner = Raw::connect(&server).await;
    miner.ask(r#"{"id":1,"method":"mining.subscribe","params":["NerdQAxe++/BM1370/v1"]}"#).await;
    miner.ask(&login()).await;
    miner.next().await;
    let job = miner.next().await;
    assert_eq!(job["method"], "mining.notify");
    assert!(job.to_string().len() < 16_000);
    let frame = work.coinbase_bytes() + 14 * 32 + 64;
    assert!(frame < 8_192 && work.branch.len() <= 20);
}

fn authority() -> Authority {
    Authority::from_secret([7; 32]).unwrap()
}

/// A server of Stratum v2 on a runtime of its own.
fn v2(edit: impl FnOnce(&mut stratum::Config)) -> (tokio::runtime::Runtime, Running) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(serve_with(|config| {
        config.listeners[0].v2 = Some(authority());
        edit(config);
    }));
    (runtime, server)
}

/// The mistake that cost an owner with three nodes 41% of the work, in channels.
#[test]
fn channels_of_servers_started_together_have_no_common_extranonce() {
    let servers: Vec<_> = (0..8).map(|_| v2(|_| {})).collect();
    let mut seen = HashSet::new();
    for (_, server) in &servers {
        let mut line = Line::connect(server.addr, Some(authority().public_key())).unwrap();
        set_up(&mut line, 0b100, "proxy").unwrap();
        for number in 0..8 {
            ask(&mut line, number, &Wish::extended(USER));
        }
        let mut opened = 0;
        while opened < 8 {
            let (kind, payload) = line.read().unwrap();
            if kind == 0x14 {
                // Request and channel, target, size, and the prefix with its length; the group ends it.
                let prefix = &payload[4 + 4 + 32 + 2..][..9];
                assert_eq!(prefix[0], 8);
                assert!(seen.insert(prefix.to_vec()), "two channels have one extranonce");
                opened += 1;
            }
        }
    }
}

/// A device that begins its extranonce anew with each job must not repeat headers.
#[test]
fn an_extended_channel_repeats_no_job() {
    let (_runtime, server) = v2(|config| config.timeouts.keepalive = Duration::from_millis(1_500));
    let mut miner = Miner::open(server.addr, None, &Wish::extended(USER)).unwrap();
    let mut times = Vec::new();
    for _ in 0..3 {
        let active = miner.active.unwrap();
        times.push(miner.jobs[&active].time.unwrap());
        while miner.active == Some(active) {
            miner.step(Duration::from_secs(10)).unwrap();
        }
        miner.mine(1).unwrap();
    }
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

/// Messages of extensions are passed over, and work for a pool that the device left is rejected, and no device is disconnected.
#[test]
fn unknown_messages_and_other_pools_work_offend_nobody() {
    let (_runtime, server) = v2(|_| {});
    let mut miner = Miner::open(server.addr, None, &Wish::extended(USER)).unwrap();
    let share = miner.mine(1).unwrap().remove(0);
    for number in 0..2 * limits::STRIKES_MAX {
        let foreign = sv2::Share { job_id: share.job_id ^ 0x5500 ^ number, ..share.clone() };
        assert_eq!(miner.submit(&foreign).unwrap(), Err("invalid-job-id".to_owned()));
        let longer = sv2::Share { extranonce: vec![1; 4], ..share.clone() };
        assert_eq!(miner.submit(&longer).unwrap(), Err("bad-extranonce-size".to_owned()));
        // A type that no version has, on the channel.
        miner.line.send(0xf7, true, miner.channel_id);
    }
    miner.mine(1).unwrap();
    assert_eq!(server.stats.snapshot().totals.accepted, 2);
}

#[test]
fn a_program_has_its_least_difficulty_in_stratum_v2_too() {
    let (_runtime, server) = v2(|_| {});
    server.pool.set(|parts| parts.share_target = Difficulty::floor(1e6).target());
    for (vendor, hashrate, least) in [("NiceHash/1.0.0", 1.0, 524_288.0), ("other", 1.0, 1.0)] {
        let wish = Wish { vendor: vendor.to_owned(), hashrate, ..Wish::standard(USER) };
        let miner = Miner::open(server.addr, None, &wish).unwrap();
        assert_eq!(miner.target, Difficulty::floor(least).target().to_le_bytes(), "{vendor}");
    }
}
