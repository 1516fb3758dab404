//! Payout proofs from the API, and from `shoal proof` as its own process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use bitcoin::hex::FromHex;
use bitcoin::{Address, ScriptBuf};
use node::payout_proof::json::ProofJson;
use serde_json::{Value, json};
use sharechain::ChainParams;
use sharechain::payout_proof::{Finding, PayoutProof};
use tokio::process::Command;

use crate::pool::{Pool, miner};
use crate::server::Api;

fn address(script: &ScriptBuf) -> String {
    Address::from_script(script, bitcoin::Network::Signet).unwrap().to_string()
}

fn proof_of(answer: &Value) -> PayoutProof {
    let json: ProofJson = serde_json::from_value(answer.clone()).unwrap();
    let proof = json.to_proof().unwrap();
    assert_eq!(ProofJson::from(&proof), json);
    proof
}

#[tokio::test]
async fn a_block_proves_what_it_pays_every_address() {
    let mut pool = Pool::new();
    let ids: Vec<_> = (0..20).map(|number| pool.link(&miner(number % 3))).collect();
    let params = pool.engine.chain().params().clone();
    let api = Api::of(pool).await;
    for (height, id) in [(1, ids[0]), (20, ids[19])] {
        let block = api.get(&format!("/blocks/{id}")).await;
        let mut paid_sat = 0;
        for number in 0..6 {
            let script = miner(number);
            let answer = api.get(&format!("/blocks/{id}/proof?address={}", address(&script))).await;
            assert_eq!(answer, api.get(&format!("/blocks/{height}/proof?address={}", address(&script))).await);
            let proof = proof_of(&answer);
            let verdict = proof.verify(&proof.header, &params).unwrap();
            assert_eq!((json!(verdict.block), json!(verdict.height)), (block["hash"].clone(), block["height"].clone()));
            paid_sat += match verdict.finding {
                Finding::Exact { output, .. } | Finding::Drawn { output, .. } | Finding::Finder { output } => {
                    assert_eq!(block["outputs"][output.index]["script"], json!(script.to_hex_string()));
                    output.value_sat
                }
                _ => 0,
            };
        }
        assert_eq!(json!(paid_sat), block["value_sat"], "together, the proofs show every satoshi");
    }
}

#[tokio::test]
async fn what_cannot_be_proven_is_said_in_a_sentence() {
    let mut pool = Pool::new();
    let share = pool.share(&miner(1));
    pool.link(&miner(1));
    let api = Api::of(pool).await;
    let ours = address(&miner(1));
    let theirs = Address::from_script(&miner(1), bitcoin::Network::Bitcoin).unwrap();
    for (path, status, words) in [
        (format!("/blocks/{}/proof?address={ours}", "00".repeat(32)), 404, "does not know the block of the pool 000"),
        (format!("/blocks/77/proof?address={ours}"), 404, "does not know the block of the pool at height 77"),
        (format!("/blocks/{share}/proof?address={ours}"), 404, "has no payout proofs of block"),
        (format!("/blocks/1/proof?address={theirs}"), 400, "is an address of another network"),
        ("/blocks/1/proof?address=nobody".to_owned(), 400, "not a valid Bitcoin address"),
        ("/blocks/1/proof".to_owned(), 400, "`address` in the query must be a payout address"),
        (format!("/blocks/x/proof?address={ours}"), 400, "64 hexadecimal digits, or its height"),
        (format!("/blocks/1/proof?to={ours}"), 400, "unknown parameter"),
    ] {
        let (found, text) = api.text(&path).await;
        let error: Value = serde_json::from_str(&text).unwrap();
        let error = error["error"].as_str().unwrap().to_owned();
        assert_eq!(found, status, "{path}: {text}");
        assert!(error.contains(words), "{path}: {error}");
    }
}

async fn shoal_proof(args: &[&str], api: Option<SocketAddr>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    command.env_clear().env("HOME", "/nonexistent").arg("proof").args(args);
    if let Some(api) = api {
        command.args(["--network=local", &format!("--api-listen={api}")]);
    }
    command.output().await.unwrap()
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn failed(output: &Output) -> String {
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The output of `specs/proof.py`, the script for wallets, for this file.
async fn script_says(file: &Path) -> String {
    let script = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../specs/proof.py");
    told(&Command::new("python3").arg("-I").arg(script).arg(file).output().await.unwrap())
}

#[tokio::test]
async fn the_command_asks_a_node_and_verifies_without_one() {
    let mut pool = Pool::with(ChainParams::local());
    let id = pool.block(&miner(1)).to_string();
    let api = Api::of(pool).await;
    let node = Some(api.address);
    let (ours, other) = (address(&miner(1)), address(&miner(2)));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();

    let words = told(&shoal_proof(&[&ours, &id], node).await);
    assert!(words.starts_with(&format!("{ours} found the block and is paid all of it, 50 BTC")), "{words}");
    let words = told(&shoal_proof(&[&ours, "1", "--out", &file("payout.proof")], node).await);
    assert!(words.contains("payout.proof: ") && words.contains(&id), "{words}");
    told(&shoal_proof(&[&other, &id, "--out", &file("other.json"), "--json"], node).await);
    let answer: Value = serde_json::from_str(&told(&shoal_proof(&[&ours, &id, "--json"], node).await)).unwrap();
    assert_eq!(answer, api.get(&format!("/blocks/{id}/proof?address={ours}")).await);

    let verified = told(&shoal_proof(&["verify", &file("payout.proof")], None).await);
    assert!(verified.contains("5000000000 sat") && verified.contains("compare its hash"), "{verified}");
    let verified = told(&shoal_proof(&["verify", &file("other.json"), "--json"], None).await);
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!((&verified["finding"], &verified["value_sat"]), (&json!("other_finder"), &json!(0)));
    assert_eq!((&verified["block"], &verified["network"]), (&json!(id), &json!("local")));
    let script = script_says(folder.path().join("payout.proof").as_path()).await;
    assert!(
        script.starts_with(&format!("finder: block {id} ")) && script.contains("5000000000 sat in output 0"),
        "{script}"
    );

    let theirs = Address::from_script(&miner(1), bitcoin::Network::Bitcoin).unwrap().to_string();
    assert!(failed(&shoal_proof(&[&theirs, &id], node).await).contains("is an address of another network"));
    assert!(
        failed(&shoal_proof(&[&ours, "7"], node).await).contains("does not know the block of the pool at height 7")
    );
    assert!(failed(&shoal_proof(&["verify", &file("nothing")], None).await).contains("cannot be read"));
    std::fs::write(file("photo"), b"memories").unwrap();
    assert!(failed(&shoal_proof(&["verify", &file("photo")], None).await).contains("neither a payout proof"));
    let mut altered = std::fs::read(file("payout.proof")).unwrap();
    *altered.last_mut().unwrap() ^= 1;
    std::fs::write(file("altered"), altered).unwrap();
    let words = failed(&shoal_proof(&["verify", &file("altered")], None).await);
    assert!(words.contains("the proof is not valid: ") && words.lines().count() == 1, "{words}");
}

#[tokio::test]
async fn the_command_agrees_with_the_vectors() {
    let path = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../specs/vectors/proof.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for case in file["cases"].as_array().unwrap() {
        let path = folder.path().join("case");
        std::fs::write(&path, Vec::from_hex(case["proof"].as_str().unwrap()).unwrap()).unwrap();
        let output = shoal_proof(&["verify", path.to_str().unwrap(), "--json"], None).await;
        if case["finding"].is_null() {
            assert!(failed(&output).lines().count() == 1, "{}", case["name"]);
            continue;
        }
        let found: Value = serde_json::from_str(&told(&output)).unwrap();
        for field in ["finding", "value_sat", "output"] {
            assert_eq!(found[field], case[field], "{}", case["name"]);
        }
    }
}
