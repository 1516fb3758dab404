//! The command line.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use node::config::Outputs;
use serde::Serialize;

mod attack;
mod bench;
mod chaos;
mod link;
mod parse;

use crate::attack::{AttackError, HostileArgs, run_hostile};
use crate::chaos::{ChaosError, enter_namespaces};
use crate::faults::{self, Answer, ClientError, Request};
use crate::limits::{MINERS_MAX, NODES_MAX, PAYEES_MAX};
use crate::link::{LinkError, enter_user_namespace};
use crate::network::{
    BitcoinArgs, BitcoinError, BitcoinKind, Chain, GuardArgs, GuardError, MinerArgs, NetworkOptions, NodeError,
    run_bitcoin, run_guard, run_miner,
};
use crate::premine::{self, PremineError};
use crate::rehearsal::MonthError;
use crate::scale::{self, LoadArgs, PoolError, StratumError, SyncError};
use crate::table::status_text;
use crate::up::{self, Options, UpError};
use attack::AttackArgs;
use bench::BenchCommand;
use chaos::ChaosArgs;
use link::LinkArgs;
use parse::{count, parse_delay, parse_hashrate, parse_outputs};

/// Runs a local Shoal network: nodes, miners and a Bitcoin, all as real processes on this machine
#[derive(Debug, Parser)]
#[command(name = "shoal-testnet", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a network and show it until Ctrl-C, which stops every process
    Up(Box<UpArgs>),
    /// Show the status of the running network
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Kill a node at once, like `kill -9`
    Kill {
        /// Name of the node: A, B and so on
        node: String,
        #[command(flatten)]
        at: At,
    },
    /// Start a node again; a running one is stopped first
    Restart {
        /// Name of the node: A, B and so on
        node: String,
        #[command(flatten)]
        at: At,
    },
    /// Cut the lines between groups of nodes
    Partition {
        /// Groups as in 'A,B|C,D'; all other nodes form one more group
        groups: String,
        #[command(flatten)]
        at: At,
    },
    /// Restore all lines
    Heal {
        #[command(flatten)]
        at: At,
    },
    /// Stop the running network and write its report
    Stop {
        #[command(flatten)]
        at: At,
    },
    /// Attack a network of nodes, and show whether they hold
    Attack(AttackArgs),
    /// Let bitcoinds, disks, clocks and lines fail around two nodes, and show whether they hold
    Chaos(ChaosArgs),
    /// Measure a node: its first sync, its years, its miners
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Mine the initial chain of all test networks again: for maintainers
    #[command(hide = true)]
    Premine {
        /// File to write
        #[arg(default_value = "testnet/fixtures/signet-nonces.txt")]
        path: PathBuf,
    },
    /// Run the network's Bitcoin
    #[command(hide = true)]
    Bitcoin(BitcoinArgs),
    /// Run one miner
    #[command(hide = true)]
    Miner(MinerArgs),
    /// Attack a node, or join it as a newcomer
    #[command(hide = true)]
    Hostile(HostileArgs),
    /// Load a node with miners
    #[command(hide = true)]
    Load(LoadArgs),
    /// Tie a process to its parent
    #[command(hide = true)]
    Guard(GuardArgs),
}

/// The network that a command is for.
#[derive(Debug, Clone, Args)]
struct At {
    /// Folder of the network [default: the running one]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
struct UpArgs {
    /// Number of nodes
    #[arg(long, default_value_t = 5, value_parser = count(NODES_MAX))]
    nodes: u64,
    /// Number of miners, spread over the nodes [default: one per node]
    #[arg(long, value_parser = count(MINERS_MAX))]
    miners: Option<u64>,
    /// Number of payout addresses, spread over the miners, which use the next one for each share [default: one per miner]
    #[arg(long, value_parser = count(PAYEES_MAX))]
    payees: Option<u64>,
    /// Payouts that a coinbase holds: standard (48) or wide (1,000)
    #[arg(long, default_value = "standard", value_parser = parse_outputs)]
    outputs: Outputs,
    /// Hashes per second of all miners together, as 400k or 1.5M; one core does about 5M, and the nodes need some of it
    #[arg(long, default_value = "400k", value_parser = parse_hashrate, value_name = "RATE")]
    hashrate: f64,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    /// Stop after this many Bitcoin blocks; if --duration ends first, the exit code is 1
    #[arg(long, value_name = "N")]
    exit_after_blocks: Option<u64>,
    /// Write a report in JSON at the end; see testnet/README.md
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Folder for all files [default: a new one in the system's temporary folder]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// The network's Bitcoin: the built-in one, or a bitcoind from $BITCOIND, PATH or Debian's packages
    #[arg(long, value_enum, default_value_t = BitcoinKind::Embedded)]
    bitcoin: BitcoinKind,
    /// The Bitcoin network: a signet of this repository, or regtest, which needs `--bitcoin bitcoind`
    #[arg(long, value_enum, default_value_t = Chain::Local)]
    network: Chain,
    /// Delay each job and each proof of a miner in milliseconds, as m2=2000; may be repeated
    #[arg(long, value_name = "MINER=MS", value_parser = parse_delay)]
    delay: Vec<(String, u64)>,
    /// Start the last node after this many seconds
    #[arg(long, value_name = "SECONDS")]
    late_node: Option<u64>,
    /// Let nodes find each other by mDNS, instead of over lines that `partition` can cut
    #[arg(long, conflicts_with = "discover")]
    mdns: bool,
    #[command(flatten)]
    link: LinkArgs,
    /// Let nodes discover each other, knowing only the first one, instead of over lines that `partition` can cut
    #[arg(long)]
    discover: bool,
    /// Stream the share-chain of all nodes into a PostgreSQL, show its URL, and compare it with their databases at the end. Not
    /// with lines between the nodes: PostgreSQL does not run as another user in a user namespace
    #[arg(long, conflicts_with_all = ["latency", "latency_of", "loss", "rate"])]
    archive: bool,
    /// Print lines instead of the live table
    #[arg(long)]
    plain: bool,
}

/// Any error of a command.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Up(#[from] UpError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Attack(#[from] AttackError),
    #[error(transparent)]
    Chaos(#[from] ChaosError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Premine(#[from] PremineError),
    #[error(transparent)]
    Bitcoin(#[from] BitcoinError),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(transparent)]
    Scale(#[from] PoolError),
    #[error(transparent)]
    Month(#[from] MonthError),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error(transparent)]
    Stratum(#[from] StratumError),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error("the miner cannot write its journal")]
    Miner(#[source] std::io::Error),
    #[error("cannot create a folder for the network")]
    Folder(#[source] std::io::Error),
    #[error("cannot start")]
    Io(#[from] std::io::Error),
    #[error("cannot print")]
    Print(#[source] std::io::Error),
}

/// Runs the program and returns its exit code: 0, or 1 with one sentence on standard error, or clap's 2 for a wrong
/// command.
pub fn main() -> ExitCode {
    match execute(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A reader like `head` has read enough; standard error may be closed as well.
            if !matches!(&error, CliError::Print(source) if source.kind() == ErrorKind::BrokenPipe) {
                let _ = writeln!(std::io::stderr(), "shoal-testnet: {}", node_core::sentence(&error));
            }
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<(), CliError> {
    // The guard becomes another program, so no other threads may run.
    if let Command::Guard(args) = command {
        let Err(error) = run_guard(&args);
        return Err(error.into());
    }
    if let Command::Load(args) = command {
        return Ok(scale::run_load(args)?);
    }
    // A process with threads cannot enter a user namespace.
    let is_apart = match &command {
        Command::Up(args) => args.link.is_wanted(),
        Command::Attack(args) => args.needs_network(),
        _ => false,
    };
    if is_apart {
        enter_user_namespace()?;
    }
    if matches!(command, Command::Chaos(_)) {
        enter_namespaces()?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Up(args) => Ok(up::run(args.options()?).await?),
            Command::Status { json, at } => status(&at, json).await,
            Command::Kill { node, at } => command_for(&at, Request::Kill { node }).await,
            Command::Restart { node, at } => command_for(&at, Request::Restart { node }).await,
            Command::Partition { groups, at } => command_for(&at, Request::Partition { groups }).await,
            Command::Heal { at } => command_for(&at, Request::Heal).await,
            Command::Stop { at } => command_for(&at, Request::Stop).await,
            Command::Bench(command) => command.run().await,
            Command::Attack(args) => args.run().await,
            Command::Chaos(args) => args.run().await,
            Command::Hostile(args) => Ok(run_hostile(args).await?),
            Command::Premine { path } => Ok(premine::generate(&path, |height| {
                let _ = writeln!(std::io::stderr(), "block {height}");
            })?),
            Command::Bitcoin(args) => {
                log_to_stderr();
                Ok(run_bitcoin(args).await?)
            }
            Command::Miner(args) => {
                log_to_stderr();
                run_miner(args).await.map_err(CliError::Miner)
            }
            Command::Guard(_) | Command::Load(_) => Ok(()),
        }
    })
}

/// The hidden processes log to standard error, which goes to their log files.
fn log_to_stderr() {
    // Initialization happens only once, because each process runs one command.
    let _ = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).try_init();
}

impl UpArgs {
    fn options(self) -> Result<Options, CliError> {
        let dir = match self.dir {
            Some(dir) => std::path::absolute(dir).map_err(CliError::Folder)?,
            None => tempfile::Builder::new().prefix("shoal-testnet-").tempdir().map_err(CliError::Folder)?.keep(),
        };
        let nodes = usize::try_from(self.nodes).unwrap_or(NODES_MAX);
        Ok(Options {
            network: NetworkOptions {
                dir,
                nodes,
                miners: self.miners.map_or(nodes, |miners| usize::try_from(miners).unwrap_or(MINERS_MAX)),
                payees: self.payees.map_or(0, |payees| usize::try_from(payees).unwrap_or(PAYEES_MAX)),
                outputs: self.outputs,
                hashrate_hs: self.hashrate,
                delays_ms: self.delay.into_iter().collect::<BTreeMap<_, _>>(),
                bitcoin: self.bitcoin,
                chain: self.network,
                mdns: self.mdns,
                link: self.link.options(),
                discover: self.discover,
            },
            late_node: self.late_node.map(Duration::from_secs),
            duration: self.duration.map(Duration::from_secs),
            exit_after_blocks: self.exit_after_blocks,
            report: self.report.map(std::path::absolute).transpose().map_err(CliError::Folder)?,
            archive: self.archive,
            plain: self.plain,
        })
    }
}

async fn status(at: &At, json: bool) -> Result<(), CliError> {
    if let Answer::Status { status } = faults::ask(&at.dir()?, &Request::Status).await? {
        print(&if json { as_json(&status)? } else { status_text(&status) })?;
    }
    Ok(())
}

async fn command_for(at: &At, request: Request) -> Result<(), CliError> {
    if let Answer::Done { done } = faults::ask(&at.dir()?, &request).await? {
        print(&format!("{done}\n"))?;
    }
    Ok(())
}

fn as_json(result: &impl Serialize) -> Result<String, CliError> {
    Ok(serde_json::to_string_pretty(result).map_err(std::io::Error::from)? + "\n")
}

/// Prints a command's result.
fn print(text: &str) -> Result<(), CliError> {
    std::io::stdout().write_all(text.as_bytes()).map_err(CliError::Print)
}

impl At {
    fn dir(&self) -> Result<PathBuf, ClientError> {
        self.dir.clone().map_or_else(faults::running_dir, Ok)
    }
}

#[cfg(test)]
mod tests;
