//! A miner's process and its journal.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::guard::LastSignal;
use super::plan::{MinerPlan, NodePlan};
use super::process::{Process, ProcessError, Spec, own_program};
use crate::miner::{self, Config, Counters, Journal};

/// Arguments of the hidden subcommand that runs a miner.
#[derive(Debug, Clone, Args)]
pub struct MinerArgs {
    /// Address of the node's Stratum server
    #[arg(long)]
    pub server: SocketAddr,
    /// User names, `address.worker`, separated by commas; with several, each share has the next one
    #[arg(long, value_delimiter = ',')]
    pub user: Vec<String>,
    /// Hashes per second
    #[arg(long)]
    pub hashrate: f64,
    /// Artificial delay of each job and each proof, in milliseconds
    #[arg(long)]
    pub delay_ms: u64,
    /// Journal file, with a line for each sent proof
    #[arg(long)]
    pub journal: PathBuf,
}

/// Returns the path of a miner's journal.
pub fn journal_path(miner: &MinerPlan, dir: &Path) -> PathBuf {
    dir.join(format!("{}.jsonl", miner.name))
}

/// Starts a miner on a node.
///
/// # Errors
/// If the process does not start.
pub(super) fn start(plan: &MinerPlan, node: &NodePlan, dir: &Path) -> Result<Process, ProcessError> {
    let start_error = |source| ProcessError::Start { name: plan.name.clone(), source };
    Process::start(&Spec {
        name: format!("miner {}", plan.name),
        program: own_program().map_err(start_error)?,
        args: vec![
            "miner".into(),
            "--server".into(),
            node.stratum.to_string().into(),
            "--user".into(),
            users(plan).into(),
            "--hashrate".into(),
            plan.hashrate_hs.to_string().into(),
            "--delay-ms".into(),
            plan.delay_ms.to_string().into(),
            "--journal".into(),
            journal_path(plan, dir).into(),
        ],
        log: dir.join(format!("{}.log", plan.name)),
        last_signal: LastSignal::Kill,
        namespace: None,
    })
}

fn users(plan: &MinerPlan) -> String {
    let users = plan.addresses.iter().map(|address| format!("{address}.{}", plan.name));
    users.collect::<Vec<_>>().join(",")
}

/// Runs the miner until a signal stops it.
///
/// # Errors
/// If its journal cannot be opened.
pub async fn run(args: MinerArgs) -> std::io::Result<()> {
    let journal = Journal::open(&args.journal)?;
    let config = Config {
        server: args.server,
        users: args.user,
        hashrate: args.hashrate,
        delay_ms: args.delay_ms,
        agent: concat!("shoal-testnet/", env!("CARGO_PKG_VERSION")).to_owned(),
        blocks_only: false,
    };
    miner::run(config, Arc::new(Counters::with_journal(journal))).await;
    Ok(())
}
