//! Found blocks that bitcoind cannot take at first, against a real one: none is lost that it would take later.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hex::FromHex;
use bitcoin::{Block, BlockHash};
use node::bitcoind::{Bitcoind, SubmitVerdict, TemplateFeed};
use node::config::{BitcoindAuth, BitcoindConfig, Network};
use node::store::Store;
use node::submissions::{Submissions, Whose};
use serde_json::json;
use testnet::rpc::Rpc;

use crate::support::{self, REGTEST_ADDRESS, regtest};

const SOON: Duration = Duration::from_secs(60);

/// A node's submissions, which follow its bitcoind.
struct Node {
    submissions: Submissions,
    _feed: TemplateFeed,
    _folder: tempfile::TempDir,
}

impl Node {
    fn start(bitcoind: SocketAddr, dir: &Path) -> Self {
        let auth = BitcoindAuth::Cookie(dir.join("regtest/.cookie"));
        let config = BitcoindConfig::new(format!("http://{bitcoind}").parse().unwrap(), auth, SOON);
        let bitcoind = Bitcoind::new(&config, Network::Regtest).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&folder.path().join("db"), [7; 32]).unwrap());
        let submissions = Submissions::new(bitcoind.clone(), store).unwrap();
        let feed = TemplateFeed::start(bitcoind);
        tokio::spawn(submissions.clone().resubmit(feed.each()));
        Self { submissions, _feed: feed, _folder: folder }
    }

    async fn submit(&self, hex: &str, height: u32) -> (BlockHash, SubmitVerdict) {
        let bytes = Vec::from_hex(hex).unwrap();
        let hash = bitcoin::consensus::deserialize::<Block>(&bytes).unwrap().block_hash();
        (hash, self.submissions.submit(hash, height, bytes.into(), Whose::Own).await.unwrap())
    }

    /// Waits for a verdict that will not change.
    async fn final_verdict(&self, hash: BlockHash) -> SubmitVerdict {
        let began = Instant::now();
        loop {
            match self.submissions.verdict(&hash) {
                Some(verdict) if !verdict.may_change() => return verdict,
                verdict => assert!(began.elapsed() < SOON, "it is still {verdict:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn mine(rpc: &Rpc, count: u32) -> Vec<String> {
    let hashes = rpc.call("generatetoaddress", json!([count, REGTEST_ADDRESS])).await.unwrap();
    hashes.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().to_owned()).collect()
}

async fn hex(rpc: &Rpc, hash: &str) -> String {
    rpc.call_str("getblock", json!([hash, 0])).await.unwrap()
}

async fn best(rpc: &Rpc) -> String {
    rpc.call_str("getbestblockhash", json!([])).await.unwrap()
}

/// bitcoind is killed after the block, and comes back without the block's parent, which it gets from its peers later.
#[tokio::test]
async fn a_block_whose_parent_comes_later_is_submitted_again() {
    let (whole, behind) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_bitcoind, rpc, _) = regtest(whole.path(), &[]).await;
    let hashes = mine(&rpc, 7).await;
    let (_bitcoind, killed, address) = regtest(behind.path(), &[]).await;
    for hash in &hashes[..5] {
        killed.call("submitblock", json!([hex(&rpc, hash).await])).await.unwrap();
    }
    let node = Node::start(address, behind.path());
    let (hash, verdict) = node.submit(&hex(&rpc, &hashes[6]).await, 7).await;
    assert_eq!(verdict, SubmitVerdict::Rejected { reason: "prev-blk-not-found".to_owned() });
    assert!(verdict.may_change());
    killed.call("submitblock", json!([hex(&rpc, &hashes[5]).await])).await.unwrap();
    assert_eq!(node.final_verdict(hash).await, SubmitVerdict::Accepted);
    assert_eq!(best(&killed).await, hashes[6]);
}

/// An operator invalidates the parent and reconsiders it.
#[tokio::test]
async fn a_block_on_an_invalidated_parent_is_not_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let (_bitcoind, rpc, address) = regtest(dir.path(), &[]).await;
    let hashes = mine(&rpc, 7).await;
    let block = hex(&rpc, &hashes[6]).await;
    rpc.call("invalidateblock", json!([hashes[5]])).await.unwrap();
    let node = Node::start(address, dir.path());
    let (hash, verdict) = node.submit(&block, 7).await;
    assert!(matches!(&verdict, SubmitVerdict::Rejected { reason } if reason == "duplicate-invalid"), "{verdict:?}");
    assert!(verdict.may_change());
    // Another address, or it would be the invalidated block once more.
    let other = rpc.call("generatetodescriptor", json!([1, "raw(51)"])).await.unwrap();
    assert_ne!(other[0], hashes[5]);
    rpc.call("reconsiderblock", json!([hashes[5]])).await.unwrap();
    assert_eq!(best(&rpc).await, hashes[6]);
    assert_eq!(node.final_verdict(hash).await, SubmitVerdict::Duplicate, "the pages do not call it rejected");
}

/// A block that breaks a rule stays rejected, and is not submitted at each tip.
#[tokio::test]
async fn an_invalid_block_is_given_up_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (_bitcoind, rpc, address) = regtest(dir.path(), &[]).await;
    let hashes = mine(&rpc, 3).await;
    let template = rpc.call("getblocktemplate", json!([{ "rules": ["segwit"] }])).await.unwrap();
    let too_much = support::with_coinbase(support::unsolved(&template), |coinbase| {
        coinbase.output[0].value += bitcoin::Amount::from_sat(1);
    });
    let block = bitcoin::consensus::encode::serialize_hex(&support::solve(too_much));
    let node = Node::start(address, dir.path());
    let (_, verdict) = node.submit(&block, 4).await;
    assert!(matches!(&verdict, SubmitVerdict::Rejected { reason } if reason == "bad-cb-amount"), "{verdict:?}");
    assert!(!verdict.may_change());
    assert_eq!(best(&rpc).await, hashes[2]);
}
