//! bitcoind is gone for a while: miners read why and leave, so that they mine elsewhere; they come back with it, and
//! nothing that was credited is lost.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Up, node, working};
use crate::line::Line;

fn config_of(up: &Up) -> (std::path::PathBuf, toml::Table) {
    let path = up.dir().join("node-A/shoal.toml");
    let table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    (path, table)
}

/// Puts a line between the node and its bitcoind, and returns the line and the node's address for miners.
fn between(up: &mut Up) -> (Line, SocketAddr) {
    let (path, mut config) = config_of(up);
    let url = config["bitcoind"]["url"].as_str().unwrap();
    let line = Line::new(url.strip_prefix("http://").unwrap().parse().unwrap());
    config["bitcoind"]["url"] = format!("http://{}", line.address).into();
    up.must(&["kill", "A"]);
    std::fs::write(path, config.to_string()).unwrap();
    up.must(&["restart", "A"]);
    (line, config["stratum"]["listen"].as_str().unwrap().parse().unwrap())
}

/// A device that reads what it is sent.
struct Device {
    lines: BufReader<TcpStream>,
}

impl Device {
    /// Subscribes. Returns the device and the first line that it reads.
    fn subscribe(server: SocketAddr) -> Option<(Self, Value)> {
        let mut socket = TcpStream::connect(server).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.write_all(b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cgminer/4.12\"]}\n").unwrap();
        let mut device = Self { lines: BufReader::new(socket) };
        let first = device.line()?;
        Some((device, first))
    }

    /// Subscribes again and again until the server takes it.
    fn served(server: SocketAddr) -> Self {
        let began = Instant::now();
        loop {
            match Self::subscribe(server) {
                Some((device, first)) if first["error"].is_null() => return device,
                other => assert!(began.elapsed() < Duration::from_secs(60), "{:?}", other.map(|(_, first)| first)),
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn authorize(&mut self, user: &str) {
        let login = serde_json::json!({"id": 2, "method": "mining.authorize", "params": [user, "x"]});
        self.lines.get_mut().write_all(format!("{login}\n").as_bytes()).unwrap();
    }

    /// Reads a line; none once the connection is closed.
    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let count = self.lines.read_line(&mut line).unwrap_or(0);
        (count > 0).then(|| serde_json::from_str(&line).unwrap())
    }
}

fn reason(line: &Value) -> &str {
    line["error"][1].as_str().unwrap_or_default()
}

/// It has not answered, or gives no templates, whichever the node noticed first.
fn is_of_bitcoind(line: &Value) -> bool {
    reason(line).starts_with("this node has no work: ") && reason(line).contains("bitcoind")
}

#[test]
fn miners_leave_a_node_without_bitcoind_and_come_back() {
    let mut up = Up::start(&["--nodes", "1", "--miners", "2", "--duration", "300"]);
    let shares = |status: &Value| node(status, "A")["shares"].as_u64().unwrap_or(0);
    let before = shares(&up.wait_for("the node working", Duration::from_secs(60), |status| working(status) == 1));
    let (mut line, stratum) = between(&mut up);
    up.wait_for("the node working through the line", Duration::from_secs(60), |status| working(status) == 1);
    let mut device = Device::served(stratum);
    device.authorize("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx.rig");
    while device.line().unwrap()["method"] != "mining.notify" {}
    // The miners are back, too: the status may be of before the restart.
    let mined = up.wait_for("shares", Duration::from_secs(60), |status| shares(status) > before + 5);

    line.cut();
    let cut = Instant::now();
    let mut shown = String::new();
    let mut last = Value::Null;
    while let Some(line) = device.line() {
        if line["method"] == "client.show_message" {
            line["params"][0].as_str().unwrap().clone_into(&mut shown);
        }
        last = line;
    }
    let left = cut.elapsed();
    assert!(is_of_bitcoind(&last), "{last}");
    assert_eq!(shown, reason(&last), "the device's owner reads the same");
    assert!(left > Duration::from_secs(20) && left < Duration::from_secs(45), "the miner left after {left:?}");
    let (mut refused, answer) = Device::subscribe(stratum).unwrap();
    assert!(is_of_bitcoind(&answer), "{answer}");
    while let Some(line) = refused.line() {
        assert_eq!(line["method"], "client.show_message", "no job: {line}");
    }
    let gone =
        up.wait_for("all miners gone", Duration::from_secs(15), |status| node(status, "A")["hashrate_hs"] == 0.0);
    assert!(shares(&gone) > shares(&mined), "work for the jobs at hand was still taken");
    // `OUTAGE_S=120` makes it a longer drill.
    let outage_s = std::env::var("OUTAGE_S").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    std::thread::sleep(Duration::from_secs(outage_s).saturating_sub(cut.elapsed()));

    line.mend();
    up.wait_for("work and miners again", Duration::from_secs(60), |status| {
        working(status) == 1 && shares(status) > shares(&gone)
    });
    Device::served(stratum);
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
    up.check(&["--agreed", "--lost-max", "0"]);
}
