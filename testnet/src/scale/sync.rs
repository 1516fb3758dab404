//! `shoal-testnet bench sync`: a fresh node joins a pool with a full window over loopback.
//!
//! Three processes: this one is the Bitcoin of both nodes, the second serves the window, the third is fresh.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sharechain::ChainParams;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::disk_bytes;
use super::pool::PoolError;
use super::process::{cpu_s, memory_bytes};
use super::window::{self, Made, WindowOptions};
use crate::api_client::{Api, ApiError};
use crate::double::{Double, Fill};
use crate::network::without_settings;

/// Time limit for a node's first job.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Why the benchmark failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The window cannot be made.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// A file, a process or a connection fails.
    #[error("a file, a process or a connection fails")]
    Io(#[from] io::Error),
    /// A node's API fails.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A node ended, or handed out no work.
    #[error("the {node} node {what}; its log is {}", log.display())]
    Node {
        /// Which node.
        node: &'static str,
        /// Its failure.
        what: String,
        /// Its log.
        log: PathBuf,
    },
}

/// Results of the benchmark.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SyncBench {
    /// Payout scripts that earn.
    pub scripts: u64,
    /// Links of the share-chain.
    pub links: u32,
    /// Processor cores of this machine.
    pub cores: usize,
    /// Seconds from the start of the fresh node to its first job.
    pub first_work_s: f64,
    /// Bytes of messages that the fresh node received.
    pub received_bytes: u64,
    /// The same by kind.
    pub received_bytes_by_kind: BTreeMap<String, u64>,
    /// The larger of the two nodes' peaks of resident memory.
    pub rss_bytes_max: u64,
    /// Peak of the fresh node's resident memory.
    pub fresh_rss_bytes_max: u64,
    /// Peak of the serving node's resident memory.
    pub serving_rss_bytes_max: u64,
    /// Size of the fresh node's database.
    pub disk_bytes: u64,
    /// Size of the serving node's database.
    pub serving_disk_bytes: u64,
    /// Seconds from a restart of the fresh node to its first job.
    pub restart_first_job_s: f64,
    /// Processor time of that restart, seconds, which is more meaningful on a busy machine.
    pub restart_cpu_s: f64,
    /// Seconds from the start of the serving node to its first job.
    pub serving_first_job_s: f64,
}

/// A node's process on the network `rehearsal`.
pub(crate) struct Node {
    name: &'static str,
    shoal: PathBuf,
    folder: PathBuf,
    p2p: SocketAddr,
    stratum: SocketAddr,
    api: SocketAddr,
    child: Child,
}

/// Runs the benchmark with the program `shoal`; the window stays in `cache`. The fresh node has the peers `others`
/// besides the serving one, as multiaddresses.
///
/// # Errors
/// The window cannot be made, a node does not start, or the fresh one does not get in sync.
pub async fn run(
    options: WindowOptions,
    (shoal, others): (&Path, &[String]),
    cache: &Path,
    progress: &mut impl Write,
) -> Result<SyncBench, SyncError> {
    let made = window::make(options, cache, progress)?;
    let folder = tempfile::tempdir()?;
    let found = measure(options, &made, (shoal, others), folder.path(), progress).await;
    if found.is_err() {
        // The logs say why.
        let _ = folder.keep();
    }
    found
}

/// Serves the window with a node of the program `shoal` until Ctrl-C, and prints the folder of its configuration:
/// measurements of pages or miners need a lasting node.
///
/// # Errors
/// The window cannot be made, or the node does not start.
pub async fn serve(
    options: WindowOptions,
    shoal: &Path,
    cache: &Path,
    progress: &mut impl Write,
) -> Result<(), SyncError> {
    let made = window::make(options, cache, progress)?;
    let folder = tempfile::tempdir()?;
    let double = bitcoin(&made, folder.path()).await?;
    let serving_folder = folder.path().join("serving");
    copy_files(&made.store, &serving_folder.join("data/store"))?;
    let mut serving = Node::start((shoal, "serving"), serving_folder, (double.address, &double.cookie), &[]).await?;
    serving.first_job().await?;
    // Nodes may be served although the reader of the pipe is gone.
    let _ = writeln!(io::stdout(), "serving in {}", serving.folder.display());
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminated.recv() => {}
    }
    serving.stop().await
}

/// The Bitcoin that the window builds on.
async fn bitcoin(made: &Made, folder: &Path) -> io::Result<Double> {
    Double::start(&ChainParams::rehearsal(), (&made.root, &made.above), vec![Fill::empty()], folder).await
}

async fn measure(
    options: WindowOptions,
    made: &Made,
    (shoal, others): (&Path, &[String]),
    folder: &Path,
    progress: &mut impl Write,
) -> Result<SyncBench, SyncError> {
    let double = bitcoin(made, folder).await?;
    let serving_folder = folder.join("serving");
    copy_files(&made.store, &serving_folder.join("data/store"))?;
    let began = Instant::now();
    let mut serving = Node::start((shoal, "serving"), serving_folder, (double.address, &double.cookie), &[]).await?;
    serving.first_job().await?;
    let serving_first_job_s = began.elapsed().as_secs_f64();
    writeln!(progress, "the serving node is at work after {serving_first_job_s:.1} s")?;
    let began = Instant::now();
    let peers: Vec<_> = others.iter().cloned().chain([serving.multiaddress()]).collect();
    let mut fresh =
        Node::start((shoal, "fresh"), folder.join("fresh"), (double.address, &double.cookie), &peers).await?;
    fresh.first_job().await?;
    let first_work_s = began.elapsed().as_secs_f64();
    writeln!(progress, "the fresh node is at work after {first_work_s:.1} s")?;
    let status = serving.client().status().await?;
    fresh.until_at(&status.tip).await?;
    let received_bytes_by_kind = fresh.client().metric("shoal_peer_received_bytes_total", "kind").await?;
    let (fresh_rss_bytes_max, serving_rss_bytes_max) = (fresh.peak_bytes(), serving.peak_bytes());
    fresh.stop().await?;
    let disk = fresh.disk_bytes()?;
    let began = Instant::now();
    fresh.restart().await?;
    fresh.first_job().await?;
    let (restart_first_job_s, restart_cpu_s) = (began.elapsed().as_secs_f64(), fresh.cpu_s());
    fresh.stop().await?;
    serving.stop().await?;
    Ok(SyncBench {
        scripts: options.scripts,
        links: status.height,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        first_work_s,
        received_bytes: received_bytes_by_kind.values().sum(),
        received_bytes_by_kind,
        rss_bytes_max: fresh_rss_bytes_max.max(serving_rss_bytes_max),
        fresh_rss_bytes_max,
        serving_rss_bytes_max,
        disk_bytes: disk,
        serving_disk_bytes: serving.disk_bytes()?,
        restart_first_job_s,
        restart_cpu_s,
        serving_first_job_s,
    })
}

/// A port that is free now.
fn free_port() -> io::Result<SocketAddr> {
    StdListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Copies a folder of files.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

impl Node {
    /// Starts the program `shoal` on the bitcoind with this address and cookie file. Without peers, it starts a new
    /// pool.
    pub(crate) async fn start(
        (shoal, name): (&Path, &'static str),
        folder: PathBuf,
        (bitcoind, cookie): (SocketAddr, &Path),
        peers: &[String],
    ) -> Result<Self, SyncError> {
        let (p2p, stratum, api) = (free_port()?, free_port()?, free_port()?);
        fs::create_dir_all(&folder)?;
        let config = format!(
            "network = \"rehearsal\"\ndata_dir = {:?}\nnew_pool = {}\n\
             [bitcoind]\nurl = \"http://{}\"\ncookie_file = {:?}\n\
             [stratum]\nlisten = \"{stratum}\"\n[api]\nlisten = \"{api}\"\n\
             [p2p]\nlisten = [\"{p2p}\"]\npeers = {peers:?}\nmdns = false\ndiscover = false\n",
            folder.join("data"),
            peers.is_empty(),
            bitcoind,
            cookie,
        );
        fs::write(folder.join("shoal.toml"), config)?;
        let child = spawn(shoal, &folder)?;
        Ok(Self { name, shoal: shoal.to_owned(), folder, p2p, stratum, api, child })
    }

    async fn restart(&mut self) -> Result<(), SyncError> {
        self.child = spawn(&self.shoal, &self.folder)?;
        Ok(())
    }

    /// Address for miners.
    pub(crate) fn stratum(&self) -> SocketAddr {
        self.stratum
    }

    /// Waits for the first job that the node hands out.
    pub(crate) async fn first_job(&mut self) -> Result<(), SyncError> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failed(&format!("ended with {status}")));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // A node that has no work yet refuses miners or lets them wait.
            if let Ok(Ok(true)) = tokio::time::timeout(left, job_of(self.stratum)).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(self.failed("handed out no work"))
    }

    /// Waits for the last links: a few of them may be missing when miners get work.
    async fn until_at(&self, tip: &str) -> Result<(), SyncError> {
        let deadline = Instant::now() + PATIENCE;
        while self.client().status().await?.tip != tip {
            if Instant::now() >= deadline {
                return Err(self.failed("has another tip than the serving node"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    pub(crate) async fn stop(&mut self) -> Result<(), SyncError> {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM)
                .map_err(io::Error::from)?;
        }
        self.child.wait().await?;
        Ok(())
    }

    pub(crate) fn multiaddress(&self) -> String {
        format!("/ip4/{}/tcp/{}", self.p2p.ip(), self.p2p.port())
    }

    pub(crate) fn client(&self) -> Api {
        Api::new(self.api)
    }

    fn disk_bytes(&self) -> io::Result<u64> {
        disk_bytes(&self.folder.join("data"))
    }

    /// Peak of the process's resident memory, bytes.
    fn peak_bytes(&self) -> u64 {
        self.child.id().map_or(0, |id| memory_bytes(id, "VmHWM"))
    }

    /// Processor time of the process so far, seconds.
    fn cpu_s(&self) -> f64 {
        self.child.id().map_or(0.0, cpu_s)
    }

    fn failed(&self, what: &str) -> SyncError {
        SyncError::Node { node: self.name, what: what.to_owned(), log: self.folder.join("log") }
    }
}

fn spawn(shoal: &Path, folder: &Path) -> Result<Child, SyncError> {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log"))?;
    let mut command = Command::new(shoal);
    command.arg("run").arg("--config").arg(folder.join("shoal.toml"));
    without_settings(&mut command);
    Ok(command.stdout(log.try_clone()?).stderr(log).kill_on_drop(true).spawn()?)
}

/// Connects a miner, and returns true once it has a job; false if the node closes.
async fn job_of(stratum: SocketAddr) -> io::Result<bool> {
    // An unowned script on the signet.
    const USER: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";
    let mut stream = TcpStream::connect(stratum).await?;
    let hello = format!(
        "{{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"bench\"]}}\n\
         {{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"{USER}\",\"x\"]}}\n"
    );
    stream.write_all(hello.as_bytes()).await?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        if line.contains("mining.notify") && !line.contains("\"result\"") {
            return Ok(true);
        }
    }
    Ok(false)
}
