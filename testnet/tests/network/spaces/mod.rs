//! Machines in network namespaces, without root: whole `shoal` processes that see only the networks built here.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use testnet::network::without_settings;

const TESTNET: &str = env!("CARGO_BIN_EXE_shoal-testnet");

/// Longest life of a namespace, whatever happens to the test.
const LIFE_S: &str = "900";

/// Pause between two polls of an expected event.
const PAUSE: Duration = Duration::from_millis(500);

/// A process that is killed when dropped.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts a command with its output in a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let log = File::create(log).unwrap();
        let command = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

/// A network namespace in a user namespace in which the test is root.
pub(crate) struct Space(Running);

/// Waits until a process has become the `sleep` that holds its namespaces.
fn held(child: Child) -> Space {
    let started = Instant::now();
    let name = format!("/proc/{}/comm", child.id());
    while std::fs::read_to_string(&name).unwrap_or_default().trim() != "sleep" {
        assert!(started.elapsed() < Duration::from_secs(10), "no namespace; are user namespaces allowed here?");
        std::thread::sleep(Duration::from_millis(10));
    }
    let space = Space(Running(child));
    space.sh("ip link set lo up");
    space
}

impl Space {
    /// A machine in a user namespace of its own.
    pub(crate) fn new() -> Self {
        let holder =
            Command::new("unshare").args(["--user", "--map-root-user", "--net", "sleep", LIFE_S]).spawn().unwrap();
        held(holder)
    }

    /// Another machine in the same user namespace.
    pub(crate) fn beside(&self) -> Self {
        held(self.command("unshare").args(["--net", "sleep", LIFE_S]).spawn().unwrap())
    }

    /// A command that runs on this machine.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        let target = self.0.pid().to_string();
        command.args(["--target", &target, "--user", "--net", "--preserve-credentials", "--"]).arg(program);
        command
    }

    /// Runs a script that must succeed. Returns its output.
    pub(crate) fn sh(&self, script: &str) -> String {
        let output = self.command("sh").args(["-ec", script]).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Ties two machines together by a cable. Each end is a name and an address with its prefix length.
    pub(crate) fn cable(&self, (near, near_ip): (&str, &str), other: &Self, (far, far_ip): (&str, &str)) {
        let pid = other.0.pid();
        self.sh(&format!(
            "ip link add {near} type veth peer name {far} netns {pid}; ip addr add {near_ip} dev {near}; ip link set {near} up"
        ));
        other.sh(&format!("ip addr add {far_ip} dev {far}; ip link set {far} up"));
    }

    /// Lets packets pass through this machine.
    pub(crate) fn forward(&self) {
        self.sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
    }
}

/// The network's Bitcoin, in the test network's own embedded kind.
pub(crate) struct Bitcoin {
    _process: Running,
    rpc: String,
    cookie: PathBuf,
}

impl Bitcoin {
    pub(crate) fn start(space: &Space, dir: &Path, rpc: &str) -> Self {
        let dir = dir.join("bitcoin");
        std::fs::create_dir_all(&dir).unwrap();
        let mut command = space.command(TESTNET);
        command.args(["bitcoin", "--kind", "embedded", "--chain", "local", "--rpc", rpc, "--dir"]).arg(&dir);
        let process = Running::start(&mut command, &dir.join("bitcoin.log"));
        let bitcoin = Self { _process: process, rpc: rpc.to_owned(), cookie: dir.join(".cookie") };
        let started = Instant::now();
        while !bitcoin.cookie.exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "no Bitcoin");
            std::thread::sleep(PAUSE);
        }
        bitcoin
    }
}

/// A miner that keeps hashing on a node of its machine.
pub(crate) fn mine(space: &Space, dir: &Path, name: &str, user: &str, hashrate: u32) -> Running {
    let mut command = space.command(TESTNET);
    command.args(["miner", "--server", "127.0.0.1:3333", "--delay-ms", "0", "--user", user]);
    command.args(["--hashrate", &hashrate.to_string(), "--journal"]).arg(dir.join(format!("{name}.jsonl")));
    Running::start(&mut command, &dir.join(format!("{name}.log")))
}

/// A node.
pub(crate) struct Node<'a> {
    space: &'a Space,
    api: String,
    dir: PathBuf,
    process: Running,
}

impl<'a> Node<'a> {
    /// Starts a node with ports as by default. `first` are lines for the top of its config, `p2p` those of its table
    /// `p2p` and what follows.
    pub(crate) fn start(space: &'a Space, dir: &Path, name: &str, bitcoin: &Bitcoin, first: &str, p2p: &str) -> Self {
        Self::start_at((space, 3333, 3380), (dir, name), bitcoin, first, p2p)
    }

    /// Starts a node with these ports for miners and for its API.
    pub(crate) fn start_at(
        (space, stratum, api): (&'a Space, u16, u16),
        (dir, name): (&Path, &str),
        bitcoin: &Bitcoin,
        first: &str,
        p2p: &str,
    ) -> Self {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let config = format!(
            "network = \"local\"\ndata_dir = {:?}\nlog = \"info,p2p=debug\"\n{first}\n[bitcoind]\nurl = \"http://{}\"\n\
             cookie_file = {:?}\n[stratum]\nlisten = \"127.0.0.1:{stratum}\"\n[api]\nlisten = \"127.0.0.1:{api}\"\nrequests_a_second = 100000\n[p2p]\n{p2p}\n",
            dir.join("data"),
            bitcoin.rpc,
            bitcoin.cookie,
        );
        std::fs::write(dir.join("shoal.toml"), config).unwrap();
        let process = Self::run(space, &dir);
        Self { space, api: format!("http://127.0.0.1:{api}/api/v1/"), dir, process }
    }

    fn run(space: &Space, dir: &Path) -> Running {
        let mut command = tokio::process::Command::from(
            space.command(Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal")),
        );
        without_settings(&mut command);
        command.args(["run", "--config"]).arg(dir.join("shoal.toml"));
        Running::start(command.as_std_mut(), &dir.join("shoal.log"))
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("shoal.log")).unwrap_or_default()
    }

    /// An answer of its API, as its owner sees it. `None` while it does not answer.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        const ASK: &str = "import sys, urllib.request as u\n\
            r = u.Request(sys.argv[1], headers={'Authorization': 'Bearer ' + sys.argv[2]})\n\
            sys.stdout.write(u.urlopen(r, timeout=10).read().decode())";
        let token = std::fs::read_to_string(self.dir.join("data/api-token")).ok()?;
        let output =
            self.space.command("python3").args(["-c", ASK, &(self.api.clone() + path), token.trim()]).output().unwrap();
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Waits until an answer meets a condition.
    pub(crate) fn wait_for(
        &mut self,
        what: &str,
        limit: Duration,
        path: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        let started = Instant::now();
        loop {
            let answer = self.get(path);
            if let Some(answer) = answer.as_ref().filter(|answer| is_so(answer)) {
                eprintln!("{what}: after {:.1} s", started.elapsed().as_secs_f64());
                return answer.clone();
            }
            if started.elapsed() > limit || self.process.has_ended() {
                panic!("{what} did not happen in {limit:?}; last answer {answer:#?}\n{}", self.log());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Its peer id, once it listens.
    pub(crate) fn id(&mut self) -> String {
        let started = Instant::now();
        loop {
            let log = self.log();
            if let Some(id) = log.lines().filter(|line| line.contains("peers can connect")).find_map(peer_id) {
                return id;
            }
            assert!(started.elapsed() < Duration::from_secs(60) && !self.process.has_ended(), "{log}");
            std::thread::sleep(PAUSE);
        }
    }
}

fn peer_id(line: &str) -> Option<String> {
    let id = line.rsplit_once("/p2p/")?.1;
    Some(id.chars().take_while(char::is_ascii_alphanumeric).collect())
}
