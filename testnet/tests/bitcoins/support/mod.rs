//! Shared code of the tests on a Bitcoin: a server of each kind, and a block miner that shares no code with the node's
//! templates.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness, transaction,
};
use serde_json::{Value, json};
use sim::hash::HeaderHasher;
use tempfile::TempDir;
use testnet::bitcoind;
use testnet::embedded::{Bitcoin, Config};
use testnet::rpc::Rpc;
use tokio::process::{Child, Command};

/// An embedded Bitcoin in its own folder.
pub(crate) struct Embedded {
    pub(crate) rpc: Rpc,
    pub(crate) bitcoin: Bitcoin,
    pub(crate) dir: TempDir,
}

pub(crate) async fn embedded(transaction_interval: Option<Duration>) -> Embedded {
    let dir = tempfile::tempdir().unwrap();
    let config =
        Config { dir: dir.path().to_owned(), listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), transaction_interval };
    let bitcoin = Bitcoin::start(config).await.unwrap();
    let rpc = Rpc::new(bitcoin.rpc_address(), bitcoin.cookie_path().to_owned());
    Embedded { rpc, bitcoin, dir }
}

/// Returns a template of the server.
pub(crate) async fn template(rpc: &Rpc) -> Value {
    rpc.call("getblocktemplate", template_request()).await.unwrap()
}

pub(crate) fn template_request() -> Value {
    json!([{ "rules": ["segwit", "signet"] }])
}

/// Returns the template's block without work. Its coinbase pays one script.
pub(crate) fn unsolved(template: &Value) -> Block {
    let number = |name: &str| template[name].as_u64().unwrap();
    let text = |name: &str| template[name].as_str().unwrap();
    let commitment = ScriptBuf::from_hex(text("default_witness_commitment")).unwrap();
    let coinbase = Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: Builder::new().push_int(number("height") as i64).push_slice(b"test").into_script(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[0_u8; 32]]),
        }],
        output: vec![
            TxOut {
                value: Amount::from_sat(number("coinbasevalue")),
                script_pubkey: testnet::wallet::Wallet::new().script(3),
            },
            TxOut { value: Amount::ZERO, script_pubkey: commitment },
        ],
    };
    let transactions = template["transactions"].as_array().unwrap();
    let rest = transactions.iter().map(|tx| deserialize_hex(tx["data"].as_str().unwrap()).unwrap());
    let mut block = Block {
        header: Header {
            version: Version::from_consensus(number("version") as i32),
            prev_blockhash: text("previousblockhash").parse().unwrap(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: number("curtime") as u32,
            bits: CompactTarget::from_unprefixed_hex(text("bits")).unwrap(),
            nonce: 0,
        },
        txdata: std::iter::once(coinbase).chain(rest).collect(),
    };
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    block
}

/// Gives the block the required work.
pub(crate) fn solve(mut block: Block) -> Block {
    let target = Target::from_compact(block.header.bits);
    let nonce = HeaderHasher::new(&block.header).search(target, 0, u32::MAX);
    block.header.nonce = nonce.expect("some nonce solves it");
    block
}

/// Changes a block's coinbase, and its merkle root with it.
pub(crate) fn with_coinbase(mut block: Block, change: impl FnOnce(&mut Transaction)) -> Block {
    change(&mut block.txdata[0]);
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    block
}

pub(crate) async fn submit(rpc: &Rpc, block: &Block) -> Value {
    rpc.call("submitblock", json!([serialize_hex(block)])).await.unwrap()
}

pub(crate) async fn propose(rpc: &Rpc, block: &Block) -> Value {
    let request = json!([{
        "mode": "proposal", "rules": ["segwit", "signet"], "data": serialize_hex(block),
    }]);
    rpc.call("getblocktemplate", request).await.unwrap()
}

/// An address of regtest whose coins nobody needs.
pub(crate) const REGTEST_ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

/// Starts a real bitcoind on regtest, without peers. It is killed when the child is dropped.
pub(crate) async fn regtest(dir: &Path, options: &[&str]) -> (Child, Rpc, SocketAddr) {
    let rpc = free_address();
    let (child, client) = regtest_at(dir, rpc, options).await;
    (child, client, rpc)
}

/// An address of this machine that is free now.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Does the same as [`regtest`] with a given address of its RPC.
pub(crate) async fn regtest_at(dir: &Path, rpc: SocketAddr, options: &[&str]) -> (Child, Rpc) {
    let child = Command::new(bitcoind::find().await.unwrap())
        .args(["-regtest", "-server=1", "-listen=0", "-connect=0", "-disablewallet=1"])
        .args(options)
        .arg(format!("-datadir={}", dir.display()))
        .arg(format!("-rpcport={}", rpc.port()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let client = Rpc::new(rpc, dir.join("regtest").join(".cookie"));
    let started = Instant::now();
    while client.call("getblockcount", json!([])).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "bitcoind does not answer");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    (child, client)
}
