//! One node: the program `shoal` with its own folder, config file and ports.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use node::config::Outputs;
use serde::Serialize;

use super::guard::LastSignal;
use super::plan::{BitcoinPlan, NodePlan};
use super::process::{Process, ProcessError, Spec, own_program};

/// An error of a node.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The program is missing.
    #[error("found no program {path}; build the whole workspace, or set $SHOAL_BIN")]
    NoProgram {
        /// The expected path.
        path: PathBuf,
    },
    /// Its folder or config file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Path of the file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The config cannot be written as TOML.
    #[error("cannot write the node's config")]
    Config(#[from] toml::ser::Error),
    /// The process does not start.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// File of the address book in the data folder.
const ADDRESS_BOOK: &str = "address-book";

/// The config file of a node, as in `shoal.example.toml`.
#[derive(Debug, Serialize)]
struct ConfigFile<'a> {
    network: &'a str,
    outputs: &'a str,
    data_dir: PathBuf,
    new_pool: bool,
    log: &'a str,
    log_format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<Archive>,
    bitcoind: Bitcoind,
    stratum: Listen,
    p2p: P2p,
    api: Api,
}

#[derive(Debug, Serialize)]
struct Archive {
    url: String,
}

#[derive(Debug, Serialize)]
struct Bitcoind {
    url: String,
    cookie_file: PathBuf,
}

#[derive(Debug, Serialize)]
struct Listen {
    listen: String,
}

#[derive(Debug, Serialize)]
struct Api {
    listen: String,
    requests_a_second: u32,
}

#[derive(Debug, Serialize)]
struct P2p {
    listen: Vec<String>,
    peers: Vec<String>,
    mdns: bool,
    discover: bool,
    seeds: Vec<String>,
    upnp: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_upload: Option<String>,
}

/// Returns the path of `shoal`: `$SHOAL_BIN`, or the file next to this program.
///
/// # Errors
/// [`NodeError::NoProgram`] if there is none.
pub fn shoal_program() -> Result<PathBuf, NodeError> {
    let path = match std::env::var_os("SHOAL_BIN").filter(|value| !value.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => own_program().unwrap_or_default().with_file_name("shoal"),
    };
    if path.is_file() { Ok(path) } else { Err(NodeError::NoProgram { path }) }
}

/// Writes the node's folder and config file.
///
/// # Errors
/// [`NodeError::Write`].
pub(super) fn prepare(plan: &NodePlan, bitcoin: &BitcoinPlan) -> Result<(), NodeError> {
    let write_error = |path: &Path| {
        let path = path.to_owned();
        |source| NodeError::Write { path, source }
    };
    std::fs::create_dir_all(&plan.dir).map_err(write_error(&plan.dir))?;
    let path = config_path(plan);
    std::fs::write(&path, config(plan, bitcoin)?).map_err(write_error(&path))
}

/// Starts the node, in a network namespace if there is one. Its folder must have been prepared.
///
/// # Errors
/// [`NodeError`].
pub(super) fn start(plan: &NodePlan, namespace: Option<PathBuf>) -> Result<Process, NodeError> {
    let spec = Spec {
        name: format!("node {}", plan.name),
        program: shoal_program()?,
        args: vec!["run".into(), "--config".into(), config_path(plan).into()],
        log: plan.dir.join("shoal.log"),
        last_signal: LastSignal::Kill,
        namespace,
    };
    Ok(Process::start(&spec)?)
}

/// Removes bans and address book of a node that does not run.
pub(super) fn forget_peers(plan: &NodePlan) -> Result<(), NodeError> {
    for file in [::node::bans::FILE, ADDRESS_BOOK] {
        let path = plan.data_dir().join(file);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(NodeError::Write { path, source }),
            _ => {}
        }
    }
    Ok(())
}

fn config_path(plan: &NodePlan) -> PathBuf {
    plan.dir.join("shoal.toml")
}

fn config(plan: &NodePlan, bitcoin: &BitcoinPlan) -> Result<String, toml::ser::Error> {
    let peers = plan.peers.iter().map(|peer| format!("/ip4/{}/tcp/{}", peer.ip(), peer.port()));
    let seeds = plan.seed.iter().map(|seed| format!("/ip4/{}/tcp/{}", seed.ip(), seed.port()));
    // mDNS finds a node at its machine's address, never at the loopback one.
    let p2p = if plan.mdns { SocketAddr::from((Ipv4Addr::UNSPECIFIED, plan.p2p.port())) } else { plan.p2p };
    toml::to_string(&ConfigFile {
        network: bitcoin.chain.as_str(),
        outputs: match plan.outputs {
            Outputs::Standard => "standard",
            Outputs::Wide => "wide",
        },
        data_dir: plan.data_dir(),
        new_pool: plan.new_pool,
        log: "info",
        log_format: "text",
        archive: plan.archive.clone().map(|url| Archive { url }),
        bitcoind: Bitcoind { url: format!("http://{}", bitcoin.rpc), cookie_file: bitcoin.cookie_path() },
        stratum: Listen { listen: plan.stratum.to_string() },
        // A test network must not configure the machine's router.
        p2p: P2p {
            listen: vec![p2p.to_string()],
            peers: peers.collect(),
            mdns: plan.mdns,
            discover: plan.discover,
            seeds: seeds.collect(),
            upnp: false,
            max_upload: plan.max_upload.map(|bytes| format!("{} kB/s", bytes / 1_000)),
        },
        // A report requests the fate of every share, one after the other.
        api: Api { listen: plan.api.to_string(), requests_a_second: 100_000 },
    })
}
