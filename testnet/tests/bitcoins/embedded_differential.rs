//! The embedded Bitcoin and a real bitcoind compared: the same calls, the same formats, the same verdicts. bitcoind
//! comes from `$BITCOIND`, `PATH` or `get-bitcoind.sh`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bitcoin::Amount;
use bitcoin::consensus::encode::serialize_hex;
use serde_json::{Value, json};
use testnet::bitcoind::RealBitcoin;
use testnet::network::Chain;
use testnet::premine;
use testnet::rpc::Rpc;

use crate::support::{self, embedded, propose, solve, submit, template, unsolved, with_coinbase};

/// Fields that only bitcoind or one of its builds has, and that no pool node needs.
const ONLY_IN_BITCOIND: &[&str] = &[
    // Knots only.
    "currentblocksize",
    "txcount",
    "header_version",
    "error_index",
    // About the last template that bitcoind built itself.
    "currentblockweight",
    "currentblocktx",
    // Newer builds describe the coinbase and the smallest fee.
    "coinbase_tx",
    "blockmintxfee",
];

async fn real() -> (RealBitcoin, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bitcoin = RealBitcoin::start(Chain::Local, dir.path(), free.port()).await.unwrap();
    (bitcoin, dir)
}

/// Returns the type of each value in an answer, by its path. Lists are described by their first element.
fn shape(value: &Value, path: &str, into: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    into.insert(path.to_owned(), kind);
    match value {
        Value::Array(elements) => {
            if let Some(first) = elements.first() {
                shape(first, &format!("{path}[]"), into);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                shape(field, &format!("{path}.{name}"), into);
            }
        }
        _ => {}
    }
}

fn shape_of(value: &Value) -> BTreeMap<String, &'static str> {
    let mut paths = BTreeMap::new();
    shape(value, "", &mut paths);
    paths.retain(|path, _| {
        let name = path.rsplit(['.', '[']).next().unwrap_or_default();
        // Without peers and transactions, these lists are empty on one side.
        !ONLY_IN_BITCOIND.contains(&name) && !path.contains("networks[]") && !path.contains("localservicesnames[]")
    });
    paths
}

fn calls(hash: &str) -> Vec<(&'static str, Value)> {
    let genesis = "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6";
    let nowhere = "00".repeat(32);
    vec![
        ("getblockchaininfo", json!([])),
        ("getblockcount", json!([])),
        ("getbestblockhash", json!([])),
        ("getblockhash", json!([0])),
        ("getblockhash", json!([premine::BLOCKS])),
        ("getblockhash", json!([1_000_000])),
        ("getblockhash", json!([-1])),
        ("getblockhash", json!(["x"])),
        ("getblockhash", json!([])),
        ("getblockheader", json!([hash])),
        ("getblockheader", json!([hash, false])),
        ("getblockheader", json!([genesis])),
        ("getblockheader", json!([nowhere])),
        ("getblockheader", json!(["00"])),
        ("getblockheader", json!([5])),
        ("getblock", json!([hash])),
        ("getblock", json!([hash, 0])),
        ("getblock", json!([genesis, 1])),
        ("getblock", json!([nowhere, 1])),
        ("getblocktemplate", support::template_request()),
        ("getblocktemplate", json!([])),
        ("getblocktemplate", json!([{ "rules": ["segwit"] }])),
        ("getblocktemplate", json!([{ "rules": ["signet"] }])),
        ("getblocktemplate", json!([{ "mode": "other" }])),
        ("getblocktemplate", json!([{ "mode": "proposal" }])),
        ("getblocktemplate", json!([{ "mode": "proposal", "data": "00" }])),
        ("getblocktemplate", json!([{ "rules": ["segwit", "signet"], "longpollid": "abc" }])),
        ("submitblock", json!(["00"])),
        ("submitblock", json!([])),
        ("submitheader", json!(["00"])),
        ("getnetworkinfo", json!([])),
        ("getmininginfo", json!([])),
        ("getchaintips", json!([])),
        ("uptime", json!([])),
        ("validateaddress", json!(["tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"])),
        ("validateaddress", json!(["tb1p6h5fuzmnvpdthf5shf0qqjzwy7wsqc5rhmgq2ks9xrak4ry6mtrscsqvzp"])),
        ("validateaddress", json!(["mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"])),
        ("validateaddress", json!(["2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc"])),
        ("validateaddress", json!(["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"])),
        ("nosuchmethod", json!([])),
    ]
}

async fn answer(rpc: &Rpc, method: &'static str, params: &Value) -> Value {
    rpc.send(method, &json!({ "id": 7, "method": method, "params": params })).await.unwrap()
}

#[tokio::test]
async fn the_same_calls_get_answers_of_the_same_shape() {
    let (real, _dir) = real().await;
    let embedded = embedded(None).await;
    let best = embedded.rpc.call_str("getbestblockhash", json!([])).await.unwrap();
    for (method, params) in calls(&best) {
        let theirs = answer(real.rpc(), method, &params).await;
        let ours = answer(&embedded.rpc, method, &params).await;
        assert_eq!(shape_of(&ours), shape_of(&theirs), "{method} {params}\n{ours}\n{theirs}");
        assert_eq!(ours["error"]["code"], theirs["error"]["code"], "{method} {params}");
        // bitcoind answers a missing argument with the method's long help text.
        if ours["error"]["code"] != json!(-1) {
            assert_eq!(ours["error"]["message"], theirs["error"]["message"], "{method} {params}");
        }
    }
    real.stop().await;
}

/// All data in these answers follow from the chain, so they must be equal.
#[tokio::test]
async fn both_tell_the_same_chain_and_template() {
    let (real, _dir) = real().await;
    let embedded = embedded(None).await;
    for (method, fields) in [
        (
            "getblockchaininfo",
            vec![
                "chain",
                "blocks",
                "headers",
                "bestblockhash",
                "bits",
                "target",
                "difficulty",
                "time",
                "mediantime",
                "initialblockdownload",
                "chainwork",
                "signet_challenge",
                "warnings",
            ],
        ),
        ("getmininginfo", vec!["blocks", "bits", "difficulty", "target", "next", "chain"]),
    ] {
        let theirs = real.rpc().call(method, json!([])).await.unwrap();
        let ours = embedded.rpc.call(method, json!([])).await.unwrap();
        for field in fields {
            assert_eq!(ours[field], theirs[field], "{method} {field}");
        }
    }
    let (ours, theirs) = (template(&embedded.rpc).await, template(real.rpc()).await);
    for (field, value) in ours.as_object().unwrap() {
        if !["curtime", "longpollid"].contains(&field.as_str()) {
            assert_eq!(value, &theirs[field], "{field}");
        }
    }
    real.stop().await;
}

#[tokio::test]
async fn both_give_the_same_verdicts_on_blocks() {
    let (real, _dir) = real().await;
    let embedded = embedded(None).await;
    let good = unsolved(&template(&embedded.rpc).await);
    let coinbase = |change: fn(&mut bitcoin::Transaction)| with_coinbase(good.clone(), change);
    let mut old = good.clone();
    old.header.time = 1_598_918_400;
    let mut wrong_root = good.clone();
    wrong_root.txdata[0].output[0].value -= Amount::from_sat(1);
    let mut elsewhere = good.clone();
    elsewhere.header.prev_blockhash = premine::blocks().unwrap()[50].block_hash();
    let blocks = [
        good.clone(),
        coinbase(|tx| tx.output[0].value += Amount::from_sat(1)),
        coinbase(|tx| tx.input[0].script_sig = vec![2, 5, 5, 5].into()),
        coinbase(|tx| tx.output.truncate(1)),
        coinbase(|tx| tx.input[0].witness.push([0; 32])),
        coinbase(|tx| tx.lock_time = bitcoin::absolute::LockTime::from_height(121).unwrap()),
        coinbase(|tx| tx.input[0].sequence = bitcoin::Sequence::ZERO),
        old,
        wrong_root,
        elsewhere,
    ];
    for block in blocks.iter() {
        let (ours, theirs) = (propose(&embedded.rpc, block).await, propose(real.rpc(), block).await);
        assert_eq!(ours, theirs, "as a proposal: {block:?}");
    }
    for block in blocks.into_iter().rev() {
        let block = solve(block);
        let (ours, theirs) = (submit(&embedded.rpc, &block).await, submit(real.rpc(), &block).await);
        assert_eq!(ours, theirs, "submitted: {block:?}");
        let (ours, theirs) = (submit(&embedded.rpc, &block).await, submit(real.rpc(), &block).await);
        assert_eq!(ours, theirs, "submitted again: {block:?}");
    }
    let (ours, theirs) = (template(&embedded.rpc).await, template(real.rpc()).await);
    assert_eq!(ours["previousblockhash"], theirs["previousblockhash"]);
    assert_eq!(ours["height"], json!(122));
    real.stop().await;
}

#[tokio::test]
async fn the_wallet_feeds_a_real_bitcoind() {
    let (real, _dir) = real().await;
    tokio::spawn(testnet::wallet::feed::run(real.rpc().clone(), Duration::from_millis(20)));
    for _ in 0..2 {
        let started = Instant::now();
        let block = loop {
            let template = template(real.rpc()).await;
            if template["transactions"].as_array().unwrap().len() >= 5 {
                break unsolved(&template);
            }
            assert!(started.elapsed() < Duration::from_secs(60), "no transactions");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        assert_eq!(submit(real.rpc(), &solve(block)).await, Value::Null);
    }
    real.stop().await;
}

#[tokio::test]
async fn batches_are_answered_alike() {
    let (real, _dir) = real().await;
    let embedded = embedded(None).await;
    let header = serialize_hex(&premine::blocks().unwrap()[4].header);
    for body in [
        json!([]),
        json!([{ "id": 1, "method": "getblockhash", "params": [5] }, { "id": 2, "method": "nosuchmethod" }]),
        json!([{ "jsonrpc": "2.0", "id": "a", "method": "getblockhash", "params": [5] },
               { "jsonrpc": "2.0", "id": "b", "method": "nosuchmethod" }]),
        json!({ "jsonrpc": "2.0", "id": 3, "method": "getblockhash", "params": [77] }),
        json!({ "jsonrpc": "2.0", "id": 3, "method": "getblockhash", "params": [1000] }),
        json!({ "id": 3 }),
        json!({ "id": 3, "method": 5 }),
        json!({ "id": 4, "method": "submitheader", "params": [header] }),
    ] {
        let theirs = real.rpc().send("batch", &body).await.unwrap();
        let ours = embedded.rpc.send("batch", &body).await.unwrap();
        assert_eq!(ours, theirs, "{body}");
    }
    real.stop().await;
}
