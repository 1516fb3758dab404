//! `shoal-testnet bench stratum`: a real node with many miners.
//!
//! Three processes: this one is the Bitcoin, with a template of 5,000 transactions; the second is the node, the third
//! the load. Blocks without transactions change the tip, so that the template stays full. Links come first, so that the
//! coinbase pays many scripts.

mod block;
mod flood;
mod measures;
mod node;
mod payees;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command as Program};

use super::load::{Command, Event, Protocol, now_us};
use crate::embedded::{self, Bitcoin};
use crate::network::own_program;
use crate::rpc::{Rpc, RpcError};
use measures::{Submits, quantile_ms};
use node::Node;

/// Transactions of the template.
const TRANSACTIONS: usize = 5_000;
/// Loopback addresses that miners come from.
const ADDRESSES: u8 = 100;
/// Accounts that they mine for.
const ACCOUNTS: u32 = 200;
/// Submits per connection whose processor time is measured.
const SUBMITS: u32 = 10;
/// One connection in this many submits around each tip.
const SUBMITTERS: usize = 10;
/// Time limit of one step.
const PATIENCE: Duration = Duration::from_secs(300);
/// Least time between tips. Half a second after a tip, the node proposes its block to bitcoind, which takes both of them some ten
/// milliseconds: tips that are minutes apart never meet that.
const TIP_INTERVAL: Duration = Duration::from_millis(1_200);
/// Time for the node to return memory.
const REST: Duration = Duration::from_secs(10);

/// Options of the benchmark.
#[derive(Clone, Copy, Debug)]
pub struct StratumOptions {
    /// Protocol of the connections.
    pub protocol: Protocol,
    /// Connections.
    pub connections: usize,
    /// Bitcoin tips of a round.
    pub tips: u32,
    /// Rounds: all connect, submit, see the tips and leave. From the second on, others flood the node meanwhile.
    pub rounds: u32,
}

/// Why the benchmark failed.
#[derive(Debug, thiserror::Error)]
pub enum StratumError {
    /// A file, a process or a connection fails.
    #[error("a file, a process or a connection fails")]
    Io(#[from] io::Error),
    /// The Bitcoin does not start.
    #[error(transparent)]
    Bitcoin(#[from] embedded::StartError),
    /// A call of the Bitcoin fails.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// A miner is refused.
    #[error(transparent)]
    Miner(#[from] stratum::ClientError),
    /// A block of the bench is refused.
    #[error("the Bitcoin refuses the bench's block: {0}")]
    Refused(serde_json::Value),
    /// A step does not finish.
    #[error("{what}; the logs are in {}", folder.display())]
    Step {
        /// What went wrong.
        what: String,
        /// The folder of the benchmark.
        folder: std::path::PathBuf,
    },
}

/// Results of the benchmark.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StratumBench {
    /// Protocol of the connections.
    pub protocol: Protocol,
    /// Connections.
    pub connections: usize,
    /// Processor cores of this machine, which all three processes share.
    pub cores: usize,
    /// Transactions of the template.
    pub transactions: usize,
    /// Bytes of the coinbase, without its witness.
    pub coinbase_bytes: usize,
    /// Bytes of one job.
    pub job_bytes: usize,
    /// Seconds from the first connection to the last one's first job.
    pub connected_s: f64,
    /// Bitcoin tips.
    pub tips: usize,
    /// Milliseconds from the node's receipt of a new tip to the load's read of the last job on it: median.
    pub tip_to_last_ms_p50: f64,
    /// The same, 99th percentile.
    pub tip_to_last_ms_p99: f64,
    /// The same from the submission of the block to the Bitcoin on: median.
    pub block_to_last_ms_p50: f64,
    /// The same, 99th percentile.
    pub block_to_last_ms_p99: f64,
    /// The node's resident memory per connection after all tips, bytes: beyond what it took without connections, for templates of
    /// many tips.
    pub bytes_per_connection: i64,
    /// The same after all connections have closed.
    pub bytes_per_connection_after: i64,
    /// Submits accepted per second of the node's processor time.
    pub submits_per_s_per_core: f64,
    /// The node's processor time per accepted submit, microseconds, including everything else that it does meanwhile.
    pub submit_cpu_us: f64,
    /// The same, without the time for the same number of silent connections.
    pub submit_alone_cpu_us: f64,
    /// Processor time for all connections while they are silent, in percent of a core: new jobs every 20 s, and
    /// deadlines.
    pub silent_cpu_percent: f64,
    /// Accepted submits.
    pub accepted: u64,
    /// Submits that were not accepted, and connections that the node closed.
    pub lost: u64,
    /// The node's resident memory before the first round, when it had seen many tips, and after each round's connections have closed, bytes.
    pub rounds_bytes: Vec<u64>,
}

/// The load's process.
struct Load {
    _child: Child,
    commands: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
    closed: u64,
}

/// Runs the benchmark with the program `shoal`.
///
/// # Errors
/// A process does not start, or a step does not finish.
pub async fn run(
    options: StratumOptions,
    shoal: &Path,
    progress: &mut impl Write,
) -> Result<StratumBench, StratumError> {
    let folder = tempfile::tempdir()?;
    let found = measure(options, shoal, folder.path(), progress).await;
    if found.is_err() {
        // The logs say why.
        let _ = folder.keep();
    }
    found
}

async fn measure(
    options: StratumOptions,
    shoal: &Path,
    folder: &Path,
    progress: &mut impl Write,
) -> Result<StratumBench, StratumError> {
    let StratumOptions { protocol, connections, rounds, .. } = options;
    let (listen, dir) = (SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), folder.join("bitcoin"));
    std::fs::create_dir_all(&dir)?;
    let bitcoin = Bitcoin::start(embedded::Config { dir, listen, transaction_interval: None }).await?;
    let transactions = bitcoin.fill(TRANSACTIONS);
    let rpc = Rpc::new(bitcoin.rpc_address(), bitcoin.cookie_path().to_owned());
    let mut node = Node::start(shoal, folder, &bitcoin).await?;
    let coinbase_bytes = payees::fill(node.stratum, &rpc).await?;
    writeln!(progress, "the template has {transactions} transactions, and the coinbase has {coinbase_bytes} bytes")?;
    let resting = block::warm_up(&rpc, &mut node).await?;
    let (mut seen, mut submits, mut rounds_bytes) = (Tips::default(), Submits::default(), vec![resting]);
    let (mut connected_s, mut full, mut silent_cpu) = (0.0, resting, 0.0);
    for round in 0..rounds.max(1) {
        let began = Instant::now();
        let mut load = Load::start(node.server(protocol), &options)?;
        load.until(folder, |event| matches!(event, Event::Connected).then_some(())).await?;
        connected_s = began.elapsed().as_secs_f64();
        if round == 0 {
            silent_cpu = node.silent_cpu().await;
        }
        let percent = 100.0 * silent_cpu;
        writeln!(progress, "{connections} connected after {connected_s:.1} s; they take {percent:.1}% of a core")?;
        let flood = (round > 0).then(|| tokio::spawn(flood::run(node.stratum)));
        submits.add(&load.submit(folder, (SUBMITS, 1, 0), connections as u64, || node.cpu_s()).await?);
        writeln!(progress, "{:.1} us of the node's processor time for a submit", submits.cpu_us())?;
        for number in 0..options.tips as usize {
            seen.next(number, &rpc, &mut node, &mut load, folder).await?;
        }
        full = node.memory_bytes();
        load.send(Command::Leave).await?;
        tokio::time::sleep(REST).await;
        submits.lost += load.closed;
        rounds_bytes.push(node.memory_bytes());
        if let Some(flood) = flood {
            let closed = flood.await.map_err(io::Error::other)??;
            writeln!(progress, "{closed} that flooded were disconnected")?;
        }
    }
    let per_connection = |bytes: u64| (bytes as i64 - resting as i64) / (connections as i64).max(1);
    node.stop().await?;
    Ok(StratumBench {
        protocol,
        connections,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        transactions,
        coinbase_bytes,
        job_bytes: seen.job_bytes,
        connected_s,
        tips: seen.from_tip_us.len(),
        tip_to_last_ms_p50: quantile_ms(&mut seen.from_tip_us, 0.5),
        tip_to_last_ms_p99: quantile_ms(&mut seen.from_tip_us, 0.99),
        block_to_last_ms_p50: quantile_ms(&mut seen.from_block_us, 0.5),
        block_to_last_ms_p99: quantile_ms(&mut seen.from_block_us, 0.99),
        bytes_per_connection: per_connection(full),
        bytes_per_connection_after: per_connection(rounds_bytes.last().copied().unwrap_or(resting)),
        submits_per_s_per_core: 1e6 / submits.cpu_us(),
        submit_cpu_us: submits.cpu_us(),
        submit_alone_cpu_us: submits.alone_cpu_us(silent_cpu),
        silent_cpu_percent: 100.0 * silent_cpu,
        accepted: submits.accepted + seen.accepted,
        lost: submits.lost + seen.lost,
        rounds_bytes,
    })
}

/// Measurements of the tips so far.
#[derive(Default)]
struct Tips {
    /// The time of the last one.
    newest: Option<Instant>,
    from_tip_us: Vec<u64>,
    from_block_us: Vec<u64>,
    job_bytes: usize,
    accepted: u64,
    lost: u64,
}

impl Tips {
    /// Changes the tip while some of the connections submit.
    async fn next(
        &mut self,
        number: usize,
        rpc: &Rpc,
        node: &mut Node,
        load: &mut Load,
        folder: &Path,
    ) -> Result<(), StratumError> {
        let block = block::next(rpc).await?;
        load.prepare(folder, (1, SUBMITTERS, number % SUBMITTERS)).await?;
        let since = self.newest.map_or(TIP_INTERVAL, |newest| newest.elapsed());
        tokio::time::sleep(TIP_INTERVAL.saturating_sub(since)).await;
        load.send(Command::Submit { within_ms: 400 }).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let submitted_us = now_us();
        self.newest = Some(Instant::now());
        block::submit(rpc, &block).await?;
        let (mut last_us, mut is_answered) = (None, false);
        while last_us.is_none() || !is_answered {
            match load.next(folder).await? {
                Event::Tip { last_us: last, bytes, .. } => (last_us, self.job_bytes) = (Some(last), bytes),
                Event::Submitted { accepted, lost } => {
                    self.accepted += accepted;
                    self.lost += lost;
                    is_answered = true;
                }
                _ => {}
            }
        }
        let last_us = last_us.unwrap_or(submitted_us);
        let received_us = node.newest_tip_us(submitted_us)?;
        self.from_tip_us.push(last_us.saturating_sub(received_us));
        self.from_block_us.push(last_us.saturating_sub(submitted_us));
        Ok(())
    }
}

impl Load {
    fn start(server: SocketAddr, options: &StratumOptions) -> io::Result<Self> {
        let StratumOptions { protocol, connections, .. } = options;
        let protocol = protocol.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        let mut child = Program::new(own_program()?)
            .arg("load")
            .args(["--server", &server.to_string()])
            .args(["--protocol", &protocol])
            .args(["--connections", &connections.to_string()])
            .args(["--addresses", &ADDRESSES.to_string()])
            .args(["--accounts", &ACCOUNTS.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("the process has no pipes");
        let commands = child.stdin.take().ok_or_else(missing)?;
        let events = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        Ok(Self { _child: child, commands, events, closed: 0 })
    }

    async fn send(&mut self, command: Command) -> io::Result<()> {
        let line = serde_json::to_string(&command)? + "\n";
        self.commands.write_all(line.as_bytes()).await
    }

    /// The next event. Closed connections are counted.
    async fn next(&mut self, folder: &Path) -> Result<Event, StratumError> {
        let step = |what: &str| StratumError::Step { what: what.to_owned(), folder: folder.to_owned() };
        loop {
            let line = tokio::time::timeout(PATIENCE, self.events.next_line()).await;
            let line = line.map_err(|_| step("the load makes no progress"))??.ok_or_else(|| step("the load ended"))?;
            match serde_json::from_str(&line).map_err(io::Error::from)? {
                Event::Closed { connections } => self.closed = connections,
                event => return Ok(event),
            }
            if self.closed > 100 {
                return Err(step("the node closes connections"));
            }
        }
    }

    async fn until<T>(&mut self, folder: &Path, wanted: impl Fn(Event) -> Option<T>) -> Result<T, StratumError> {
        loop {
            if let Some(found) = wanted(self.next(folder).await?) {
                return Ok(found);
            }
        }
    }

    async fn prepare(&mut self, folder: &Path, (count, of, part): (u32, usize, usize)) -> Result<u64, StratumError> {
        self.send(Command::Prepare { count, of, part }).await?;
        self.until(folder, |event| match event {
            Event::Prepared { proofs } => Some(proofs),
            _ => None,
        })
        .await
    }

    /// Prepares and submits, one submit of each connection a second.
    async fn submit(
        &mut self,
        folder: &Path,
        which: (u32, usize, usize),
        connections: u64,
        cpu_s: impl Fn() -> f64,
    ) -> Result<Submits, StratumError> {
        self.prepare(folder, which).await?;
        let (began, before) = (Instant::now(), cpu_s());
        // 10,000 a second, so that the processor is not the limit.
        self.send(Command::Submit { within_ms: u64::from(which.0) * connections / 10 }).await?;
        let (accepted, lost) = self
            .until(folder, |event| match event {
                Event::Submitted { accepted, lost } => Some((accepted, lost)),
                _ => None,
            })
            .await?;
        Ok(Submits { accepted, lost, cpu_s: cpu_s() - before, seconds: began.elapsed().as_secs_f64() })
    }
}
