//! Two nodes whose clocks are one and three hours ahead, beside a correct one, on a real bitcoind. Each reports it wherever an
//! operator may look. Its miners keep their work, since bitcoind's clock dates it, and no share is lost, held or late.

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

use crate::harness::{Up, node, working};

const SOON: Duration = Duration::from_secs(60);

/// A state is reported once it has lasted for a minute; a start takes some seconds.
const REPORTED_WITHIN: Duration = Duration::from_secs(90);

/// A node of the network whose clock is ahead.
struct Ahead {
    name: &'static str,
    hours: u32,
    config: PathBuf,
    api: SocketAddr,
    child: Child,
}

impl Ahead {
    /// Kills a node, and restarts it with its clock ahead.
    fn start(up: &Up, name: &'static str, hours: u32) -> Self {
        let folder = up.dir().join(format!("node-{name}"));
        let config = folder.join("shoal.toml");
        let table: toml::Table = fs::read_to_string(&config).unwrap().parse().unwrap();
        let api = table["api"]["listen"].as_str().unwrap().parse().unwrap();
        up.must(&["kill", name]);
        let log = File::create(folder.join("ahead.log")).unwrap();
        let child = shoal(hours, &["run"], &config).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { name, hours, config, api, child }
    }

    /// Stops the node, and restarts it with the right clock.
    fn mend(mut self, up: &Up) {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap();
        up.must(&["restart", self.name]);
    }

    fn metric_reports_it(&self) -> bool {
        get(self.api, "/metrics").1.lines().any(|line| line.starts_with(r#"shoal_isolation{kind="clock"} 1"#))
    }

    /// Whether a text contains the difference from bitcoind's clock.
    fn is_reported_in(&self, text: &str) -> bool {
        let ahead_s = |rest: &str| rest.split_once(" s ahead of bitcoind's")?.0.parse::<u32>().ok();
        let mut reported = text.split("this machine's clock is ").skip(1).filter_map(ahead_s);
        reported.any(|seconds| seconds.abs_diff(self.hours * 3_600) <= 10)
    }

    /// Checks all reports of a running node, and that its miners have work.
    fn must_report_it(&self) {
        let output = |command: &[&str]| {
            let output = shoal(self.hours, command, &self.config).output().unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap())
        };
        let (code, text) = output(&["status"]);
        assert!(code == Some(0) && self.is_reported_in(&text), "{code:?} {text}");
        assert!(self.is_reported_in(&get(self.api, "/api/v1/status").1), "{}", self.name);
        assert_eq!(get(self.api, "/ready").0, 200, "{} has no work", self.name);
        let log = fs::read_to_string(self.config.with_file_name("ahead.log")).unwrap();
        assert!(self.is_reported_in(&log) && !log.contains("would reject"), "{log}");
    }

    /// Checks that `check` finds the wrong clock at once.
    fn must_fail_check(&self) {
        let output = shoal(self.hours, &["check"], &self.config).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && text.contains("\u{2717} clock"), "{text}");
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shoal(hours: u32, command: &[&str], config: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    let mut shoal = Command::new(program);
    shoal.env_clear().args(command).arg("--config").arg(config).envs(clock_off(hours.cast_signed()).unwrap()).stdin(Stdio::null());
    shoal
}

fn get(api: SocketAddr, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(api).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    write!(socket, "GET {path} HTTP/1.0\r\nHost: {api}\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[test]
fn clocks_that_are_hours_ahead_are_reported_and_cost_nothing() {
    let mut up = Up::start(&["--nodes", "3", "--miners", "3", "--bitcoin", "bitcoind", "--hashrate", "800k"]);
    up.wait_for("all nodes working", SOON, |status| working(status) == 3);
    let ahead = [("B", 1), ("C", 3)].map(|(name, hours)| Ahead::start(&up, name, hours));
    let began = Instant::now();
    up.wait_for("the other two nodes working", SOON, |status| working(status) == 3);
    ahead.iter().for_each(Ahead::must_fail_check);
    while !ahead.iter().all(Ahead::metric_reports_it) {
        assert!(began.elapsed() < REPORTED_WITHIN, "not reported after {:?}", began.elapsed());
        let status = up.status().unwrap();
        assert!(node(&status, "A")["no_work"].is_null(), "the honest node stopped its miners: {status:#}");
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("reported after {:?}", began.elapsed());
    ahead.iter().for_each(Ahead::must_report_it);
    let alerts = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../node/ops/alerts.yml")).unwrap();
    assert!(alerts.contains(r#"expr: shoal_isolation{kind="clock"} == 1"#));

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
