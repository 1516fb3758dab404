//! A device that listens to a network at work: no job says what the one before it said.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Up, working};

/// Bitcoin tips to see. At every second block of the pool, a node got its template and a new link at once.
const TIPS: usize = 7;

/// Time for them.
const LIMIT: Duration = Duration::from_secs(200);

/// Time without a new job after which a server repeats the last one: 20 s, less what a busy machine may be late.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Connects as a miner that never submits. Yields the messages of its server.
fn listen(address: &str) -> impl Iterator<Item = Value> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let user = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx.listens";
    let subscribe = json!({ "id": 1, "method": "mining.subscribe", "params": ["test/1"] });
    let authorize = json!({ "id": 2, "method": "mining.authorize", "params": [user, "x"] });
    stream.write_all(format!("{subscribe}\n{authorize}\n").as_bytes()).unwrap();
    BufReader::new(stream).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

#[test]
fn no_job_repeats_the_one_before_it() {
    let mut up = Up::start(&["--nodes", "2", "--miners", "2"]);
    up.wait_for("both nodes working", Duration::from_secs(60), |status| working(status) == 2);
    let config = std::fs::read_to_string(up.dir().join("node-A/shoal.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    let (began, mut jobs, mut tips) = (Instant::now(), 0, BTreeSet::new());
    let (mut last, mut read) = (Value::Null, Instant::now());
    for message in listen(config["stratum"]["listen"].as_str().unwrap()) {
        if message["method"] == "mining.set_difficulty" {
            // A new difficulty takes effect with the next job, so the server repeats the work.
            last = Value::Null;
        }
        if message["method"] != "mining.notify" {
            continue;
        }
        // All but the id, the time, and whether older jobs count.
        let said = json!(message["params"].as_array().unwrap()[1..7]);
        assert!(said != last || read.elapsed() >= KEEPALIVE, "{:?} after a job, again: {said}", read.elapsed());
        tips.insert(said[0].to_string());
        (last, read, jobs) = (said, Instant::now(), jobs + 1);
        if tips.len() >= TIPS {
            break;
        }
        assert!(began.elapsed() < LIMIT, "{} tips, {jobs} jobs\n{}", tips.len(), up.log());
    }
    println!("{jobs} jobs on {TIPS} tips, each another one");
    assert!(jobs > TIPS, "{jobs} jobs");
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
}
