//! Runs `shoal-testnet` like a user: as a process, by its command line.

pub(crate) mod between;
pub(crate) mod watched;

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_shoal-testnet");

/// Returns the path of the independent report checker, in the tree that the tests run in.
fn checker() -> String {
    std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/check_report.py"
}

/// Pause between two polls of an expected event.
const PAUSE: Duration = Duration::from_millis(200);

/// A running network. Its folder is kept if the test fails.
pub(crate) struct Up {
    child: Child,
    dir: PathBuf,
}

impl Up {
    /// Starts `shoal-testnet up` with these options, plus the folder and the report.
    pub(crate) fn start(options: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("shoal-test-").tempdir().unwrap().keep();
        Self::start_in(dir, options)
    }

    /// Does the same in a folder that may have been used before.
    pub(crate) fn start_in(dir: PathBuf, options: &[&str]) -> Self {
        let output = File::create(dir.join("up.log")).unwrap();
        let child = Command::new(PROGRAM)
            .args(["up", "--plain", "--dir"])
            .arg(&dir)
            .arg("--report")
            .arg(dir.join("report.json"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs a command, as in another terminal.
    pub(crate) fn command(&self, args: &[&str]) -> Output {
        command_in(&self.dir, args)
    }

    /// Runs a command that must succeed. Returns its output.
    pub(crate) fn must(&self, args: &[&str]) -> String {
        let output = self.command(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the status of the network. `None` while it does not answer.
    pub(crate) fn status(&self) -> Option<Value> {
        let output = self.command(&["status", "--json"]);
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Waits until the status meets a condition.
    pub(crate) fn wait_for(&mut self, what: &str, limit: Duration, is_so: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let status = self.status();
            if let Some(status) = status.as_ref().filter(|status| is_so(status)) {
                return status.clone();
            }
            if started.elapsed() > limit || self.has_ended() {
                panic!("{what} did not happen in {limit:?}; last state {status:#?}\n{}", self.log());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits until this many seconds have passed since the network started.
    pub(crate) fn wait_until(&mut self, seconds: u64) {
        self.wait_for("time passing", Duration::from_secs(seconds + 60), |status| {
            status["running_s"].as_u64().is_some_and(|running| running >= seconds)
        });
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end of `up` itself.
    pub(crate) fn end(&mut self, limit: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < limit, "the network did not end in {limit:?}\n{}", self.log());
            std::thread::sleep(PAUSE);
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Returns the output of `up`.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("up.log")).unwrap_or_default()
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.dir.join("report.json")).unwrap()).unwrap()
    }

    /// Checks the report with the independent checker.
    pub(crate) fn check(&self, demands: &[&str]) {
        let output =
            Command::new("python3").arg(checker()).arg(self.dir.join("report.json")).args(demands).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        println!("{said}");
        assert!(output.status.success(), "{said}\nsee {}", self.dir.display());
    }

    /// Returns the command lines of the network's processes, without `up` itself.
    pub(crate) fn processes(&self) -> Vec<String> {
        let dir = self.dir.to_str().unwrap();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(line) = std::fs::read(entry.path().join("cmdline")) else { continue };
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let own = entry.file_name().to_string_lossy() == self.child.id().to_string();
            if !own && line.contains(dir) {
                found.push(line);
            }
        }
        found
    }

    /// Waits until the network has this many processes. A process that is just starting has no command line yet.
    pub(crate) fn must_run(&self, count: usize, limit: Duration) {
        let started = Instant::now();
        loop {
            let processes = self.processes();
            if processes.len() == count {
                return;
            }
            assert!(started.elapsed() < limit, "not {count} processes in {limit:?}; at last: {processes:#?}");
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits until no process of this network runs any more.
    pub(crate) fn must_be_gone(&self, limit: Duration) {
        let started = Instant::now();
        while started.elapsed() < limit {
            if self.processes().is_empty() {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        panic!("these processes survived: {:#?}", self.processes());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// A free port that no other process gets until a node listens on it: below those that the system hands out.
pub(crate) fn free_port() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let place = std::process::id().wrapping_mul(7_919).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + u16::try_from(place % 12_000).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        }
    }
}

/// Sends a command to the network in a folder.
pub(crate) fn command_in(dir: &Path, args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).arg("--dir").arg(dir).output().unwrap()
}

/// Runs the checker's test of itself.
pub(crate) fn check_the_checker() {
    let output = Command::new("python3").arg(checker()).arg("--self-test").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Returns the row of a node in a status.
pub(crate) fn node<'a>(status: &'a Value, name: &str) -> &'a Value {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().find(|node| node["name"] == name).unwrap()
}

/// Returns the distinct tips of the answering nodes.
pub(crate) fn tips(status: &Value) -> std::collections::BTreeSet<&str> {
    let nodes = status["nodes"].as_array().unwrap().iter();
    nodes.filter(|node| node["answers"] == true).filter_map(|node| node["tip"].as_str()).collect()
}

/// Returns the number of nodes that hand out work.
pub(crate) fn working(status: &Value) -> usize {
    let nodes = status["nodes"].as_array().unwrap().iter();
    nodes.filter(|node| node["answers"] == true && node["no_work"].is_null()).count()
}
