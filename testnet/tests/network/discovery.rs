//! Nodes find each other, knowing one seed, and find each other again without it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use p2p_proto::book::Book;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::harness::{Up, tips, working};

/// The seed, the first peers of two nodes each, and four nodes.
const NODES: &str = "7";
const FOUR: [(&str, &str); 4] = [("B", "F"), ("C", "F"), ("D", "G"), ("E", "G")];

/// A peer that refuses to tell of others is asked again after 10, 20, 40 and 80 s.
const PATIENCE: Duration = Duration::from_secs(240);

fn config_path(up: &Up, name: &str) -> PathBuf {
    up.dir().join(format!("node-{name}/shoal.toml"))
}

fn book_path(up: &Up, name: &str) -> PathBuf {
    up.dir().join(format!("node-{name}/data/address-book"))
}

fn config(up: &Up, name: &str) -> toml::Table {
    std::fs::read_to_string(config_path(up, name)).unwrap().parse().unwrap()
}

/// Changes what a node is told of others, for its next start.
fn set(up: &Up, name: &str, key: &str, addresses: &[String]) {
    let mut config = config(up, name);
    let values = addresses.iter().cloned().map(toml::Value::String).collect();
    config["p2p"].as_table_mut().unwrap().insert(key.to_owned(), toml::Value::Array(values));
    std::fs::write(config_path(up, name), config.to_string()).unwrap();
}

fn address(config: &toml::Table) -> String {
    let listen: SocketAddr = config["p2p"]["listen"][0].as_str().unwrap().parse().unwrap();
    format!("/ip4/{}/tcp/{}", listen.ip(), listen.port())
}

/// What a node says of its peers and its address book. `None` while it does not answer.
fn peers(runtime: &Runtime, up: &Up, name: &str) -> Option<Value> {
    let listen = config(up, name)["api"]["listen"].as_str().unwrap().to_owned();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(format!("http://{listen}/api/v1/peers")).send().await.ok()?.json().await.ok()
    })
}

fn count(peers: &Value) -> usize {
    peers["peers"].as_array().unwrap().len()
}

/// Waits until a node itself says that it has this many peers: the status of the network is of some time before.
fn wait_for_peers(runtime: &Runtime, up: &Up, name: &str, is_so: impl Fn(usize) -> bool) -> Value {
    wait_for_answer(runtime, up, name, |answer| is_so(count(answer)))
}

fn wait_for_answer(runtime: &Runtime, up: &Up, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let answer = peers(runtime, up, name);
        if let Some(answer) = answer.as_ref().filter(|answer| is_so(answer)) {
            return answer.clone();
        }
        assert!(began.elapsed() < PATIENCE, "{name}: {answer:#?}\n{}", up.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Number of nodes in the address book on disk.
fn written(path: &Path) -> usize {
    let Ok(bytes) = std::fs::read(path) else { return 0 };
    let pool = bytes[16..48].try_into().unwrap();
    let (new, tried) = Book::decode(&bytes, &pool, [0; 16]).unwrap().counts();
    new + tried
}

#[test]
fn a_network_outlives_its_seed_and_is_found_again_from_the_address_book() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut up = Up::start(&["--nodes", NODES, "--discover"]);
    let began = Instant::now();
    up.wait_for("all nodes working", Duration::from_secs(60), |status| working(status) == 7);
    // Each of the four starts anew: it knows the seed, and one node that its owner named.
    for (name, first) in FOUR {
        up.must(&["kill", name]);
        let _ = std::fs::remove_file(book_path(&up, name));
        set(&up, name, "peers", &[address(&config(&up, first))]);
        up.must(&["restart", name]);
    }
    // All of them: once the seed is gone, those who do not know each other would not learn of it for half an hour.
    for (name, _) in FOUR {
        wait_for_peers(&runtime, &up, name, |count| count == 6);
    }
    let known = Instant::now();
    // One of the six may find its place in a book taken.
    while !FOUR.iter().all(|(name, _)| written(&book_path(&up, name)) >= 5) {
        let books = FOUR.map(|(name, _)| written(&book_path(&up, name)));
        assert!(known.elapsed() < PATIENCE, "the address books have {books:?} nodes\n{}", up.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    for gone in ["A", "F", "G"] {
        up.must(&["kill", gone]);
    }
    // The four are in one network: each is connected with the three others, and they agree.
    for (name, _) in FOUR {
        wait_for_peers(&runtime, &up, name, |count| count == 3);
    }
    up.wait_for("the four agreeing", Duration::from_secs(60), |status| tips(status).len() == 1);
    // One of them comes back, and knows other nodes from its address book alone.
    up.must(&["kill", "B"]);
    set(&up, "B", "peers", &[]);
    set(&up, "B", "seeds", &[]);
    up.must(&["restart", "B"]);
    // It dialed some of them itself.
    let of_its_choice = |answer: &Value| answer["discovery"]["outbound"].as_u64() >= Some(1);
    let shown = wait_for_answer(&runtime, &up, "B", |answer| count(answer) == 3 && of_its_choice(answer));
    up.wait_for("B working", Duration::from_secs(60), |status| working(status) == 4 && tips(status).len() == 1);
    assert_eq!(shown["discovery"]["outbound_target"], 16);
    let others: BTreeSet<&str> =
        shown["peers"].as_array().unwrap().iter().map(|peer| peer["id"].as_str().unwrap()).collect();
    assert_eq!(others.len(), 3);
    // A damaged book is set aside, and the node goes on: with its seeds, if it has any.
    up.must(&["kill", "B"]);
    std::fs::write(book_path(&up, "B"), b"not a book").unwrap();
    set(&up, "B", "seeds", &[address(&config(&up, "C"))]);
    up.must(&["restart", "B"]);
    wait_for_peers(&runtime, &up, "B", |count| count == 3);
    assert!(book_path(&up, "B").with_extension("damaged").exists());
    let log = std::fs::read_to_string(up.dir().join("node-B/shoal.log")).unwrap();
    assert!(log.contains("cannot be used (it is not an address book"), "{log}");
    println!("all of it took {} s", began.elapsed().as_secs());
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
    up.must_be_gone(Duration::from_secs(15));
}
