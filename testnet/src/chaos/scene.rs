//! Two bitcoinds, two nodes and their miners, and the lines between them. Node A uses both bitcoinds, node B the second one alone.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::time::sleep;

use super::ChaosError;
use super::clock::clock_off;
use crate::api_client::Api;
use crate::bitcoind::RealBitcoin;
use crate::link::{LinkError, enter_user_namespace};
use crate::network::{
    Chain, LastSignal, Line, NoFreePort, Ports, Process, Spec, own_program, payout_address, shoal_program,
};
use crate::rpc::{Rpc, RpcError};

/// Nodes, and bitcoinds.
pub(super) const PLACES: usize = 2;

/// Hashes per second of each miner: a block every few seconds.
const HASHRATE_HS: &str = "300000";

/// Time for a start.
const START_MAX: Duration = Duration::from_secs(60);

/// Enters namespaces in which this program may mount disks. The process must have no other threads yet.
///
/// # Errors
/// The system does not allow it.
pub fn enter_namespaces() -> Result<(), LinkError> {
    enter_user_namespace()?;
    unshare(CloneFlags::CLONE_NEWNS).map_err(|errno| LinkError::UserNamespace(errno.into()))
}

/// Addresses of one place.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    rpc: SocketAddr,
    bitcoin: SocketAddr,
    stratum: SocketAddr,
    p2p: SocketAddr,
    api: SocketAddr,
}

impl Addresses {
    fn new(ports: &mut Ports) -> Result<Self, NoFreePort> {
        let mut take = || ports.take();
        Ok(Self { rpc: take()?, bitcoin: take()?, stratum: take()?, p2p: take()?, api: take()? })
    }
}

pub(super) struct Scene {
    dir: PathBuf,
    /// Size of the disk of a node's data, MiB.
    disk_mib: u32,
    at: [Addresses; PLACES],
    bitcoinds: Vec<Option<RealBitcoin>>,
    nodes: Vec<Option<Process>>,
    miners: Vec<Process>,
    /// Between the nodes, and between the bitcoinds.
    lines: [Line; 2],
}

impl Scene {
    pub(super) async fn start(dir: &Path, disk_mib: u32) -> Result<Self, ChaosError> {
        let mut ports = Ports::new();
        let mut addresses = || Addresses::new(&mut ports).map_err(std::io::Error::other);
        let at = [addresses()?, addresses()?];
        let mut line = || ports.take().map_err(std::io::Error::other);
        let lines = [Line::start(line()?, at[0].p2p).await?, Line::start(line()?, at[0].bitcoin).await?];
        let mut scene = Self {
            dir: dir.to_owned(),
            disk_mib,
            at,
            bitcoinds: vec![None, None],
            nodes: vec![None, None],
            miners: Vec::new(),
            lines,
        };
        for place in 0..PLACES {
            scene.start_bitcoind(place).await?;
            scene.mount_disk(place)?;
            std::fs::write(scene.config_path(place), scene.config(place))?;
            scene.start_node(place, None)?;
        }
        for place in 0..PLACES {
            scene.start_miner(place)?;
        }
        scene.until_all_work().await?;
        Ok(scene)
    }

    async fn until_all_work(&self) -> Result<(), ChaosError> {
        let began = Instant::now();
        loop {
            let mut working = 0;
            for api in self.apis() {
                working += usize::from(api.status().await.is_ok_and(|status| status.handing_out_work));
            }
            if working == PLACES {
                return Ok(());
            }
            if began.elapsed() > START_MAX {
                return Err(ChaosError::Late("work at both nodes", self.dir.clone()));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    fn place(&self, place: usize) -> PathBuf {
        self.dir.join(["a", "b"][place])
    }

    fn bitcoind_dir(&self, place: usize) -> PathBuf {
        self.place(place).join("bitcoind")
    }

    fn cookie(&self, place: usize) -> PathBuf {
        self.bitcoind_dir(place).join(Chain::Local.bitcoind_folder()).join(".cookie")
    }

    fn disk(&self, place: usize) -> PathBuf {
        self.place(place).join("disk")
    }

    fn config_path(&self, place: usize) -> PathBuf {
        self.place(place).join("shoal.toml")
    }

    fn config(&self, place: usize) -> String {
        let Addresses { rpc, stratum, p2p, api, .. } = self.at[place];
        let (cookie, disk) = (self.cookie(place), self.disk(place));
        let (other, others_cookie) = (self.at[1].rpc, self.cookie(1));
        let is_first = place == 0;
        let fallback: Vec<_> =
            is_first.then(|| format!("http://{other} cookie_file={}", others_cookie.display())).into_iter().collect();
        let line = self.lines[0].address();
        let peers = if is_first { Vec::new() } else { vec![format!("/ip4/{}/tcp/{}", line.ip(), line.port())] };
        format!(
            "network = \"local\"\ndata_dir = {:?}\nnew_pool = {is_first}\n\
             [bitcoind]\nurl = \"http://{rpc}\"\ncookie_file = {cookie:?}\nfallback = {fallback:?}\n\
             [stratum]\nlisten = \"{stratum}\"\n\
             [p2p]\nlisten = [\"{p2p}\"]\npeers = {peers:?}\nmdns = false\ndiscover = false\nupnp = false\n\
             [api]\nlisten = \"{api}\"\nrequests_a_second = 100000\n",
            disk.join("data")
        )
    }

    /// Starts a bitcoind that knows the other one.
    pub(super) async fn start_bitcoind(&mut self, place: usize) -> Result<(), ChaosError> {
        let Addresses { rpc, bitcoin, .. } = self.at[place];
        let options = ["-listen=1".to_owned(), format!("-port={}", bitcoin.port()), format!("-bind={bitcoin}")];
        let started = RealBitcoin::start_with(Chain::Local, &self.bitcoind_dir(place), rpc.port(), &options).await?;
        if place == 1 {
            started.rpc().call("addnode", json!([self.lines[1].address().to_string(), "add"])).await?;
        }
        self.bitcoinds[place] = Some(started);
        Ok(())
    }

    pub(super) async fn kill_bitcoind(&mut self, place: usize) {
        if let Some(bitcoind) = self.bitcoinds[place].take() {
            bitcoind.kill().await;
        }
    }

    pub(super) fn pause_bitcoind(&self, place: usize, paused: bool) {
        let signal = if paused { Signal::SIGSTOP } else { Signal::SIGCONT };
        let pid = self.bitcoinds[place].as_ref().and_then(RealBitcoin::pid).and_then(|pid| i32::try_from(pid).ok());
        // One that has exited is missed by the calls that follow.
        let _ = pid.map(|pid| kill(Pid::from_raw(pid), signal));
    }

    /// Starts a node, with a clock that is some hours ahead if so.
    fn start_node(&mut self, place: usize, ahead_h: Option<i32>) -> Result<(), ChaosError> {
        let shoal = shoal_program()?;
        let mut args: Vec<OsString> = vec!["run".into(), "--config".into(), self.config_path(place).into()];
        let mut program = shoal.clone();
        if let Some(hours) = ahead_h {
            program = "/usr/bin/env".into();
            let variables = clock_off(hours)?.map(|(name, value)| format!("{name}={value}").into());
            args = variables.into_iter().chain([shoal.into()]).chain(args).collect();
        }
        let (name, log) = (format!("node {place}"), self.place(place).join("shoal.log"));
        let spec = Spec { name, program, args, log, last_signal: LastSignal::Kill, namespace: None };
        self.nodes[place] = Some(Process::start(&spec)?);
        Ok(())
    }

    pub(super) async fn restart_node(&mut self, place: usize, ahead_h: Option<i32>) -> Result<(), ChaosError> {
        if let Some(mut node) = self.nodes[place].take() {
            node.stop().await;
        }
        self.start_node(place, ahead_h)
    }

    fn start_miner(&mut self, place: usize) -> Result<(), ChaosError> {
        let user = format!("{}.m{place}", payout_address(place, Chain::Local.hrp()));
        let args = [
            "miner".into(),
            "--server".into(),
            self.at[place].stratum.to_string(),
            "--user".into(),
            user,
            "--hashrate".into(),
            HASHRATE_HS.into(),
            "--delay-ms".into(),
            "0".into(),
            "--journal".into(),
            self.journal(place).display().to_string(),
        ];
        self.miners.push(Process::start(&Spec {
            name: format!("miner {place}"),
            program: own_program()?,
            args: args.into_iter().map(|arg: String| arg.into()).collect(),
            log: self.place(place).join("miner.log"),
            last_signal: LastSignal::Kill,
            namespace: None,
        })?);
        Ok(())
    }

    fn mount_disk(&self, place: usize) -> Result<(), ChaosError> {
        let disk = self.disk(place);
        std::fs::create_dir_all(&disk)?;
        let size = format!("size={}m", self.disk_mib);
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&disk).status()?;
        if status.success() { Ok(()) } else { Err(std::io::Error::other("no disk of memory can be mounted").into()) }
    }

    fn filler(&self, place: usize) -> PathBuf {
        self.disk(place).join("filler")
    }

    /// Writes until nothing more fits.
    pub(super) fn fill_disk(&self, place: usize) -> Result<(), ChaosError> {
        use std::io::Write;
        let mut filler = std::fs::File::create(self.filler(place))?;
        let piece = [0; 1 << 12];
        while filler.write_all(&piece).is_ok() {}
        Ok(())
    }

    pub(super) fn free_disk(&self, place: usize) -> Result<(), ChaosError> {
        Ok(std::fs::remove_file(self.filler(place))?)
    }

    pub(super) fn set_connected(&self, connected: bool) {
        for line in &self.lines {
            line.set_open(connected);
        }
    }

    pub(super) fn rpc(&self, place: usize) -> Rpc {
        Rpc::new(self.at[place].rpc, self.cookie(place))
    }

    /// Has each bitcoind write its chain to the disk, as `gettxoutsetinfo` does first. On its own, it does so once an hour: after six blocks
    /// of Bitcoin, but after 360 of this network. If both are killed within an hour, they begin again with blocks that no node
    /// keeps any more, since a node keeps its blocks until they are 100 deep.
    pub(super) async fn write_chains(&self) -> Result<(), RpcError> {
        for rpc in self.rpcs() {
            rpc.call("gettxoutsetinfo", json!(["none"])).await?;
        }
        Ok(())
    }

    pub(super) fn rpcs(&self) -> [Rpc; PLACES] {
        [self.rpc(0), self.rpc(1)]
    }

    pub(super) fn apis(&self) -> [Api; PLACES] {
        self.at.map(|at| Api::new(at.api))
    }

    pub(super) fn stratum(&self) -> [SocketAddr; PLACES] {
        self.at.map(|at| at.stratum)
    }

    fn journal(&self, place: usize) -> PathBuf {
        self.place(place).join("miner.jsonl")
    }

    pub(super) fn journals(&self) -> [PathBuf; PLACES] {
        [self.journal(0), self.journal(1)]
    }

    pub(super) async fn stop_miners(&mut self) {
        for mut miner in self.miners.drain(..) {
            miner.stop().await;
        }
    }

    /// Stops everything, nodes before their bitcoinds.
    pub(super) async fn stop(mut self) {
        self.stop_miners().await;
        for mut node in self.nodes.drain(..).flatten() {
            node.stop().await;
        }
        for bitcoind in self.bitcoinds.drain(..).flatten() {
            bitcoind.stop().await;
        }
        for place in 0..PLACES {
            // The namespace ends with this process, and its disks with it.
            let _ = Command::new("umount").arg(self.disk(place)).status();
        }
    }
}
