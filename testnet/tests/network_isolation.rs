//! Nodes that lose their peers: one stops its miners, the other one lets them mine solo. Both are back by themselves.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

mod harness;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use harness::{Up, node, tips, working};
use serde_json::Value;

/// A node of the network, by its config file.
struct Node {
    stratum: SocketAddr,
    api: SocketAddr,
    token: String,
}

impl Node {
    fn of(up: &Up, name: &str) -> Self {
        let folder = up.dir().join(format!("node-{name}"));
        let config: toml::Table = std::fs::read_to_string(folder.join("shoal.toml")).unwrap().parse().unwrap();
        let listen = |table: &str| config[table]["listen"].as_str().unwrap().parse().unwrap();
        let token = std::fs::read_to_string(folder.join("data/api-token")).unwrap().trim().to_owned();
        Self { stratum: listen("stratum"), api: listen("api"), token }
    }

    /// The answer of the API, or null if there is none.
    fn get(&self, path: &str) -> Value {
        let (api, token) = (self.api, &self.token);
        let request = format!(
            "GET /api/v1{path} HTTP/1.1\r\nHost: {api}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(api, &request);
        answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or_default()
    }

    /// Waits until its status meets a condition.
    fn wait_for(&self, what: &str, limit: Duration, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let status = self.get("/status");
            if is_so(&status) {
                return status;
            }
            assert!(began.elapsed() < limit, "{what}: {status:#}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Events of a kind, newest first.
    fn events(&self, kind: &str) -> Vec<String> {
        let log = self.get("/log?limit=100");
        let events = log["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind);
        events.map(|event| event["sentence"].as_str().unwrap().to_owned()).collect()
    }
}

/// Sends bytes and returns what comes until the other side closes, or for 5 s.
fn ask(address: SocketAddr, bytes: &str) -> String {
    let Ok(mut socket) = TcpStream::connect(address) else { return String::new() };
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let _ = socket.write_all(bytes.as_bytes());
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

const SUBSCRIBE: &str = "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"test\"]}\n";

/// Restarts both nodes with these settings instead of `new_pool`, with which a node may work alone.
fn restart_with(up: &Up, settings: [(&str, &str); 2]) {
    for (name, setting) in settings {
        let path = up.dir().join(format!("node-{name}/shoal.toml"));
        let text = std::fs::read_to_string(&path).unwrap().replace("new_pool = true", "new_pool = false");
        std::fs::write(&path, format!("{setting}\n{text}")).unwrap();
        up.must(&["restart", name]);
    }
}

#[test]
fn miners_stop_or_work_solo_without_peers_and_are_back_with_them() {
    let mut up = Up::start(&["--nodes", "2", "--miners", "2", "--hashrate", "800k", "--duration", "300"]);
    up.wait_for("both working", Duration::from_secs(60), |status| working(status) == 2 && tips(status).len() == 1);
    restart_with(&up, [("A", ""), ("B", "on_isolation = \"solo\"")]);
    let seen = up.wait_for("both working again", Duration::from_secs(60), |status| working(status) == 2);
    let (a, b) = (Node::of(&up, "A"), Node::of(&up, "B"));
    b.wait_for("pool work", Duration::from_secs(30), |status| {
        status["work"] == "pool" && status["states"] == serde_json::json!([])
    });

    up.must(&["partition", "A|B"]);
    let cut = Instant::now();
    let stopped = a.wait_for("A stops", Duration::from_secs(60), |status| status["work"] == "none");
    // 30 links of a second, less what the command took.
    assert!(cut.elapsed() >= Duration::from_secs(25), "{:?}", cut.elapsed());
    assert!(
        stopped["no_work_because"].as_str().unwrap().starts_with("no peer has been connected for 30 s"),
        "{stopped:#}"
    );
    assert_eq!((&stopped["states"][0]["kind"], &stopped["miners_connected"]), (&"no_peers".into(), &0.into()));
    assert_eq!(ask(a.stratum, SUBSCRIBE), "", "miners are refused, so that they fail over");
    let height = stopped["height"].as_u64();

    let solo = b.wait_for("B works solo", Duration::from_secs(60), |status| status["work"] == "solo");
    assert!(solo["solo_because"].as_str().unwrap().starts_with("no peer has been connected for 30 s"), "{solo:#}");
    assert_eq!((&solo["handing_out_work"], &solo["miners_connected"]), (&true.into(), &1.into()));
    let began = Instant::now();
    let paid = loop {
        let found = b.events("payment").into_iter().find(|sentence| sentence.contains("in solo work"));
        if let Some(sentence) = found {
            break sentence;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "no solo block: {}", up.log());
        std::thread::sleep(Duration::from_millis(300));
    };
    let miner = up.processes().into_iter().find(|line| line.contains(&b.stratum.to_string())).unwrap();
    let user = miner.split("--user ").nth(1).unwrap().split('.').next().unwrap();
    assert!(paid.contains(&format!("to {user} alone")), "{paid} for {miner}");
    assert_eq!(b.get("/status")["height"], solo["height"], "solo work adds no link");
    assert_eq!(a.get("/status")["height"].as_u64(), height, "and no work adds none");

    up.must(&["heal"]);
    let healed = Instant::now();
    up.wait_for("one chain that grows", Duration::from_secs(60), |status| {
        let grows = node(status, "A")["height"].as_u64() > node(&seen, "A")["height"].as_u64();
        working(status) == 2 && tips(status).len() == 1 && grows
    });
    for node in [&a, &b] {
        let back = |status: &Value| status["work"] == "pool" && status["states"] == serde_json::json!([]);
        let status = node
            .wait_for("the pool", Duration::from_secs(60), |status| back(status) && status["miners_connected"] == 1);
        assert!(status["height"].as_u64() > height, "{status:#}");
        let told = node.events("isolation");
        assert!(told[0].starts_with("over after") && told[1].starts_with("no peer is connected"), "{told:?}");
    }
    println!("stopped after {:?}, back after {:?}", cut.elapsed(), healed.elapsed());
    assert_eq!(b.events("work")[0], "miners work for the pool again");
    assert!(ask(a.stratum, SUBSCRIBE).contains("mining.notify"), "miners are served again");
}
