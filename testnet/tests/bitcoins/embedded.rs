//! The embedded Bitcoin as a node sees it: over RPC, with real work.

use std::time::{Duration, Instant};

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, Block, CompactTarget};
use serde_json::{Value, json};
use testnet::premine;
use testnet::rpc::RpcError;
use testnet::signet;

use crate::support::{self, embedded, propose, solve, submit, template, unsolved, with_coinbase};

const FAST: Option<Duration> = Some(Duration::from_millis(10));

async fn template_with_transactions(rpc: &testnet::rpc::Rpc, count: usize) -> Value {
    loop {
        let template = template(rpc).await;
        if template["transactions"].as_array().unwrap().len() >= count {
            return template;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_mined_block_with_transactions_is_accepted_once() {
    let server = embedded(FAST).await;
    let template = template_with_transactions(&server.rpc, 6).await;
    let depends =
        template["transactions"].as_array().unwrap().iter().filter(|tx| !tx["depends"].as_array().unwrap().is_empty());
    assert!(depends.count() > 0, "some transactions depend on others");
    assert!(template["coinbasevalue"].as_u64().unwrap() > 5_000_000_000, "fees are in it");

    let block = solve(unsolved(&template));
    assert_eq!(propose(&server.rpc, &unsolved(&template)).await, Value::Null);
    assert_eq!(submit(&server.rpc, &block).await, Value::Null);
    assert_eq!(submit(&server.rpc, &block).await, json!("duplicate"));

    let info = server.rpc.call("getblockchaininfo", json!([])).await.unwrap();
    assert_eq!(info["blocks"], json!(premine::BLOCKS + 1));
    assert_eq!(info["bestblockhash"], json!(block.block_hash().to_string()));
    let stored = server.rpc.call("getblock", json!([info["bestblockhash"], 0])).await.unwrap();
    assert_eq!(stored, json!(serialize_hex(&block)));
    let next = support::template(&server.rpc).await;
    let mined: Vec<String> = block.txdata.iter().map(|tx| tx.compute_txid().to_string()).collect();
    for waiting in next["transactions"].as_array().unwrap() {
        assert!(!mined.contains(&waiting["txid"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn the_reserved_value_is_added_when_a_miner_leaves_it_out() {
    let server = embedded(None).await;
    let mut block = solve(unsolved(&template(&server.rpc).await));
    block.txdata[0].input[0].witness.clear();
    assert_eq!(submit(&server.rpc, &block).await, Value::Null);
}

/// Blocks that are wrong in one respect, with the engine's reason. Only the last one has no work.
fn hostile(good: &Block) -> Vec<(&'static str, Block)> {
    let coinbase = |change: fn(&mut bitcoin::Transaction)| with_coinbase(good.clone(), change);
    let mut wrong_bits = good.clone();
    wrong_bits.header.bits = CompactTarget::from_consensus(0x1e03_77ad);
    let mut old = good.clone();
    old.header.time = 1_598_918_400;
    let mut future = good.clone();
    future.header.time += 3 * 60 * 60;
    let mut wrong_root = good.clone();
    wrong_root.txdata[0].output[0].value -= Amount::from_sat(1);
    let mut without_parent = good.clone();
    without_parent.txdata.remove(1);
    without_parent.header.merkle_root = without_parent.compute_merkle_root().unwrap();
    vec![
        ("bad-cb-amount", coinbase(|tx| tx.output[0].value += Amount::from_sat(1))),
        ("bad-cb-height", coinbase(|tx| tx.input[0].script_sig = vec![2, 5, 5, 5].into())),
        (
            "bad-witness-merkle-match",
            coinbase(|tx| {
                let mut script = tx.output[1].script_pubkey.to_bytes();
                script[10] ^= 1;
                tx.output[1].script_pubkey = script.into();
            }),
        ),
        ("bad-diffbits", wrong_bits),
        ("time-too-old", old),
        ("time-too-new", future),
        ("bad-txnmrklroot", wrong_root),
        ("bad-witness-merkle-match", without_parent),
    ]
}

#[tokio::test]
async fn hostile_blocks_are_refused_with_the_reason_and_change_nothing() {
    let server = embedded(FAST).await;
    let template = template_with_transactions(&server.rpc, 3).await;
    let good = unsolved(&template);
    for (reason, block) in hostile(&good) {
        assert_eq!(propose(&server.rpc, &block).await, json!(reason), "as a proposal");
        let block = solve(block);
        assert_eq!(submit(&server.rpc, &block).await, json!(reason));
    }
    let mut no_work = solve(good.clone());
    no_work.header.nonce ^= 1;
    assert_eq!(submit(&server.rpc, &no_work).await, json!("high-hash"));

    let height = server.rpc.call("getblockcount", json!([])).await.unwrap();
    assert_eq!(height, json!(premine::BLOCKS));
    assert_eq!(submit(&server.rpc, &solve(good)).await, Value::Null, "the honest one still counts");
}

#[tokio::test]
async fn a_block_on_an_unknown_parent_and_bytes_that_are_no_block_are_refused() {
    let server = embedded(None).await;
    let mut orphan = unsolved(&template(&server.rpc).await);
    orphan.header.prev_blockhash = "00000000000000000000000000000000000000000000000000000000000000ff".parse().unwrap();
    assert_eq!(submit(&server.rpc, &solve(orphan)).await, json!("prev-blk-not-found"));
    for bytes in ["", "00", "zz", "00".repeat(200).as_str()] {
        let refused = server.rpc.call("submitblock", json!([bytes])).await;
        assert!(matches!(refused, Err(RpcError::Failed { code: -22, .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn competing_tips_end_in_the_one_with_more_work() {
    let server = embedded(FAST).await;
    let first = template_with_transactions(&server.rpc, 3).await;
    let ours = solve(unsolved(&first));
    let theirs = solve(with_coinbase(unsolved(&first), |tx| {
        tx.output[0].script_pubkey = testnet::wallet::Wallet::new().script(4);
    }));
    assert_eq!(submit(&server.rpc, &ours).await, Value::Null);
    assert_eq!(submit(&server.rpc, &theirs).await, json!("inconclusive"));
    let tips = server.rpc.call("getchaintips", json!([])).await.unwrap();
    assert_eq!(tips.as_array().unwrap().len(), 2, "{tips}");

    // A child of their block, without transactions, so that it is valid whatever the pool holds.
    let mut next = unsolved(&template(&server.rpc).await);
    next.header.prev_blockhash = theirs.block_hash();
    next.txdata.truncate(1);
    let subsidy = Amount::from_sat(5_000_000_000);
    let next = solve(with_coinbase(next, |tx| {
        tx.output[0].value = subsidy;
        tx.output[1].script_pubkey = signet::witness_commitment([], &signet::RESERVED_VALUE);
    }));
    assert_eq!(submit(&server.rpc, &next).await, Value::Null);
    let best = server.rpc.call("getbestblockhash", json!([])).await.unwrap();
    assert_eq!(best, json!(next.block_hash().to_string()));
    let lost = json!([ours.block_hash().to_string()]);
    let header = server.rpc.call("getblockheader", lost).await.unwrap();
    assert_eq!(header["confirmations"], json!(-1));

    // The wallet starts again on the new branch, and its transactions are valid there.
    let template = template_with_transactions(&server.rpc, 3).await;
    assert_eq!(submit(&server.rpc, &solve(unsolved(&template))).await, Value::Null);
}

#[tokio::test]
async fn a_long_poll_returns_at_once_with_the_new_tip() {
    let server = embedded(None).await;
    let first = template(&server.rpc).await;
    let block = solve(unsolved(&first));
    let rpc = server.rpc.clone();
    let request = json!([{ "rules": ["segwit", "signet"], "longpollid": first["longpollid"] }]);
    let poll = tokio::spawn(async move {
        let answer = rpc.call("getblocktemplate", request).await.unwrap();
        (answer, Instant::now())
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!poll.is_finished(), "it waits");
    assert_eq!(submit(&server.rpc, &block).await, Value::Null);
    let submitted = Instant::now();
    let (answer, returned) = poll.await.unwrap();
    assert_eq!(answer["previousblockhash"], json!(block.block_hash().to_string()));
    assert!(returned.saturating_duration_since(submitted) < Duration::from_millis(500));
}

#[tokio::test]
async fn a_long_poll_returns_for_new_transactions_after_some_seconds() {
    let server = embedded(Some(Duration::from_millis(500))).await;
    let first = template(&server.rpc).await;
    let request = json!([{ "rules": ["segwit", "signet"], "longpollid": first["longpollid"] }]);
    let started = Instant::now();
    let second = server.rpc.call("getblocktemplate", request).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_ne!(first["longpollid"], second["longpollid"]);
    assert_eq!(first["previousblockhash"], second["previousblockhash"]);
}

#[tokio::test]
async fn the_chain_is_kept_over_a_restart() {
    let server = embedded(None).await;
    let block = solve(unsolved(&template(&server.rpc).await));
    assert_eq!(submit(&server.rpc, &block).await, Value::Null);
    let support::Embedded { bitcoin, dir, .. } = server;
    drop(bitcoin);
    // Its tasks end at their next step. Only then is the folder free again.
    let dropped = Instant::now();
    let bitcoin = loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let config = testnet::embedded::Config {
            dir: dir.path().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            transaction_interval: None,
        };
        match testnet::embedded::Bitcoin::start(config).await {
            Ok(bitcoin) => break bitcoin,
            Err(error) => assert!(dropped.elapsed() < Duration::from_secs(30), "the folder is not free: {error}"),
        }
    };
    let rpc = testnet::rpc::Rpc::new(bitcoin.rpc_address(), bitcoin.cookie_path().to_owned());
    let best = rpc.call("getbestblockhash", json!([])).await.unwrap();
    assert_eq!(best, json!(block.block_hash().to_string()));
}

#[tokio::test]
async fn a_header_alone_is_taken_or_refused_with_the_reason() {
    let server = embedded(None).await;
    let block = solve(unsolved(&template(&server.rpc).await));
    let submit_header = |header: bitcoin::block::Header| {
        let rpc = server.rpc.clone();
        async move { rpc.call("submitheader", json!([serialize_hex(&header)])).await }
    };
    let mut no_work = block.header;
    no_work.nonce ^= 1;
    match submit_header(no_work).await {
        Err(RpcError::Failed { code: -25, message, .. }) => assert_eq!(message, "high-hash"),
        other => panic!("{other:?}"),
    }
    assert_eq!(submit_header(block.header).await.unwrap(), Value::Null);
    let info = server.rpc.call("getblockchaininfo", json!([])).await.unwrap();
    assert_eq!(info["headers"].as_u64(), info["blocks"].as_u64().map(|blocks| blocks + 1));
    assert_eq!(submit(&server.rpc, &block).await, Value::Null, "the block may still come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_nodes_share_one_and_all_learn_of_a_block() {
    const NODES: usize = 16;
    let server = embedded(FAST).await;
    let block = solve(unsolved(&template(&server.rpc).await));
    let mut polls = tokio::task::JoinSet::new();
    for _ in 0..NODES {
        let rpc = server.rpc.clone();
        polls.spawn(async move {
            let mut request = support::template_request();
            let first = rpc.call("getblocktemplate", request.clone()).await.unwrap();
            request[0]["longpollid"] = first["longpollid"].clone();
            rpc.call("getblocktemplate", request).await.unwrap()["previousblockhash"].clone()
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut submissions = tokio::task::JoinSet::new();
    for _ in 0..NODES {
        let (rpc, block) = (server.rpc.clone(), block.clone());
        submissions.spawn(async move { submit(&rpc, &block).await });
    }
    let verdicts = submissions.join_all().await;
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_null()).count(), 1, "{verdicts:?}");
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == "duplicate").count(), NODES - 1);
    for tip in polls.join_all().await {
        assert_eq!(tip, json!(block.block_hash().to_string()));
    }
}

#[tokio::test]
async fn a_block_found_invalid_is_remembered_and_a_corrupted_body_is_not_held_against_it() {
    let server = embedded(None).await;
    let good = solve(unsolved(&template(&server.rpc).await));
    let greedy = solve(with_coinbase(good.clone(), |tx| tx.output[0].value += Amount::from_sat(1)));
    assert_eq!(submit(&server.rpc, &greedy).await, json!("bad-cb-amount"));
    assert_eq!(submit(&server.rpc, &greedy).await, json!("duplicate-invalid"));
    let tips = server.rpc.call("getchaintips", json!([])).await.unwrap();
    assert_eq!(tips[0]["status"], json!("invalid"), "{tips}");

    let mut corrupted = good.clone();
    corrupted.txdata[0].output[0].value -= Amount::from_sat(1);
    assert_eq!(submit(&server.rpc, &corrupted).await, json!("bad-txnmrklroot"));
    assert_eq!(submit(&server.rpc, &good).await, Value::Null);
}

#[tokio::test]
async fn strangers_are_kept_out() {
    let server = embedded(None).await;
    let url = format!("http://{}/", server.bitcoin.rpc_address());
    let call = json!({ "id": 1, "method": "getblockcount" });
    let http = reqwest::Client::new();
    let without = http.post(&url).json(&call).send().await.unwrap();
    assert_eq!(without.status(), 401);
    let wrong = http.post(&url).basic_auth("__cookie__", Some("00")).json(&call).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let get = http.get(&url).send().await.unwrap();
    assert_eq!(get.status(), 405);
}
