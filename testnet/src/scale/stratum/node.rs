//! The node under test.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::{Child, Command};

use super::StratumError;
use crate::embedded::Bitcoin;
use crate::network::without_settings;
use crate::scale::load::Protocol;
use crate::scale::process::{cpu_s, memory_bytes};

/// Time limit for the node to have work.
const START: Duration = Duration::from_secs(60);

/// Time without submits for a measurement of the processor time, with one new job for each connection.
const SILENCE: Duration = Duration::from_secs(20);

/// Microseconds of a day.
const DAY_US: u64 = 86_400_000_000;

pub(super) struct Node {
    /// Addresses for miners of Stratum v1 and v2.
    pub(super) stratum: SocketAddr,
    v2: SocketAddr,
    folder: PathBuf,
    child: Child,
    /// Bytes of the log that were read.
    read: usize,
}

impl Node {
    /// Starts a node on this Bitcoin, and waits until it has work.
    pub(super) async fn start(shoal: &Path, folder: &Path, bitcoin: &Bitcoin) -> Result<Self, StratumError> {
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr();
        let (stratum, v2, p2p, api) = (free()?, free()?, free()?, free()?);
        let folder = folder.join("node");
        fs::create_dir_all(&folder)?;
        let config = format!(
            "network = \"local\"\ndata_dir = {:?}\nnew_pool = true\nlog = \"info,node::bitcoind=debug\"\nlog_format = \"json\"\n\
             [bitcoind]\nurl = \"http://{}\"\ncookie_file = {:?}\n[stratum]\nlisten = \"{stratum}\"\nlisteners = [\"{v2} v2\"]\n\
             [api]\nlisten = \"{api}\"\n[p2p]\nlisten = [\"{p2p}\"]\nmdns = false\n",
            folder.join("data"),
            bitcoin.rpc_address(),
            bitcoin.cookie_path(),
        );
        fs::write(folder.join("shoal.toml"), config)?;
        let log = fs::File::create(folder.join("log"))?;
        let mut command = Command::new(shoal);
        command.arg("run").arg("--config").arg(folder.join("shoal.toml"));
        without_settings(&mut command);
        let child = command.stdout(log.try_clone()?).stderr(log).kill_on_drop(true).spawn()?;
        let mut node = Self { stratum, v2, folder, child, read: 0 };
        let deadline = Instant::now() + START;
        while !fs::read_to_string(node.log())?.contains("miners have work") {
            if node.child.try_wait()?.is_some() || Instant::now() > deadline {
                return Err(node.failed("the node has no work"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(node)
    }

    /// When the node received its newest template, in microseconds since 1970. `near_us` is a time of the same day.
    pub(super) fn newest_tip_us(&mut self, near_us: u64) -> Result<u64, StratumError> {
        let log = fs::read_to_string(self.log())?;
        let news = log.get(self.read..).unwrap_or_default();
        self.read = log.len();
        // The first one since the block: earlier and later ones differ from it by transactions alone.
        let templates = news.lines().filter(|line| line.contains("\"new template\"")).filter_map(of_day_us);
        let mut times = templates.map(|of_day| near_us - near_us % DAY_US + of_day);
        times.find(|time_us| *time_us >= near_us).ok_or_else(|| self.failed("the node's log shows no template"))
    }

    /// Address for miners of this protocol.
    pub(super) fn server(&self, protocol: Protocol) -> SocketAddr {
        match protocol {
            Protocol::V1 => self.stratum,
            Protocol::V2 => self.v2,
        }
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.child.id().map_or(0, |id| memory_bytes(id, "VmRSS"))
    }

    pub(super) fn cpu_s(&self) -> f64 {
        self.child.id().map_or(0.0, cpu_s)
    }

    /// The part of a core that the node uses while its connections are silent.
    pub(super) async fn silent_cpu(&self) -> f64 {
        let before = self.cpu_s();
        tokio::time::sleep(SILENCE).await;
        (self.cpu_s() - before) / SILENCE.as_secs_f64()
    }

    pub(super) async fn stop(&mut self) -> io::Result<()> {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM)?;
        }
        self.child.wait().await.map(drop)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn failed(&self, what: &str) -> StratumError {
        StratumError::Step { what: what.to_owned(), folder: self.folder.clone() }
    }
}

/// The time of day of a line of the log, as in `2026-01-31T23:59:59.123456Z`, in microseconds.
fn of_day_us(line: &str) -> Option<u64> {
    let line: Value = serde_json::from_str(line).ok()?;
    let (_, time) = line["timestamp"].as_str()?.trim_end_matches('Z').split_once('T')?;
    let (seconds, fraction) = time.split_once('.')?;
    let number = |text: &str| text.parse::<u64>().ok();
    let parts: Vec<u64> = seconds.split(':').map(number).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + number(fraction)?)
}
