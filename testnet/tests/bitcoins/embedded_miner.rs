//! The CPU miner on a real Stratum server whose work is the embedded Bitcoin's template.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::serialize;
use bitcoin::script::Builder;
use bitcoin::{Block, Target, Witness};
use serde_json::{Value, json};
use stratum::{Account, Change, EXTRANONCE_BYTES, Found, Pool, Refusal, Server, Work, WorkParts};
use testnet::miner::{self, Counters};
use tokio::sync::{mpsc, watch};

use crate::support;

/// Marks the place of the extranonce in the coinbase.
const MARK: [u8; EXTRANONCE_BYTES] = [0xee; EXTRANONCE_BYTES];

/// A pool of one block: all miners get the same work.
struct OneBlock {
    work: Arc<Work>,
    found: mpsc::UnboundedSender<Found>,
    changes: watch::Sender<Change>,
}

impl Pool for OneBlock {
    fn authorize(&self, user: &str) -> Result<Account, Refusal> {
        Ok(user.as_bytes().into())
    }
    fn work(&self, _: &Account) -> Option<Arc<Work>> {
        Some(self.work.clone())
    }
    fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }
    fn submit(&self, found: Found) {
        let _ = self.found.send(found);
    }
}

fn work(block: &Block, share_target: Target) -> Work {
    let mut bare = block.txdata[0].clone();
    bare.input[0].witness = Witness::new();
    let bytes = serialize(&bare);
    let at = bytes.windows(MARK.len()).position(|window| window == MARK).unwrap();
    assert_eq!(block.txdata.len(), 1, "its merkle branch is empty");
    Work::new(WorkParts {
        key: 1,
        payee: Account::default(),
        tally: None,
        version: block.header.version.to_consensus(),
        prev_block: block.header.prev_blockhash,
        coinb1: bytes[..at].to_vec(),
        outputs: Arc::default(),
        coinb2: bytes[at + MARK.len()..].to_vec(),
        branch: [].into(),
        bits: block.header.bits,
        time: block.header.time,
        min_time: block.header.time - 1,
        max_time: u32::MAX,
        share_target,
        bitcoin_target: block.header.target(),
        bitcoin_height: 121,
        solo: false,
    })
}

/// Returns a target that one in `hashes` hashes meets, for a power of two.
fn one_in(hashes: u32) -> Target {
    let mut bytes = [0xff; 32];
    bytes[..4].copy_from_slice(&(u32::MAX / hashes).to_be_bytes());
    Target::from_be_bytes(bytes)
}

struct Setup {
    server: support::Embedded,
    block: Block,
    found: mpsc::UnboundedReceiver<Found>,
    stratum: std::net::SocketAddr,
}

async fn setup(share_target: Target) -> Setup {
    let server = support::embedded(None).await;
    let template = support::template(&server.rpc).await;
    let block = support::with_coinbase(support::unsolved(&template), |coinbase| {
        let height = template["height"].as_i64().unwrap();
        let builder = Builder::new().push_int(height);
        coinbase.input[0].script_sig = builder.push_slice(MARK).into_script();
    });
    let (sender, found) = mpsc::unbounded_channel();
    let pool =
        OneBlock { work: Arc::new(work(&block, share_target)), found: sender, changes: watch::Sender::default() };
    let config = stratum::Config::new("127.0.0.1:0".parse().unwrap());
    let stratum_server = Server::bind(config, Arc::new(pool)).await.unwrap();
    let stratum = stratum_server.local_addrs()[0];
    tokio::spawn(stratum_server.run(std::future::pending()));
    Setup { server, block, found, stratum }
}

fn config(stratum: std::net::SocketAddr, hashrate: f64, delay_ms: u64) -> miner::Config {
    let (users, agent) = (vec!["tester.1".to_owned()], "shoal-test-miner".to_owned());
    miner::Config { server: stratum, users, hashrate, delay_ms, agent, blocks_only: false }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_mined_over_stratum_is_accepted_by_the_engine() {
    let mut setup = setup(one_in(1 << 20)).await;
    let counters = Arc::new(Counters::default());
    tokio::spawn(miner::run(config(setup.stratum, 20e6, 0), counters.clone()));
    let found = loop {
        let found = setup.found.recv().await.unwrap();
        assert_eq!(found.header.block_hash(), found.hash);
        if found.meets_bitcoin {
            break found;
        }
    };
    let mut block = setup.block;
    block.header = found.header;
    let script_sig = block.txdata[0].input[0].script_sig.to_bytes();
    let at = script_sig.len() - MARK.len();
    let filled = [&script_sig[..at], &found.extranonce].concat();
    block.txdata[0].input[0].script_sig = filled.into();
    assert_eq!(support::submit(&setup.server.rpc, &block).await, Value::Null);
    let best = setup.server.rpc.call("getbestblockhash", json!([])).await.unwrap();
    assert_eq!(best, json!(found.hash.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_miner_keeps_its_hashrate_and_its_proofs_are_accepted() {
    let setup = setup(one_in(1 << 13)).await;
    let counters = Arc::new(Counters::default());
    let started = Instant::now();
    tokio::spawn(miner::run(config(setup.stratum, 50_000.0, 0), counters.clone()));
    tokio::time::sleep(Duration::from_secs(6)).await;
    let counts = counters.read();
    let rate = counts.hashes as f64 / started.elapsed().as_secs_f64();
    assert!((40_000.0..=51_000.0).contains(&rate), "{rate} H/s");
    assert_eq!((counts.rejected, counts.connections), (0, 1), "{counts:?}");
    // 36 are expected, or more while the difficulty is still low. 10 or fewer has a probability of 10^-6.
    assert!(counts.accepted > 10, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_holds_back_jobs_and_proofs_and_loses_none() {
    let mut setup = setup(one_in(1 << 13)).await;
    let counters = Arc::new(Counters::default());
    let started = Instant::now();
    tokio::spawn(miner::run(config(setup.stratum, 100_000.0, 1000), counters.clone()));
    setup.found.recv().await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(2), "a job's second and a proof's");
    tokio::time::sleep(Duration::from_secs(2)).await;
    while counters.read().accepted <= 5 {
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", counters.read());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let counts = counters.read();
    assert_eq!(counts.rejected, 0, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_miner_finds_a_server_that_comes_up_late() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let counters = Arc::new(Counters::default());
    tokio::spawn(miner::run(config(port, 1000.0, 0), counters.clone()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(counters.read().connections, 0);
    let listener = tokio::net::TcpListener::bind(port).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), listener.accept()).await.unwrap().unwrap();
}
