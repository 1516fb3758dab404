//! The network's Bitcoin: a separate process of either kind.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::chain::Chain;
use super::guard::LastSignal;
use super::plan::{BitcoinKind, BitcoinPlan};
use super::process::{Process, ProcessError, Spec, own_program};
use crate::bitcoind::{BitcoindError, RealBitcoin};
use crate::embedded::{self, Bitcoin};
use crate::limits::BITCOIN_START_MAX;
use crate::rpc::Rpc;
use crate::wallet;

/// Pause between two transactions of the wallet: some eight per block.
const TRANSACTION_INTERVAL: Duration = Duration::from_millis(1_500);

/// Arguments of the hidden subcommand that runs the Bitcoin.
#[derive(Debug, Clone, Args)]
pub struct BitcoinArgs {
    /// Kind of the Bitcoin
    #[arg(long, value_enum)]
    pub kind: BitcoinKind,
    /// Its network
    #[arg(long, value_enum)]
    pub chain: Chain,
    /// Folder of its data
    #[arg(long)]
    pub dir: PathBuf,
    /// Address of its RPC
    #[arg(long)]
    pub rpc: std::net::SocketAddr,
}

/// An error of the network's Bitcoin.
#[derive(Debug, thiserror::Error)]
pub enum BitcoinError {
    /// The process does not start.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Its folder cannot be created.
    #[error("cannot create the folder {path}")]
    Folder {
        /// Path of the folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The path of this program cannot be found.
    #[error("cannot find this program's own file")]
    OwnProgram(#[source] std::io::Error),
    /// It exited or does not answer.
    #[error("the network's Bitcoin did not start; see {log}")]
    NotUp {
        /// Path of its log.
        log: PathBuf,
    },
    /// The embedded one does not start.
    #[error(transparent)]
    Embedded(#[from] embedded::StartError),
    /// The real one does not start.
    #[error(transparent)]
    Real(#[from] BitcoindError),
    /// Signals cannot be received.
    #[error("cannot wait for signals")]
    Signals(#[source] std::io::Error),
}

/// Starts the process and waits until it answers.
///
/// # Errors
/// [`BitcoinError`].
pub(super) async fn start(plan: &BitcoinPlan) -> Result<Process, BitcoinError> {
    let path = plan.dir.clone();
    std::fs::create_dir_all(&path).map_err(|source| BitcoinError::Folder { path, source })?;
    let mut process = Process::start(&Spec {
        name: "bitcoin".to_owned(),
        program: own_program().map_err(BitcoinError::OwnProgram)?,
        args: vec![
            "bitcoin".into(),
            "--kind".into(),
            plan.kind.as_str().into(),
            "--chain".into(),
            plan.chain.as_str().into(),
            "--dir".into(),
            plan.dir.clone().into(),
            "--rpc".into(),
            plan.rpc.to_string().into(),
        ],
        log: plan.dir.join("bitcoin.log"),
        // A real bitcoind is a child of this process, which must stop it.
        last_signal: LastSignal::Term,
        namespace: None,
    })?;
    let rpc = Rpc::new(plan.rpc, plan.cookie_path());
    let started = Instant::now();
    while started.elapsed() < BITCOIN_START_MAX && process.ended().is_none() {
        let blocks = rpc.call("getblockcount", json!([])).await.ok().and_then(|count| count.as_u64());
        if blocks.is_some_and(|blocks| blocks >= u64::from(plan.chain.premined())) {
            return Ok(process);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(BitcoinError::NotUp { log: process.log().to_owned() })
}

/// Runs the Bitcoin until a signal stops it.
///
/// # Errors
/// If it does not start.
pub async fn run(args: BitcoinArgs) -> Result<(), BitcoinError> {
    let mut stop = signal(SignalKind::terminate()).map_err(BitcoinError::Signals)?;
    match args.kind {
        BitcoinKind::Embedded => {
            let transaction_interval = Some(TRANSACTION_INTERVAL);
            let config = embedded::Config { dir: args.dir, listen: args.rpc, transaction_interval };
            let bitcoin = Bitcoin::start(config).await?;
            tokio::select! {
                () = bitcoin.wait() => {}
                _ = stop.recv() => {}
            }
        }
        BitcoinKind::Bitcoind => {
            let bitcoin = tokio::select! {
                started = RealBitcoin::start(args.chain, &args.dir, args.rpc.port()) => started?,
                _ = stop.recv() => return Ok(()),
            };
            // Regtest's subsidy halves every 150 blocks, so its wallet would soon have nothing to spend.
            let has_wallet = args.chain == Chain::Local;
            tokio::select! {
                () = wallet::feed::run(bitcoin.rpc().clone(), TRANSACTION_INTERVAL), if has_wallet => {}
                _ = stop.recv() => {}
            }
            bitcoin.stop().await;
        }
    }
    Ok(())
}
