//! Runs a real bitcoind on the test network's signet or on regtest, as a child process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::process::{Child, Command};

use crate::limits::{BITCOIND_START_MAX, BITCOIND_STOP_MAX};
use crate::network::Chain;
use crate::premine::{self, PremineError};
use crate::rpc::{Rpc, RpcError};
use crate::signet;

/// The script that unpacks a bitcoind from Debian's packages.
const FETCH_SCRIPT: &str = include_str!("../get-bitcoind.sh");

/// Age above which bitcoind considers its tip still syncing, as text. The premined chain ends in 2020, and regtest
/// begins in 2011.
const TIP_AGE_MAX_S: u64 = 100 * 365 * 24 * 60 * 60;

/// An error of a real bitcoind.
#[derive(Debug, thiserror::Error)]
pub enum BitcoindError {
    /// No bitcoind was found, and none could be fetched.
    #[error("found no bitcoind in $BITCOIND or PATH, and get-bitcoind.sh cannot fetch one:\n{explanation}")]
    NotFound {
        /// Output of the script.
        explanation: String,
    },
    /// The program cannot be started.
    #[error("cannot start {program}")]
    Start {
        /// Path of the program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It exited or did not answer in time.
    #[error("bitcoind did not start; see {log}")]
    NotUp {
        /// Path of its log file.
        log: PathBuf,
    },
    /// A call failed during the preparation.
    #[error("a call to bitcoind failed")]
    Rpc(#[from] RpcError),
    /// The premined chain cannot be read.
    #[error(transparent)]
    Premine(#[from] PremineError),
    /// It rejected a block of the premined chain.
    #[error("bitcoind rejected premined block {height}: {reason}")]
    PremineRejected {
        /// Height of the block.
        height: u32,
        /// The reason, in BIP-0022's words.
        reason: String,
    },
}

/// A running bitcoind with the premined chain loaded. It is killed when dropped.
#[derive(Debug)]
pub struct RealBitcoin {
    child: Child,
    rpc: Rpc,
    rpc_address: SocketAddr,
    cookie_path: PathBuf,
}

impl RealBitcoin {
    /// Starts bitcoind in `dir`, with its RPC on `rpc_port` of the loopback address and without peers, and loads the
    /// premined chain, if its network has one.
    ///
    /// # Errors
    /// Any [`BitcoindError`]. The process is gone in that case.
    pub async fn start(chain: Chain, dir: &Path, rpc_port: u16) -> Result<Self, BitcoindError> {
        Self::start_with(chain, dir, rpc_port, &[]).await
    }

    /// Like [`Self::start`], with more options, which win.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(
        chain: Chain,
        dir: &Path,
        rpc_port: u16,
        options: &[String],
    ) -> Result<Self, BitcoindError> {
        let program = find().await?;
        let rpc_address = SocketAddr::from((Ipv4Addr::LOCALHOST, rpc_port));
        let child = spawn(&program, chain, dir, rpc_port, options)
            .map_err(|source| BitcoindError::Start { program, source })?;
        let folder = dir.join(chain.bitcoind_folder());
        let cookie_path = folder.join(".cookie");
        let rpc = Rpc::new(rpc_address, cookie_path.clone());
        let mut bitcoin = Self { child, rpc, rpc_address, cookie_path };
        bitcoin.wait_until_up(&folder).await?;
        if chain.premined() > 0 {
            bitcoin.load_premined().await?;
        }
        Ok(bitcoin)
    }

    /// Returns the address of its RPC.
    pub fn rpc_address(&self) -> SocketAddr {
        self.rpc_address
    }

    /// Returns the path of its cookie file.
    pub fn cookie_path(&self) -> &Path {
        &self.cookie_path
    }

    /// Returns a client of its RPC.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Returns its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it at once, like `kill -9`.
    pub async fn kill(mut self) {
        // If it has exited in the meantime, nothing is left to kill.
        let _ = self.child.kill().await;
    }

    /// Asks it to stop and waits. Kills it if that takes too long.
    pub async fn stop(mut self) {
        let asked = self.rpc.call("stop", json!([])).await;
        let ended = tokio::time::timeout(BITCOIND_STOP_MAX, self.child.wait()).await;
        if asked.is_err() || ended.is_err() {
            tracing::warn!("bitcoind did not stop in time, killing it");
            // If it has exited in the meantime, nothing is left to kill.
            let _ = self.child.kill().await;
        }
    }

    async fn wait_until_up(&mut self, folder: &Path) -> Result<(), BitcoindError> {
        let started = Instant::now();
        while started.elapsed() < BITCOIND_START_MAX {
            if self.rpc.call("getblockcount", json!([])).await.is_ok() {
                tracing::info!(elapsed_ms = started.elapsed().as_millis(), "bitcoind is up");
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                tracing::error!(%status, "bitcoind exited while starting");
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(BitcoindError::NotUp { log: folder.join("debug.log") })
    }

    async fn load_premined(&self) -> Result<(), BitcoindError> {
        for (height, block) in (1_u32..).zip(premine::blocks()?) {
            let hex = bitcoin::consensus::encode::serialize_hex(&block);
            let verdict = self.rpc.call("submitblock", json!([hex])).await?;
            match verdict.as_str() {
                None | Some("duplicate") => {}
                Some(reason) => {
                    let reason = reason.to_owned();
                    return Err(BitcoindError::PremineRejected { height, reason });
                }
            }
        }
        Ok(())
    }
}

/// Finds a bitcoind: `$BITCOIND`, then `PATH`, then the cache that `get-bitcoind.sh` fills.
///
/// # Errors
/// [`BitcoindError::NotFound`] with the script's output if none of these has one.
pub async fn find() -> Result<PathBuf, BitcoindError> {
    if let Some(program) = std::env::var_os("BITCOIND").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(program));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) =
        std::env::split_paths(&path).map(|folder| folder.join("bitcoind")).find(|candidate| candidate.is_file())
    {
        return Ok(found);
    }
    let output = Command::new("bash")
        .args(["-c", FETCH_SCRIPT, "get-bitcoind.sh"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| BitcoindError::NotFound { explanation: error.to_string() })?;
    if !output.status.success() {
        let explanation = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BitcoindError::NotFound { explanation });
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn spawn(program: &Path, chain: Chain, dir: &Path, rpc_port: u16, options: &[String]) -> io::Result<Child> {
    std::fs::create_dir_all(dir)?;
    let chain_args = match chain {
        Chain::Local => vec!["-signet".to_owned(), format!("-signetchallenge={}", signet::CHALLENGE_HEX)],
        Chain::Regtest => vec!["-regtest".to_owned()],
    };
    Command::new(program)
        .args(chain_args)
        .arg(format!("-datadir={}", dir.display()))
        .arg(format!("-rpcport={rpc_port}"))
        .arg(format!("-maxtipage={TIP_AGE_MAX_S}"))
        // Each node of the test network holds a long poll, for which bitcoind uses one thread.
        .args(["-server=1", "-rpcthreads=32", "-rpcworkqueue=256"])
        .args(["-listen=0", "-connect=0", "-dnsseed=0", "-natpmp=0", "-disablewallet=1"])
        .args(["-dbcache=16", "-par=1", "-blockmintxfee=0.00001"])
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}
