//! A hostile bitcoind on a real socket: what the node must do with every bad answer. `testnet` tests good answers, with
//! Bitcoin Core's own engine and with a real bitcoind.

mod early;
mod feed;
mod server;
mod template;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Work, block::Header, consensus::encode::serialize_hex};
use serde_json::{Value, json};

use self::server::{Reply, Server};
use super::*;
use crate::config::{BitcoindAuth, Network, Secret};
use node_core::sentence;

fn block_hash(number: u8) -> BlockHash {
    BlockHash::from_byte_array([number; 32])
}

fn genesis() -> Header {
    bitcoin::constants::genesis_block(bitcoin::Network::Signet).header
}

fn chain_info(chain: &str, blocks: u32, headers: u32, downloading: bool) -> Value {
    json!({
        "chain": chain, "blocks": blocks, "headers": headers, "bestblockhash": block_hash(1),
        "initialblockdownload": downloading, "signet_challenge": "51",
    })
}

async fn failure(reply: Reply) -> BitcoindError {
    let server = Server::start(move |_| reply.clone()).await;
    let error = server.client(Network::Local).best_block().await.unwrap_err();
    let words = sentence(&error);
    assert!(!words.contains('\n') && words.len() < 700, "{words}");
    error
}

#[tokio::test]
async fn answers_that_are_no_json_rpc_are_malformed() {
    for body in ["", "{", "hello", "[]", "{\"result\":5}", "\u{0}", "{\"result\":\"00\"}"] {
        let error = failure(Reply::body(200, body)).await;
        assert!(matches!(error, BitcoindError::Malformed { .. }), "{body}: {error:?}");
    }
    for body in ["{}", "{\"result\":null}", "{\"result\":null,\"error\":null,\"id\":0}"] {
        let error = failure(Reply::body(200, body)).await;
        assert!(matches!(error, BitcoindError::NoResult { .. }), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn oversized_answers_are_cut_off() {
    let error = failure(Reply::Endless).await;
    assert!(matches!(error, BitcoindError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn silence_and_half_answers_end() {
    let error = failure(Reply::Silence).await;
    assert!(matches!(error, BitcoindError::TimedOut { .. }), "{error:?}");
    let error = failure(Reply::Half).await;
    assert!(matches!(error, BitcoindError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn statuses_are_explained() {
    let status = |status| failure(Reply::body(status, ""));
    assert!(matches!(status(401).await, BitcoindError::WrongCredentials { .. }));
    assert!(matches!(status(403).await, BitcoindError::NotAdmitted { .. }));
    // Bitcoin Core's answer when its queue is full. While it stops, it answers without text.
    assert!(matches!(failure(Reply::body(503, "Work queue depth exceeded")).await, BitcoindError::Busy));
    assert!(matches!(status(503).await, BitcoindError::Stopping));
    assert!(matches!(status(502).await, BitcoindError::Gateway { status: 502, .. }));
    assert!(matches!(status(504).await, BitcoindError::Gateway { status: 504, .. }));
    assert!(matches!(status(302).await, BitcoindError::Status { status: 302, .. }));
    // Bitcoin Core's answer to a call while it starts, with an older version's status.
    let body = json!({ "result": null, "error": { "code": -28, "message": "Loading…" }, "id": 0 });
    let error = failure(Reply::body(500, &body.to_string())).await;
    assert!(matches!(error, BitcoindError::Starting { .. }), "{error:?}");
    // The end of a long poll when bitcoind stops.
    let body = json!({ "result": null, "error": { "code": -9, "message": "Shutting down" }, "id": 0 });
    assert!(matches!(failure(Reply::body(200, &body.to_string())).await, BitcoindError::Stopping));
}

/// A bitcoind that begins to stop has closed its queue, and says for a moment that it is full.
#[tokio::test]
async fn a_full_queue_is_tried_once_more() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 | 2 => Reply::body(503, "Work queue depth exceeded"),
        1 => Reply::result(json!(block_hash(3))),
        _ => Reply::body(503, ""),
    })
    .await;
    let client = server.client(Network::Local);
    assert_eq!(client.best_block().await.unwrap(), block_hash(3));
    assert!(matches!(client.best_block().await.unwrap_err(), BitcoindError::Stopping));
}

#[tokio::test]
async fn long_reasons_are_shortened() {
    let body = json!({ "error": { "code": -1, "message": "x".repeat(10_000) }, "id": 0 });
    let error = failure(Reply::body(200, &body.to_string())).await;
    assert!(matches!(error, BitcoindError::Refused { code: -1, .. }), "{error:?}");
}

#[tokio::test]
async fn nothing_there_is_unreachable() {
    let server = Server::start(|_| Reply::Silence).await;
    let client = server.client(Network::Local);
    server.stop().await;
    let error = client.best_block().await.unwrap_err();
    assert!(matches!(error, BitcoindError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_new_cookie_is_read_when_the_old_one_is_refused() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join(".cookie");
    let server = Server::start(|_| Reply::result(json!(block_hash(3)))).await;
    let client = server.client_with(Network::Local, BitcoindAuth::Cookie(path.clone()));
    let missing = client.best_block().await.unwrap_err();
    assert!(matches!(missing, BitcoindError::CookieUnreadable { .. }), "{missing:?}");
    assert!(missing.is_passing());
    for password in ["first", "second"] {
        server.expect_credentials("__cookie__", password);
        std::fs::write(&path, format!("__cookie__:{password}\n")).unwrap();
        assert_eq!(client.best_block().await.unwrap(), block_hash(3));
    }
    std::fs::write(&path, "no cookie").unwrap();
    server.expect_credentials("__cookie__", "third");
    let malformed = client.best_block().await.unwrap_err();
    assert!(matches!(malformed, BitcoindError::CookieMalformed { .. }), "{malformed:?}");
}

#[tokio::test]
async fn a_pipe_in_place_of_the_cookie_holds_no_thread() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join(".cookie");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let server = Server::start(|_| Reply::result(json!(block_hash(3)))).await;
    let client = server.client_with(Network::Local, BitcoindAuth::Cookie(path));
    let error = client.best_block().await.unwrap_err();
    assert!(matches!(error, BitcoindError::CookieMalformed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_wrong_password_is_not_shown() {
    let server = Server::start(|_| Reply::result(json!(block_hash(3)))).await;
    server.expect_credentials("me", "right");
    let password = Secret::new("wrong");
    let auth = BitcoindAuth::User { name: "me".to_owned(), password };
    let error = server.client_with(Network::Local, auth).best_block().await.unwrap_err();
    assert!(matches!(error, BitcoindError::WrongCredentials { .. }));
    assert!(!error.is_passing());
    assert!(!format!("{error:?} {error}").contains("wrong"));
}

#[tokio::test]
async fn another_network_and_a_sync_are_noticed() {
    let ready = async |network, info: Value| {
        let server = Server::start(move |_| Reply::result(info.clone())).await;
        server.client(network).ready().await
    };
    let local = ready(Network::Local, chain_info("signet", 7, 7, true)).await.unwrap();
    assert_eq!((local.blocks, local.best_block), (7, block_hash(1)));
    for (network, chain) in [
        (Network::Main, "test"),
        (Network::Signet, "signet"),
        (Network::Testnet4, "test"),
        (Network::Testnet4, "main"),
        (Network::Regtest, "signet"),
    ] {
        let error = ready(network, chain_info(chain, 7, 7, false)).await.unwrap_err();
        assert!(matches!(error, BitcoindError::WrongNetwork { .. }), "{error:?}");
    }
    for (blocks, headers, downloading) in [(7, 9, false), (7, 7, true)] {
        let error = ready(Network::Main, chain_info("main", blocks, headers, downloading)).await;
        assert!(matches!(error, Err(BitcoindError::Syncing { .. })), "{error:?}");
    }
}

/// Some versions count the headers of invalidated blocks. The node waits only for headers of blocks that may be valid.
#[tokio::test]
async fn headers_of_invalid_blocks_are_not_waited_for() {
    let ready = async |status: &'static str| {
        let server = Server::start(move |request| match request["method"].as_str() {
            Some("getchaintips") => Reply::result(json!([
                { "height": 7, "hash": block_hash(1), "branchlen": 0, "status": "active" },
                { "height": 9, "hash": block_hash(2), "branchlen": 3, "status": status },
            ])),
            _ => Reply::result(chain_info("main", 7, 9, false)),
        })
        .await;
        server.client(Network::Main).ready().await
    };
    assert_eq!(ready("invalid").await.unwrap().blocks, 7);
    for status in ["headers-only", "valid-headers", "valid-fork", "unknown"] {
        let error = ready(status).await.unwrap_err();
        assert!(matches!(error, BitcoindError::Syncing { .. }), "{status}: {error:?}");
    }
}

#[test]
fn only_private_networks_mine_on_an_old_tip() {
    let status: ChainStatus = serde_json::from_value(chain_info("signet", 7, 7, true)).unwrap();
    for network in [Network::Main, Network::Signet, Network::Testnet4] {
        let error = status.verify_synced(network).unwrap_err();
        assert!(matches!(error, BitcoindError::Syncing { blocks: 7, headers: 7 }), "{network}: {error:?}");
    }
    for network in [Network::Local, Network::Regtest] {
        assert!(status.verify_synced(network).is_ok());
    }
}

#[tokio::test]
async fn headers_of_another_block_are_refused() {
    let header = genesis();
    let answer = json!({
        "version": header.version.to_consensus(), "merkleroot": header.merkle_root,
        "time": header.time, "bits": "1e0377ae", "nonce": header.nonce, "height": 0,
        "confirmations": -1, "chainwork": format!("{:064x}", 5),
    });
    let server = Server::start(move |_| Reply::result(answer.clone())).await;
    let client = server.client(Network::Local);
    let info = client.header(header.block_hash()).await.unwrap().unwrap();
    let chain_work = Work::from_hex("0x5").unwrap();
    assert_eq!(info, HeaderInfo { header, height: 0, confirmations: None, chain_work, median_time: None });
    let error = client.header(block_hash(1)).await.unwrap_err();
    assert!(matches!(error, BitcoindError::NoResult { .. }), "{error:?}");
    let unknown = json!({ "error": { "code": -5, "message": "Block not found" }, "id": 0 });
    let server = Server::start(move |_| Reply::body(200, &unknown.to_string())).await;
    assert_eq!(server.client(Network::Local).header(block_hash(1)).await.unwrap(), None);
}

#[tokio::test]
async fn headers_that_do_not_follow_each_other_are_refused() {
    let header = genesis();
    let server = Server::start(move |request| {
        let result = |call: &Value| match call["method"].as_str() {
            Some("getblockhash") => json!(header.block_hash()),
            _ => json!(serialize_hex(&header)),
        };
        let calls = request.as_array().unwrap();
        let answers = calls.iter().rev().map(|c| json!({ "id": c["id"], "result": result(c) }));
        Reply::body(200, &answers.collect::<Value>().to_string())
    })
    .await;
    let client = server.client(Network::Local);
    assert_eq!(client.headers(0..1).await.unwrap(), [header]);
    let error = client.headers(0..2).await.unwrap_err();
    assert!(matches!(error, BitcoindError::Reorganised { .. }), "{error:?}");
}

#[tokio::test]
async fn batches_with_missing_or_foreign_answers_are_refused() {
    for answers in [
        json!([]),
        json!([{ "id": 0, "result": block_hash(1) }, { "id": 0, "result": block_hash(1) }]),
        json!([{ "id": 0, "result": block_hash(1) }, { "id": 5, "result": block_hash(1) }]),
        json!([{ "id": 0, "result": block_hash(1) }, { "id": 1, "result": null }]),
    ] {
        let server = Server::start(move |_| Reply::body(200, &answers.to_string())).await;
        let error = server.client(Network::Local).headers(0..2).await.unwrap_err();
        assert!(matches!(error, BitcoindError::NoResult { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn submissions_have_four_verdicts() {
    for (answer, verdict) in [
        (Value::Null, SubmitVerdict::Accepted),
        (json!("duplicate"), SubmitVerdict::Duplicate),
        (json!("inconclusive"), SubmitVerdict::Inconclusive),
        (json!("high-hash"), SubmitVerdict::Rejected { reason: "high-hash".to_owned() }),
    ] {
        let server = Server::start(move |_| Reply::result(answer.clone())).await;
        assert_eq!(server.client(Network::Local).submit_block(&[1]).await.unwrap(), verdict);
    }
}

#[tokio::test]
async fn a_call_may_take_no_longer_than_configured() {
    let server = Server::start(|_| Reply::Silence).await;
    let client = server.client(Network::Local);
    let waiting = tokio::time::timeout(Duration::from_secs(5), client.chain_status());
    assert!(matches!(waiting.await, Ok(Err(BitcoindError::TimedOut { .. }))));
}
