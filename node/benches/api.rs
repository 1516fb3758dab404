//! The API with 500 requests per second on a long share-chain, and the effect on miners. Prints the 99th percentile
//! with its target, and the time until the chain has placed new work, with and without readers.
//!
//! `SHOAL_BENCH_LINKS` sets the number of links in the chain, with 32 shares each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hashes::Hash;
use bitcoin::{Address, ScriptBuf, WPubkeyHash};
use node::api::{self, Context, Token};
use node::bitcoind::Bitcoind;
use node::consensus::{self, EngineHandle, Inputs, Started};
use node::devices::SharedDevices;
use node::history::History;
use node::state::NodeState;
use node::store::Store;
use node::submissions::Submissions;
use node_core::engine::Engine;
use node_core::jobs::JobPosition;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{ChainParams, Outcome, Proof, ShareId, U256, Weight};
use testkit::World;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[path = "../tests/api/config.rs"]
mod config;

/// Default number of links: eight hours of mainnet.
const LINKS: u32 = 3_000;

/// Shares between two links, as on mainnet.
const SHARES: u32 = 32;

/// Number of payout scripts.
const MINERS: u32 = 10_000;

/// Requests per second.
const RATE: u32 = 500;

/// Total number of requests.
const REQUESTS: u32 = 10_000;

/// Target for the 99th percentile.
const TARGET: Duration = Duration::from_millis(20);

/// Number of samples of the time for new work.
const LOOKS: u32 = 400;

type Mined = (Proof, Option<Vec<ShareId>>);

fn script(number: u32) -> ScriptBuf {
    let mut hash = [7; 20];
    hash[..4].copy_from_slice(&(number % MINERS).to_be_bytes());
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(hash))
}

/// A chain with real proofs and a window that reaches back to its start.
fn grow(links: u32) -> (World, Vec<Mined>) {
    let mut world = World::with(ChainParams { window_weight: Weight(u128::MAX >> 1), ..testkit::params() });
    let mut found: Vec<Mined> = Vec::new();
    for link in 0..links {
        if link.is_multiple_of(60) {
            world.bitcoin_block();
        }
        for share in 0..SHARES {
            found.push((world.share(script(link * SHARES + share)), None));
        }
        let (proof, list) = world.link(script(link));
        found.push((proof, Some(list)));
    }
    (world, found)
}

/// Starts the API for these proofs. Returns its address and the engine.
async fn serve(world: &World, found: &[Mined], dir: &std::path::Path) -> (SocketAddr, EngineHandle) {
    let store = Arc::new(Store::open(&dir.join("db"), *world.chain.consensus_id()).expect("a new database"));
    let chain = World::with(world.chain.params().clone()).chain;
    let mut engine = Engine::open(chain, Arc::clone(&store), world.now).expect("it is empty");
    engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    for (proof, list) in found {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).expect("it was mined so");
        let outcome = engine.insert(bound, list.clone(), Source(1), world.now);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    let Started { engine, reader, .. } = consensus::start(engine, Inputs::none());
    let history = History::open(Arc::clone(&store)).expect("it is empty");
    let started = Instant::now();
    history.catch_up(&reader).await.expect("the disk works");
    let each = started.elapsed() / u32::try_from(found.len()).expect("not that many");
    println!("history of {} proofs made in {:.1?}, {each:.1?} each", found.len(), started.elapsed());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let config = Arc::new(config::config(dir, address, 100_000));
    let bitcoind = Bitcoind::new(&config.bitcoind, config.network).expect("the settings are right");
    let context = Context {
        chain: reader,
        devices: SharedDevices::default(),
        submissions: Submissions::new(bitcoind, Arc::clone(&store)).expect("it is empty"),
        store,
        stratum_key: None,
        history,
        stratum: Arc::default(),
        peers: watch::channel(Arc::default()).1,
        discovery: watch::channel(p2p::DiscoveryInfo::default()).1,
        manual: node::manual::ManualPeers::load(dir),
        network: watch::channel(None).1,
        node: watch::channel(NodeState::default()).1,
        reach: watch::channel(Arc::default()).1,
        traffic: p2p::Traffic::default(),
        archive: node::state::ArchiveState::default(),
        token: Token::load(dir).expect("the folder can be written"),
        started: Instant::now(),
        config,
    };
    drop(api::start(listener, context, std::future::pending()).expect("the system gives threads"));
    (address, engine)
}

/// Kinds of requests of [`path`], by the last digit of the number.
const KINDS: [&str; 10] = [
    "status",
    "pool",
    "links",
    "a miner",
    "shares of a miner",
    "history of a miner",
    "a share",
    "history of the pool",
    "search",
    "window",
];

/// A path that pages request, for random miners, links and shares.
fn path(number: u32, found: &[Mined]) -> String {
    let any = &found[(number as usize).wrapping_mul(7_919) % found.len()];
    let address = Address::from_script(&script(number), bitcoin::Network::Signet).expect("it has one");
    let path = match number % 10 {
        0 => "status".to_owned(),
        1 => "pool".to_owned(),
        2 => format!("links?from={}&limit=20", number % 2_000),
        3 => format!("miners/{address}"),
        4 => format!("miners/{address}/shares"),
        5 => format!("miners/{address}/history?step=3600"),
        6 => format!("shares/{}", any.0.id()),
        7 => "pool/history".to_owned(),
        8 => format!("search?q={}", any.0.id()),
        _ => format!("window?from={}&limit=50", number % 900),
    };
    format!("api/v1/{path}")
}

/// Sends requests at a steady rate, regardless of answers. Returns the kind of each and the time that it took from the
/// moment it was due.
async fn ask(address: SocketAddr, found: &[Mined]) -> Vec<(usize, Duration)> {
    let client = reqwest::Client::builder().no_proxy().build().expect("the settings are right");
    let start = tokio::time::Instant::now();
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..REQUESTS {
        let due = start + Duration::from_secs(1) * number / RATE;
        tokio::time::sleep_until(due).await;
        let request = client.get(format!("http://{address}/{}", path(number, found)));
        asked.spawn(async move {
            let answer = request.send().await.expect("the node answers");
            assert!(answer.status().is_success(), "{}", answer.url());
            answer.bytes().await.expect("the whole answer comes");
            (number as usize % KINDS.len(), due.elapsed())
        });
    }
    asked.join_all().await
}

/// A line for each kind of request, and one for all together.
fn told(times: &[(usize, Duration)]) -> Vec<Duration> {
    for (kind, name) in KINDS.iter().enumerate() {
        let mut own: Vec<Duration> = times.iter().filter(|(of, _)| *of == kind).map(|(_, time)| *time).collect();
        own.sort_unstable();
        println!("{name:>20}: median {:>9.2?}, 99% {:>9.2?}", at(&own, 50), at(&own, 99));
    }
    let mut all: Vec<Duration> = times.iter().map(|(_, time)| *time).collect();
    all.sort_unstable();
    all
}

/// Time that new work waits for its position in the chain: the median and the 99th percentile of many samples.
async fn place(engine: &EngineHandle, previous: bitcoin::BlockHash) -> (Duration, Duration) {
    let mut times = Vec::new();
    for _ in 0..LOOKS {
        let started = Instant::now();
        let placed = engine.call(move |engine| JobPosition::find(engine.chain_mut(), &previous).is_ok()).await;
        assert_eq!(placed, Ok(true));
        times.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times.sort_unstable();
    (at(&times, 50), at(&times, 99))
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

#[tokio::main]
async fn main() {
    let links = std::env::var("SHOAL_BENCH_LINKS").map_or(LINKS, |links| links.parse().expect("a number of links"));
    let (world, found) = grow(links);
    let dir = tempfile::tempdir().expect("a folder");
    let (address, engine) = serve(&world, &found, dir.path()).await;
    let previous = world.bitcoin_tip.block_hash();
    let (quiet, quiet_slow) = place(&engine, previous).await;
    let readers = ask(address, &found);
    let ((busy, busy_slow), times) = tokio::join!(place(&engine, previous), readers);
    let times = told(&times);
    let slow = at(&times, 99);
    let met = if slow <= TARGET { "met" } else { "MISSED" };
    println!(
        "{REQUESTS} requests at {RATE} a second over {links} links, {} proofs: median {:.2?}, 99% {slow:.2?}, \
         slowest {:.2?}; target 99% {TARGET:?}: {met}",
        found.len(),
        at(&times, 50),
        at(&times, 100),
    );
    println!("place of new work without readers: median {quiet:.2?}, 99% {quiet_slow:.2?}");
    println!("place of new work, {RATE} requests a second: median {busy:.2?}, 99% {busy_slow:.2?}");
}
