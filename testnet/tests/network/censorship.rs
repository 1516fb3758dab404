//! Nodes whose shares the rest of the pool leaves out, although they hear all that it finds: one stops its miners, the
//! other one lets them mine solo. Both are back by themselves.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use p2p::{Config, Network};
use p2p_proto::sync::RequestId;
use p2p_proto::{Command as Tell, Event, Verdict};
use serde_json::json;

use crate::harness::watched::{SUBSCRIBE, Watched, ask};
use crate::harness::{Up, tips, working};

/// The only peer of two nodes. It passes on what the pool says, by gossip and by answers, and nothing that they say.
struct Censor {
    peers: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

impl Censor {
    fn start(consensus_id: &str, pool: SocketAddr, nodes: &[SocketAddr]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let peers = Arc::new(AtomicUsize::new(0));
        let of = |address: &SocketAddr| format!("/ip4/{}/tcp/{}", address.ip(), address.port());
        let digits = |at: usize| u8::from_str_radix(&consensus_id[2 * at..2 * at + 2], 16).unwrap();
        let config = Config {
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            peers: nodes.iter().chain([&pool]).map(of).collect(),
            ..Config::bare([77; 32], std::array::from_fn(digits))
        };
        runtime.spawn(censor(config, of(&pool), Arc::clone(&peers)));
        Self { peers, _runtime: runtime }
    }
}

async fn censor(config: Config, pool: String, peers: Arc<AtomicUsize>) {
    let (handle, mut events) = Network::start(config).unwrap();
    let (mut source, mut asked) = (None, BTreeMap::new());
    while let Some(event) = events.recv().await {
        let command = match event {
            Event::PeerConnected { peer, addr, .. } => {
                peers.fetch_add(1, Ordering::SeqCst);
                source = source.or(addr.starts_with(&pool).then_some(peer));
                continue;
            }
            Event::PeerDisconnected { .. } => {
                peers.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            Event::Gossip { token, peer, .. } => {
                let verdict = if source == Some(peer) { Verdict::Accept } else { Verdict::Ignore };
                Tell::Verdict { token, verdict }
            }
            Event::Request { token, request, .. } => {
                let id = RequestId(token.0);
                let Some(peer) = source else { continue };
                asked.insert(id, token);
                Tell::Request { peer, id, request }
            }
            Event::Response { id, result, .. } => match (asked.remove(&id), result) {
                (Some(token), Ok(response)) => Tell::Reply { token, response },
                (Some(token), Err(_)) => Tell::Busy(token),
                (None, _) => continue,
            },
            _ => continue,
        };
        if handle.send(command).await.is_err() {
            return;
        }
    }
}

/// What `shoal status` says of a node.
fn shoal_status(up: &Up, name: &str) -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    let config = up.dir().join(format!("node-{name}/shoal.toml"));
    let output = Command::new(program).env_clear().args(["status", "--config"]).arg(config).output().unwrap();
    // 3 says that there is no work.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const CENSORED: &str = "the rest of the pool leaves out this node's valid shares";

#[test]
fn miners_stop_or_work_solo_while_the_pool_leaves_out_their_shares_and_are_back_after_it() {
    // Three nodes are the pool, with three fifths of the hashrate; the others find links of their own, which lose.
    let mut up = Up::start(&["--nodes", "5", "--miners", "5", "--hashrate", "600k", "--duration", "300"]);
    up.wait_for("all working", Duration::from_secs(60), |status| working(status) == 5 && tips(status).len() == 1);
    let path = up.dir().join("node-E/shoal.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("on_censorship = \"solo\"\n{text}")).unwrap();
    up.must(&["restart", "E"]);
    up.wait_for("all working again", Duration::from_secs(60), |status| working(status) == 5 && tips(status).len() == 1);
    let [pool, stops, solo] = ["A", "D", "E"].map(|name| Watched::of(&up, name));
    let consensus_id = pool.get("/status")["consensus_id"].as_str().unwrap().to_owned();
    let censor = Censor::start(&consensus_id, pool.p2p, &[stops.p2p, solo.p2p]);
    let began = Instant::now();
    while censor.peers.load(Ordering::SeqCst) < 3 {
        assert!(began.elapsed() < Duration::from_secs(20), "the censor has no three peers");
        std::thread::sleep(Duration::from_millis(100));
    }
    up.must(&["partition", "A,B,C|D|E"]);
    let cut = Instant::now();

    let limit = Duration::from_secs(150);
    let stopped = stops.wait_for("D stops", limit, |status| status["work"] == "none");
    println!("stopped after {:?}: {stopped:#}", cut.elapsed());
    // A share has its first chance after 30 s, and needs twelve.
    assert!(cut.elapsed() > Duration::from_secs(30), "{:?}", cut.elapsed());
    assert!(stopped["no_work_because"].as_str().unwrap().starts_with(CENSORED), "{stopped:#}");
    assert_eq!((&stopped["states"][0]["kind"], &stopped["miners_connected"]), (&"unlisted".into(), &0.into()));
    assert_eq!(stopped["peers"], 1, "it is not cut off: it hears the pool");
    let refused = ask(stops.stratum, SUBSCRIBE);
    assert!(refused.contains("this node has no work: ") && !refused.contains("mining.notify"), "{refused}");
    assert!(shoal_status(&up, "D").contains(CENSORED), "{}", shoal_status(&up, "D"));

    let alone = solo.wait_for("E works solo", limit, |status| status["work"] == "solo");
    assert!(alone["solo_because"].as_str().unwrap().starts_with(CENSORED), "{alone:#}");
    assert_eq!((&alone["handing_out_work"], &alone["miners_connected"]), (&true.into(), &1.into()));
    let said = shoal_status(&up, "E");
    assert!(said.contains("solo, each miner for its own address") && said.contains(CENSORED), "{said}");

    // The pool hears them again, and lists what it left out.
    up.must(&["heal"]);
    let healed = Instant::now();
    for node in [&stops, &solo] {
        let back = |status: &serde_json::Value| {
            status["work"] == "pool" && status["states"] == json!([]) && status["miners_connected"] == 1
        };
        node.wait_for("work for the pool again", Duration::from_secs(90), back);
        let told = node.events("isolation");
        let over = |sentence: &String| sentence.starts_with("over after") && sentence.contains("left out");
        assert!(told.iter().any(over), "{told:?}");
    }
    println!("stopped after {:?} at most, back {:?} after the pool heard them", healed - cut, healed.elapsed());
    assert_eq!(solo.events("work")[0], "miners work for the pool again");
    assert!(ask(stops.stratum, SUBSCRIBE).contains("mining.notify"), "miners are served again");
}
