//! A node's client on real bitcoinds that are killed, hang, fall behind and come back: templates go on, and no found block is
//! lost.

mod liar;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::serialize;
use bitcoin::{Block, BlockHash};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use node::bitcoind::{Bitcoind, BitcoindError, FeedState, SubmitVerdict, TemplateFeed};
use node::clock::now;
use node::config::{BitcoindAuth, BitcoindConfig, Network, Outputs};
use node::consensus::{self, Inputs, Started};
use node::headers::{self, HeaderSource};
use node::store::Store;
use node::submissions::{Submissions, Whose};
use node_core::engine::Engine;
use serde_json::{Value, json};
use sharechain::Chain;
use tempfile::TempDir;
use testnet::rpc::Rpc;
use tokio::process::Child;
use tokio::sync::watch;

use self::liar::{Liar, made_up};
use crate::support::{self, REGTEST_ADDRESS, free_address, regtest_at};

const SOON: Duration = Duration::from_secs(30);

/// A real bitcoind without peers that can be killed and started again.
struct Server {
    child: Child,
    rpc: Rpc,
    address: SocketAddr,
    options: Vec<String>,
    dir: TempDir,
}

impl Server {
    async fn start(options: &[&str]) -> Self {
        let (dir, address) = (tempfile::tempdir().unwrap(), free_address());
        let (child, rpc) = regtest_at(dir.path(), address, options).await;
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self { child, rpc, address, options, dir }
    }

    async fn restart(&mut self) {
        let options: Vec<_> = self.options.iter().map(String::as_str).collect();
        (self.child, self.rpc) = regtest_at(self.dir.path(), self.address, &options).await;
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().unwrap().cast_signed()), signal).unwrap();
    }

    fn config(&self) -> BitcoindConfig {
        config(&format!("http://{}", self.address), self.dir.path())
    }

    async fn mine(&self, count: u32) {
        self.rpc.call("generatetoaddress", json!([count, REGTEST_ADDRESS])).await.unwrap();
    }

    async fn best(&self) -> BlockHash {
        self.rpc.call_str("getbestblockhash", json!([])).await.unwrap().parse().unwrap()
    }

    /// Gives the other one the blocks that it lacks.
    async fn teach(&self, other: &Self) {
        let count = |value: Value| value.as_u64().unwrap();
        let heights = count(other.rpc.call("getblockcount", json!([])).await.unwrap()) + 1
            ..=count(self.rpc.call("getblockcount", json!([])).await.unwrap());
        for height in heights {
            let hash = self.rpc.call("getblockhash", json!([height])).await.unwrap();
            let block = self.rpc.call("getblock", json!([hash, 0])).await.unwrap();
            other.rpc.call("submitblock", json!([block])).await.unwrap();
        }
    }

    /// A block on the tip that no bitcoind knows yet.
    async fn unknown_block(&self) -> Block {
        let template = self.rpc.call("getblocktemplate", json!([{ "rules": ["segwit"] }])).await.unwrap();
        support::solve(support::unsolved(&template))
    }
}

fn config(url: &str, dir: &Path) -> BitcoindConfig {
    BitcoindConfig::new(url.parse().unwrap(), BitcoindAuth::Cookie(dir.join("regtest/.cookie")), SOON)
}

/// The parts of a node that speak with its bitcoinds.
struct Node {
    bitcoind: Bitcoind,
    submissions: Submissions,
    headers: HeaderSource,
    state: watch::Receiver<FeedState>,
    _feed: TemplateFeed,
    _folder: TempDir,
}

impl Node {
    async fn start(config: &BitcoindConfig) -> Self {
        let bitcoind = Bitcoind::new(config, Network::Regtest).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let params = Network::Regtest.chain_params(Outputs::Standard);
        let store = Arc::new(Store::open(&folder.path().join("db"), params.consensus_id()).unwrap());
        let submissions = Submissions::new(bitcoind.clone(), Arc::clone(&store)).unwrap();
        let headers = bitcoind.use_first(async |one| headers::load_up_to_tip(&one, &params, None).await).await.unwrap();
        let engine = Engine::open(Chain::new(params, headers), store, now()).unwrap();
        let Started { engine, .. } = consensus::start(engine, Inputs::none());
        let feed = TemplateFeed::start(bitcoind.clone());
        let headers = HeaderSource::new(bitcoind.clone(), engine);
        feed.believe(headers.clone());
        tokio::spawn(submissions.clone().resubmit(feed.each()));
        Self { bitcoind, submissions, headers, state: feed.subscribe(), _feed: feed, _folder: folder }
    }

    async fn on(servers: &[&Server]) -> Self {
        let fallback = servers[1..].iter().map(|server| server.config()).collect();
        Self::start(&BitcoindConfig { fallback, ..servers[0].config() }).await
    }

    async fn until(&mut self, what: &str, is_so: impl FnMut(&FeedState) -> bool) -> Duration {
        let began = Instant::now();
        let waiting = tokio::time::timeout(SOON, self.state.wait_for(is_so)).await.map(drop);
        assert!(waiting.is_ok(), "no {what}: {:?}", self.state.borrow());
        began.elapsed()
    }

    /// Waits until this bitcoind is the one in use. Returns how long that took.
    async fn until_uses(&self, server: &Server) -> Duration {
        self.until_uses_at(server.address).await
    }

    async fn until_uses_at(&self, address: SocketAddr) -> Duration {
        let began = Instant::now();
        while self.bitcoind.url().port() != Some(address.port()) {
            assert!(began.elapsed() < SOON, "{} is still in use", self.bitcoind.url());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }
}

fn on_tip(tip: BlockHash) -> impl FnMut(&FeedState) -> bool {
    move |state| state.trouble.is_none() && state.template.as_ref().is_some_and(|template| template.prev_block == tip)
}

#[tokio::test]
async fn a_killed_bitcoind_is_replaced_and_gets_the_blocks_that_it_missed() {
    let (mut first, second) = tokio::join!(Server::start(&[]), Server::start(&[]));
    first.mine(3).await;
    first.teach(&second).await;
    // These it has on disk.
    first.rpc.call("stop", json!([])).await.unwrap();
    first.child.wait().await.unwrap();
    first.restart().await;
    let mut node = Node::on(&[&first, &second]).await;
    node.until("template", on_tip(first.best().await)).await;
    node.until_uses(&first).await;

    first.child.kill().await.unwrap();
    let lost = node.until_uses(&second).await;
    println!("a killed bitcoind was replaced after {lost:?}");
    assert!(lost < Duration::from_secs(5), "{lost:?}");
    assert_eq!(node.state.borrow().trouble, None);
    for height in 4..=5 {
        let block = second.unknown_block().await;
        let verdict = node.submissions.submit(block.block_hash(), height, serialize(&block).into(), Whose::Own).await;
        assert_eq!(verdict, Some(SubmitVerdict::Accepted), "one that is gone delays nothing");
        assert_eq!(second.best().await, block.block_hash());
    }

    first.restart().await;
    let back = node.until_uses(&first).await;
    println!("it was used again after {back:?}");
    assert_eq!(first.best().await, second.best().await, "it got both blocks from the node alone");
    // From now on, both get each block at once.
    let block = first.unknown_block().await;
    node.submissions.submit(block.block_hash(), 6, serialize(&block).into(), Whose::Own).await.unwrap();
    node.until("template on it", on_tip(block.block_hash())).await;
    let began = Instant::now();
    while second.best().await != block.block_hash() {
        assert!(began.elapsed() < SOON, "the second lacks the block");
    }
}

/// bitcoind answers no more, but its connections stay.
#[tokio::test]
async fn a_hung_bitcoind_is_noticed_and_replaced() {
    let (first, second) = tokio::join!(Server::start(&[]), Server::start(&[]));
    first.mine(1).await;
    first.teach(&second).await;
    let mut node = Node::on(&[&first, &second]).await;
    let mut alone = Node::on(&[&first]).await;
    node.until("template", on_tip(first.best().await)).await;
    alone.until("template", on_tip(first.best().await)).await;
    node.until_uses(&first).await;

    first.signal(Signal::SIGSTOP);
    let (lost, noticed) =
        tokio::join!(node.until_uses(&second), alone.until("trouble", |state| state.trouble.is_some()));
    println!("a hung bitcoind was replaced after {lost:?}, and noticed without another after {noticed:?}");
    assert!(lost.max(noticed) < Duration::from_secs(16), "{lost:?} {noticed:?}");
    assert_eq!(node.state.borrow().trouble, None);
    let block = second.unknown_block().await;
    let began = Instant::now();
    let verdict = node.submissions.submit(block.block_hash(), 2, serialize(&block).into(), Whose::Own).await;
    assert_eq!(verdict, Some(SubmitVerdict::Accepted));
    assert!(began.elapsed() < Duration::from_secs(5), "one that hangs delays nothing: {:?}", began.elapsed());

    first.signal(Signal::SIGCONT);
    node.until_uses(&first).await;
    alone.until("template again", on_tip(block.block_hash())).await;
}

/// Each of them is well, but one is behind: its network is cut, or it is slow.
#[tokio::test]
async fn the_bitcoind_with_the_newest_tip_is_used() {
    let (first, second) = tokio::join!(Server::start(&[]), Server::start(&[]));
    first.mine(1).await;
    first.teach(&second).await;
    let mut node = Node::on(&[&first, &second]).await;
    node.until("template", on_tip(first.best().await)).await;
    second.mine(1).await;
    let newer = node.until("template of the second", on_tip(second.best().await)).await;
    println!("a newer tip was used after {newer:?}");
    assert!(newer < Duration::from_secs(5), "{newer:?}");
    second.teach(&first).await;
    node.until_uses(&first).await;
    // An invalid block is no tip: the second one's operator takes it back.
    let stale = second.best().await;
    first.mine(1).await;
    node.until("template of the first", on_tip(first.best().await)).await;
    second.rpc.call("invalidateblock", json!([stale.to_string()])).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(on_tip(first.best().await)(&node.state.borrow()));
}

/// A bitcoind with a damaged index claims a block that does not exist. Miners never get that block, and follow the blocks
/// of the other bitcoind.
#[tokio::test]
async fn a_claim_of_a_block_that_does_not_exist_takes_no_work_away() {
    let (first, second) = tokio::join!(Server::start(&[]), Server::start(&[]));
    first.mine(2).await;
    first.teach(&second).await;
    let liar = Liar::before(&first).await;
    let fallback = vec![second.config()];
    let config = BitcoindConfig { fallback, ..config(&format!("http://{}", liar.address), first.dir.path()) };
    let mut node = Node::start(&config).await;
    node.until("template", on_tip(first.best().await)).await;
    node.until_uses_at(liar.address).await;
    let mut seen = node.state.clone();
    let hurt = tokio::spawn(async move {
        let is_hurt = |state: &FeedState| state.trouble.is_some() || on_tip(made_up())(state);
        seen.wait_for(is_hurt).await.map(|state| state.clone())
    });

    liar.lies.store(true, Ordering::SeqCst);
    let left = node.until_uses(&second).await;
    println!("a bitcoind that claims a block that does not exist was left after {left:?}");
    assert!(left < Duration::from_secs(12), "{left:?}");
    second.mine(1).await;
    node.until("template of the second", on_tip(second.best().await)).await;
    // A node that starts now does not wait for it either.
    Node::start(&config).await.until("template", on_tip(second.best().await)).await;

    second.teach(&first).await;
    liar.lies.store(false, Ordering::SeqCst);
    node.until_uses_at(liar.address).await;
    second.mine(1).await;
    second.teach(&first).await;
    node.until("template on the next block", on_tip(second.best().await)).await;
    assert!(!hurt.is_finished(), "{:?}", hurt.await);
}

/// It is the node's only source of Bitcoin's chain, so its operator must hear of it, and miners must fail over.
#[tokio::test]
async fn a_lone_bitcoind_with_a_false_claim_stops_work_and_the_node_says_why() {
    let server = Server::start(&[]).await;
    server.mine(2).await;
    let liar = Liar::before(&server).await;
    let mut node = Node::start(&config(&format!("http://{}", liar.address), server.dir.path())).await;
    node.until("template", on_tip(server.best().await)).await;
    liar.lies.store(true, Ordering::SeqCst);
    node.until("template on the claim", on_tip(made_up())).await;
    // The job builder asks for the headers first, and miners, `/ready` and `shoal status` read this.
    let why = node.headers.follow(&made_up()).await.unwrap_err().to_string();
    assert_eq!(why, format!("bitcoind has no header {}", made_up()));
    liar.lies.store(false, Ordering::SeqCst);
    node.until("template again", on_tip(server.best().await)).await;
}

/// The operator takes blocks back: their headers are no missing blocks.
#[tokio::test]
async fn invalidated_blocks_are_not_waited_for() {
    let server = Server::start(&[]).await;
    server.mine(6).await;
    let mut node = Node::on(&[&server]).await;
    node.until("template", on_tip(server.best().await)).await;
    let third = server.rpc.call("getblockhash", json!([3])).await.unwrap();
    server.rpc.call("invalidateblock", json!([third])).await.unwrap();
    let info = server.rpc.call("getblockchaininfo", json!([])).await.unwrap();
    println!("{} blocks and {} headers after invalidateblock", info["blocks"], info["headers"]);
    node.until("template on the second block", on_tip(server.best().await)).await;
    assert_eq!(node.bitcoind.ready().await.unwrap().blocks, 2);
    // A node that starts then does not wait either.
    Node::on(&[&server]).await.until("template", on_tip(server.best().await)).await;
    server.rpc.call("reconsiderblock", json!([third])).await.unwrap();
    node.until("template on the sixth block", on_tip(server.best().await)).await;
}

/// Advice about its queue would send the operator to the wrong place.
#[tokio::test]
async fn a_bitcoind_that_stops_is_said_to_stop() {
    let mut server = Server::start(&[]).await;
    server.mine(1).await;
    let mut node = Node::on(&[&server]).await;
    node.until("template", on_tip(server.best().await)).await;
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let bitcoind = node.bitcoind.clone();
            tokio::spawn(async move {
                let mut errors = Vec::new();
                loop {
                    match bitcoind.best_block().await {
                        Ok(_) => {}
                        Err(error @ BitcoindError::Unreachable { .. }) => {
                            errors.push(error);
                            return errors;
                        }
                        Err(error) => errors.push(error),
                    }
                }
            })
        })
        .collect();
    server.rpc.call("stop", json!([])).await.unwrap();
    server.child.wait().await.unwrap();
    let mut words = Vec::new();
    for asking in asking {
        words.extend(asking.await.unwrap().iter().map(ToString::to_string));
    }
    words.sort();
    words.dedup();
    println!("{words:#?}");
    assert!(!words.iter().any(|words| words.contains("rpcworkqueue")), "{words:?}");
    node.until("trouble", |state| state.trouble.is_some()).await;
    assert!(!node.state.borrow().trouble.as_ref().unwrap().contains("rpcworkqueue"));
}
