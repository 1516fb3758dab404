//! Nodes whose clocks are one and three hours ahead or behind, beside correct ones, on a real bitcoind.
//!
//! A clock that is ahead of a correct bitcoind costs nothing, since bitcoind's clock dates the work: the node warns wherever an
//! operator may look. A clock that is behind, or as wrong as that of the node's bitcoind, makes all work worthless: then the node is
//! not ready, turns its miners away, and says why. Correct nodes go on in all cases.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use testnet::chaos::clock_off;

use crate::harness::between::{Reaction, names, react_to_calls};
use crate::harness::watched::{SUBSCRIBE, ask};
use crate::harness::{Up, node, tips, working};

const SOON: Duration = Duration::from_secs(60);

/// A state is reported once it has lasted for a minute; a start takes some seconds.
const REPORTED_WITHIN: Duration = Duration::from_secs(90);

/// The pool's links, or Bitcoin's blocks, must show it first.
const PROVEN_WITHIN: Duration = Duration::from_secs(300);

/// Whose clock is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The node's.
    Own,
    /// The node's and its bitcoind's.
    Both,
}

/// A node of the network whose clock is wrong.
struct Wrong {
    name: &'static str,
    hours: i32,
    config: PathBuf,
    /// The config with the correct bitcoind.
    right_config: String,
    api: SocketAddr,
    stratum: SocketAddr,
    child: Child,
}

impl Wrong {
    /// Kills a node, and restarts it with a wrong clock.
    fn start(up: &Up, name: &'static str, hours: i32, whose: Whose) -> Self {
        let folder = up.dir().join(format!("node-{name}"));
        let config = folder.join("shoal.toml");
        let right_config = fs::read_to_string(&config).unwrap();
        let table: toml::Table = right_config.parse().unwrap();
        let listen = |part: &str| table[part]["listen"].as_str().unwrap().parse().unwrap();
        let (api, stratum) = (listen("api"), listen("stratum"));
        up.must(&["kill", name]);
        if whose == Whose::Both {
            let seconds = i64::from(hours) * 3_600;
            react_to_calls(&config, move |call| {
                if names(call, "getblocktemplate") { Reaction::Shift(seconds) } else { Reaction::PassOn }
            });
        }
        let log = File::create(folder.join("wrong.log")).unwrap();
        let child = shoal(hours, &["run"], &config).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { name, hours, config, right_config, api, stratum, child }
    }

    /// Stops the node, and restarts it with the right clock.
    fn mend(mut self, up: &Up) {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap();
        fs::write(&self.config, &self.right_config).unwrap();
        up.must(&["restart", self.name]);
    }

    fn has_metric(&self, line: &str) -> bool {
        get(self.api, "/metrics").1.lines().any(|found| found.starts_with(line))
    }

    fn metric_reports_it(&self) -> bool {
        self.has_metric(r#"shoal_isolation{kind="clock"} 1"#)
    }

    /// True once the node hands out no work because of its clock.
    fn has_stopped(&self) -> bool {
        let (code, body) = get(self.api, "/ready");
        code == 503 && body.contains("this machine's clock is ") && body.contains("set up time synchronization (NTP)")
    }

    fn output(&self, command: &[&str]) -> (Option<i32>, String) {
        let output = shoal(self.hours, command, &self.config).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    /// Whether a text contains the difference from bitcoind's clock.
    fn is_reported_in(&self, text: &str) -> bool {
        let ahead_s = |rest: &str| rest.split_once(" s ahead of bitcoind's")?.0.parse::<u32>().ok();
        let mut reported = text.split("this machine's clock is ").skip(1).filter_map(ahead_s);
        reported.any(|seconds| seconds.abs_diff(self.hours.unsigned_abs() * 3_600) <= 10)
    }

    /// Checks all reports of a running node, and that its miners have work.
    fn must_report_it(&self) {
        let began = Instant::now();
        // After blocks with future timestamps, bitcoind's clock is unknown for a moment, and the links alone show it.
        let reports = || (self.output(&["status"]), get(self.api, "/api/v1/status").1);
        let is_reported = |((code, text), answer): &((Option<i32>, String), String)| {
            *code == Some(0) && self.is_reported_in(text) && self.is_reported_in(answer)
        };
        while !is_reported(&reports()) {
            assert!(began.elapsed() < SOON, "{}: {:?}", self.name, reports());
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(get(self.api, "/ready").0, 200, "{} has no work", self.name);
        let log = fs::read_to_string(self.config.with_file_name("wrong.log")).unwrap();
        assert!(self.is_reported_in(&log) && !log.contains("would reject"), "{log}");
    }

    /// Checks all reports of a running node that hands out no work by its clock, and what its miners are told.
    fn must_be_stopped(&self) {
        let (code, text) = self.output(&["status"]);
        assert!(code == Some(3) && text.contains("this machine's clock is "), "{}: {code:?} {text}", self.name);
        let status: Value = serde_json::from_str(body(&get(self.api, "/api/v1/status").1)).unwrap();
        let why = status["no_work_because"].as_str().unwrap();
        let side = if self.hours > 0 { " ahead of the pool's" } else { " behind " };
        assert!(why.contains(side) && status["work"] == "none", "{}: {why}", self.name);
        assert!(self.has_metric("shoal_handing_out_work 0") && self.metric_reports_it(), "{}", self.name);
        let told = ask(self.stratum, SUBSCRIBE);
        assert!(told.contains("this node has no work: this machine's clock is "), "{}: {told}", self.name);
        assert!(!told.contains("mining.notify"), "{told}");
        let log = fs::read_to_string(self.config.with_file_name("wrong.log")).unwrap();
        assert!(log.contains("miners have no work"), "{log}");
    }

    /// Checks that `check` finds the wrong clock.
    fn must_fail_check(&self) {
        let (code, text) = self.output(&["check"]);
        assert!(code != Some(0) && text.contains("\u{2717} clock"), "{}: {text}", self.name);
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shoal(hours: i32, command: &[&str], config: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    let mut shoal = Command::new(program);
    shoal.env_clear().args(command).arg("--config").arg(config).envs(clock_off(hours).unwrap()).stdin(Stdio::null());
    shoal
}

/// The status code and the whole answer.
fn get(api: SocketAddr, path: &str) -> (u16, String) {
    let Ok(mut socket) = TcpStream::connect(api) else { return (0, String::new()) };
    socket.set_read_timeout(Some(SOON)).unwrap();
    write!(socket, "GET {path} HTTP/1.0\r\nHost: {api}\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// Waits until this holds for all nodes with wrong clocks. The correct ones must have work all the time.
fn until_all(up: &Up, wrong: &[Wrong], correct: &[&str], limit: Duration, is_so: impl Fn(&Wrong) -> bool) {
    let began = Instant::now();
    while !wrong.iter().all(&is_so) {
        let late = || wrong.iter().map(|node| (node.name, get(node.api, "/ready").1)).collect::<Vec<_>>();
        assert!(began.elapsed() < limit, "not after {:?}: {:#?}", began.elapsed(), late());
        let status = up.status().unwrap();
        for name in correct {
            assert!(node(&status, name)["no_work"].is_null(), "a correct node stopped its miners: {status:#}");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("after {:?}", began.elapsed());
}

fn alerts_have(expression: &str) {
    let alerts =
        fs::read_to_string(Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../node/ops/alerts.yml"))
            .unwrap();
    assert!(alerts.contains(&format!("expr: {expression}")));
}

#[test]
fn clocks_that_are_hours_ahead_are_reported_and_cost_nothing() {
    // With more, blocks come so fast that their median time, with the seconds that jobs are dated ahead, hides bitcoind's clock.
    let mut up = Up::start(&["--nodes", "3", "--miners", "3", "--bitcoin", "bitcoind", "--hashrate", "400k"]);
    up.wait_for("all nodes working", SOON, |status| working(status) == 3);
    let ahead = [("B", 1), ("C", 3)].map(|(name, hours)| Wrong::start(&up, name, hours, Whose::Own));
    up.wait_for("the other two nodes working", SOON, |status| working(status) == 3);
    ahead.iter().for_each(Wrong::must_fail_check);
    until_all(&up, &ahead, &["A"], REPORTED_WITHIN, Wrong::metric_reports_it);
    ahead.iter().for_each(Wrong::must_report_it);
    alerts_have(r#"shoal_isolation{kind="clock"} == 1"#);

    ahead.into_iter().for_each(|node| node.mend(&up));
    up.wait_for("all nodes working again", SOON, |status| working(status) == 3);
    up.must(&["stop"]);
    assert!(up.end(SOON).success(), "{}", up.log());
    // No share is lost, late or held in the end.
    up.check(&["--agreed", "--lost-max", "0", "--expired-max", "0"]);
    let report = up.report();
    let blocks = report["blocks"].as_array().unwrap();
    let by_those = |block: &&Value| block["finder_node"] == "B" || block["finder_node"] == "C";
    let those: Vec<_> = blocks.iter().filter(by_those).collect();
    assert!(!those.is_empty(), "they found no block, so the test shows nothing");
    assert!(those.iter().all(|block| !block["accepted_by"].as_array().unwrap().is_empty()), "{those:#?}");
}

/// They did not follow the pool any more: `/ready` was 200, and miners worked on a branch of their own.
#[test]
fn clocks_that_are_hours_behind_stop_miners_with_a_word_and_no_other_nodes() {
    let mut up = Up::start(&["--nodes", "5", "--miners", "5", "--bitcoin", "bitcoind", "--hashrate", "700k"]);
    up.wait_for("all nodes working", SOON, |status| working(status) == 5);
    let behind = [("B", -1), ("C", -3)].map(|(name, hours)| Wrong::start(&up, name, hours, Whose::Own));
    until_all(&up, &behind, &["A", "D", "E"], PROVEN_WITHIN, |node| node.has_stopped() && node.metric_reports_it());
    behind.iter().for_each(Wrong::must_be_stopped);
    behind.iter().for_each(Wrong::must_fail_check);
    alerts_have("shoal_handing_out_work == 0");

    behind.into_iter().for_each(|node| node.mend(&up));
    up.wait_for("one tip again", SOON, |status| working(status) == 5 && tips(status).len() == 1);
}

/// Peers held all shares of a node whose machine was an hour ahead, bitcoind and all, and everything was green.
#[test]
fn clocks_as_wrong_as_their_bitcoinds_stop_miners_with_a_word_and_no_other_nodes() {
    let mut up = Up::start(&["--nodes", "5", "--miners", "5", "--bitcoin", "bitcoind", "--hashrate", "1M"]);
    up.wait_for("all nodes working", SOON, |status| working(status) == 5);
    let wrong = [("B", 1), ("C", 3), ("D", -1)].map(|(name, hours)| Wrong::start(&up, name, hours, Whose::Both));
    until_all(&up, &wrong, &["A", "E"], PROVEN_WITHIN, |node| node.has_stopped() && node.metric_reports_it());
    wrong.iter().for_each(Wrong::must_be_stopped);
    wrong.iter().for_each(Wrong::must_fail_check);

    wrong.into_iter().for_each(|node| node.mend(&up));
    up.wait_for("one tip again", SOON, |status| working(status) == 5 && tips(status).len() == 1);
}
