use bitcoin::consensus::encode::serialize_hex;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, CompactTarget, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn, TxOut, Witness, absolute,
};
use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{block_hash, sentence};
use crate::bitcoind::{BitcoindError, TemplateError};
use crate::config::Network;
use node_core::jobs::BlockTemplate;

const BITS: u32 = 0x1e03_77ae;

fn transaction(number: u32) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint { vout: number, ..OutPoint::default() },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[[1_u8; 64]]),
    };
    let output = TxOut { value: Amount::from_sat(1), script_pubkey: ScriptBuf::new() };
    Transaction { version: Version::TWO, lock_time: absolute::LockTime::ZERO, input: vec![input], output: vec![output] }
}

pub(super) fn entry(number: u32, depends: &[u32]) -> Value {
    let transaction = transaction(number);
    json!({
        "data": serialize_hex(&transaction), "txid": transaction.compute_txid(),
        "hash": transaction.compute_wtxid(), "fee": 1_000, "depends": depends,
        "weight": transaction.weight().to_wu(), "sigops": 4,
    })
}

pub(super) fn template(prev_block: u8, transactions: Vec<Value>) -> Value {
    let target = Target::from_compact(CompactTarget::from_consensus(BITS));
    json!({
        "version": 0x2000_0000, "rules": ["csv", "!segwit", "!signet", "taproot"],
        "previousblockhash": block_hash(prev_block), "height": 500, "bits": format!("{BITS:08x}"),
        "target": format!("{target:x}"), "curtime": 1_700_000_100, "mintime": 1_700_000_000,
        "coinbasevalue": 5_000_000_000_u64 + 1_000 * transactions.len() as u64,
        "transactions": transactions, "sigoplimit": 80_000, "weightlimit": 4_000_000,
        "default_witness_commitment": format!("6a24aa21a9ed{}", "00".repeat(32)),
        "longpollid": "abc1", "signet_challenge": "51",
    })
}

async fn fetch(template: Value) -> Result<BlockTemplate, BitcoindError> {
    let server = Server::start(move |_| Reply::result(template.clone())).await;
    server.client(Network::Local).template().await
}

#[tokio::test]
async fn a_right_template_is_understood() {
    let read = fetch(template(9, vec![entry(0, &[]), entry(1, &[1])])).await.unwrap();
    assert_eq!(read.prev_block, block_hash(9));
    assert_eq!(read.bits.to_consensus(), BITS);
    assert_eq!(read.transactions[1].decode(), transaction(1));
    assert_eq!(read.transactions.weight(), 2 * transaction(0).weight().to_wu());
    assert_eq!(read.long_poll_id.as_deref(), Some("abc1"));
}

#[tokio::test]
async fn soft_forks_that_this_program_does_not_know_change_nothing() {
    let mut told = template(9, vec![entry(0, &[])]);
    told["version"] = json!(0x3fff_ffff);
    told["rules"] = json!(["csv", "!segwit", "!signet", "taproot", "great_consensus_cleanup", "!covenants"]);
    told["vbavailable"] = json!({ "covenants": 28 });
    told["vbrequired"] = json!(1 << 28);
    told["default_covenant_commitment"] = json!("6a");
    told["transactions"][0]["covenants"] = json!([1]);
    let read = fetch(told).await.unwrap();
    assert_eq!(read.version, 0x3fff_ffff, "bitcoind decides what its blocks signal");
    assert_eq!(read.transactions.len(), 1);
}

#[tokio::test]
async fn every_contradiction_is_refused() {
    type Change = fn(&mut Value);
    type Expected = fn(&TemplateError) -> bool;
    let changes: [(Change, Expected); 13] = [
        (|t| t["target"] = json!("00".repeat(32)), |e| matches!(e, TemplateError::Target { .. })),
        (|t| t["height"] = json!(0), |e| matches!(e, TemplateError::Height { .. })),
        (|t| t["height"] = json!(u32::MAX), |e| matches!(e, TemplateError::Height { .. })),
        (|t| t["coinbasevalue"] = json!(1_999), |e| matches!(e, TemplateError::CoinbaseValue { .. })),
        (|t| t["coinbasevalue"] = json!(u64::MAX), |e| matches!(e, TemplateError::CoinbaseValue { .. })),
        (|t| t["default_witness_commitment"] = json!("6a"), |e| matches!(e, TemplateError::WitnessCommitment)),
        (|t| t["weightlimit"] = json!(500), |e| matches!(e, TemplateError::TooLarge { .. })),
        (|t| t["transactions"][0]["sigops"] = json!(u64::MAX), |e| matches!(e, TemplateError::TooLarge { .. })),
        (|t| t["transactions"][0]["depends"] = json!([1]), |e| matches!(e, TemplateError::Order { position: 0 })),
        (|t| t["transactions"][1]["depends"] = json!([0]), |e| matches!(e, TemplateError::Order { position: 1 })),
        (
            |t| t["transactions"][1]["data"] = json!("00"),
            |e| matches!(e, TemplateError::Undecodable { position: 1, .. }),
        ),
        (
            |t| t["transactions"][0]["txid"] = t["transactions"][1]["txid"].clone(),
            |e| matches!(e, TemplateError::Mismatch { position: 0, what: "txid" }),
        ),
        (
            |t| t["transactions"][0]["hash"] = t["transactions"][0]["txid"].clone(),
            |e| matches!(e, TemplateError::Mismatch { position: 0, what: "hash" }),
        ),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        let mut template = template(9, vec![entry(0, &[]), entry(1, &[1])]);
        change(&mut template);
        match fetch(template).await {
            Err(BitcoindError::Template(error)) => assert!(expected(&error), "{number}: {error}"),
            other => panic!("{number}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn fields_of_wrong_types_are_malformed() {
    for (field, value) in [
        ("bits", json!("1e0377")),
        ("target", json!("zz")),
        ("height", json!(-1)),
        ("height", json!(1_u64 << 40)),
        ("coinbasevalue", json!(-5)),
        ("transactions", json!({})),
        ("transactions", json!([{ "data": "0" }])),
        ("previousblockhash", json!("")),
        ("version", json!(1_u64 << 33)),
    ] {
        let mut template = template(9, vec![entry(0, &[])]);
        template[field] = value;
        let error = fetch(template).await.unwrap_err();
        assert!(matches!(error, BitcoindError::Malformed { .. }), "{field}: {}", sentence(&error));
    }
}

#[tokio::test]
async fn a_template_of_another_signet_is_refused() {
    let mut other = template(9, vec![]);
    other["signet_challenge"] = json!("52");
    assert!(matches!(fetch(other).await, Err(BitcoindError::WrongNetwork { .. })));
}
