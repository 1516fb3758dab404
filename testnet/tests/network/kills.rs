//! `kill -9` at random moments under load: the database opens again, and has every share that the node announced.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use testnet::api_client::{Api, Fate};
use tokio::runtime::Runtime;

use crate::harness::{Up, node, tips, working};

/// Kills, unless `SHOAL_KILLS` says otherwise. `make soak NAME=kills` runs 1,000.
const KILLS: u32 = 20;

/// A node that runs for longer than this before a kill has long done everything that it does at a start.
const LIFE_MS: u64 = 2_000;

/// Submits of the miner that are looked at after each kill: more than it makes in the longest life.
const SUBMITS: usize = 64;

fn kills() -> u32 {
    std::env::var("SHOAL_KILLS").ok().map_or(KILLS, |text| text.parse().unwrap())
}

/// A number below `end`. It need not be repeatable: where a kill lands depends on the machine anyway.
fn random(end: u64) -> u64 {
    RandomState::new().hash_one(Instant::now()) % end
}

fn config_of(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("node-{name}/shoal.toml"))
}

fn api_of(dir: &Path, name: &str) -> Api {
    let config: toml::Table = std::fs::read_to_string(config_of(dir, name)).unwrap().parse().unwrap();
    Api::new(config["api"]["listen"].as_str().unwrap().parse::<SocketAddr>().unwrap())
}

/// The last submits that node B accepted.
fn accepted(dir: &Path) -> Vec<String> {
    let journal = std::fs::read_to_string(dir.join("miners/m2.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        journal.lines().rev().take(SUBMITS).filter_map(|line| serde_json::from_str(line).ok()).collect();
    let accepted = lines.iter().filter(|submit| submit["verdict"] == "accepted");
    accepted.map(|submit| submit["id"].as_str().unwrap().to_owned()).collect()
}

/// Waits until node B's API answers, and returns the number of announced shares that it was asked for.
fn ask_for_announced(runtime: &Runtime, up: &Up, seen: &mut BTreeSet<String>) -> usize {
    let (a, b) = (api_of(up.dir(), "A"), api_of(up.dir(), "B"));
    let started = Instant::now();
    while runtime.block_on(b.status()).is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "node B does not come back\n{}", up.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut asked = 0;
    for id in accepted(up.dir()) {
        if !seen.insert(id.clone()) || runtime.block_on(a.share(&id)).unwrap().fate == Fate::Unknown {
            continue;
        }
        asked += 1;
        let fate = runtime.block_on(b.share(&id)).unwrap().fate;
        assert_ne!(fate, Fate::Unknown, "node B has forgotten share {id}, which it announced");
    }
    asked
}

#[test]
fn what_a_killed_node_announced_is_still_there() {
    let kills = kills();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut up = Up::start(&["--nodes", "2", "--hashrate", "800k"]);
    up.wait_for("both nodes working", Duration::from_secs(60), |status| working(status) == 2);
    let (mut seen, mut asked) = (BTreeSet::new(), 0);
    for number in 1..=kills {
        std::thread::sleep(Duration::from_millis(random(LIFE_MS)));
        up.must(&["kill", "B"]);
        // Alone, so that node A cannot bring back what was lost.
        up.must(&["partition", "A|B"]);
        up.must(&["restart", "B"]);
        asked += ask_for_announced(&runtime, &up, &mut seen);
        up.must(&["heal"]);
        if number % 100 == 0 {
            println!("{number} kills, {asked} announced shares are still there");
        }
    }
    println!("{kills} kills, {asked} announced shares are still there");
    assert!(asked > 0, "no share was announced");
    up.wait_for("the nodes agreeing", Duration::from_secs(60), |status| {
        tips(status).len() == 1 && working(status) == 2 && node(status, "B")["peers"] == 1
    });
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
    up.must_be_gone(Duration::from_secs(15));
    // A submit is answered before it is judged and stored. One that a kill catches in between was never announced.
    up.check(&["--agreed", "--lost-max", &(1 + kills / 50).to_string()]);
    let shoal = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    let mut check = Command::new(shoal);
    // Settings of the tests, which the node would take for its own.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SHOAL_")) {
        check.env_remove(name);
    }
    let checked = check.args(["db", "check", "--config"]).arg(config_of(up.dir(), "B")).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
