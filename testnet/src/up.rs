//! `shoal-testnet up`: starts a network, shows it, handles faults, and ends with a report.
//!
//! ```text
//! nodes' APIs ──observe──┐
//! Bitcoin ─────follow────┼──► one loop (session.rs) ──► table or lines
//! control socket ────────┤
//! keys, signals, clock ──┘
//! ```

mod archive;
mod commands;
mod finish;
mod follow;
mod memory;
mod observe;
mod session;
mod shown;
mod stops;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::faults::{Server, ServerError, note_started};
use crate::network::{Network, NetworkError, NetworkOptions, Plan, PlanError};
use crate::report::GatherError;
use archive::Archive;
use session::Session;
use shown::Shown;
use stops::Stops;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The options of the network.
    pub network: NetworkOptions,
    /// Delay of the last node's start, if any.
    pub late_node: Option<Duration>,
    /// Time after which the run ends.
    pub duration: Option<Duration>,
    /// Number of Bitcoin blocks after which the run ends.
    pub exit_after_blocks: Option<u64>,
    /// Path of the report.
    pub report: Option<PathBuf>,
    /// Whether the nodes stream into a PostgreSQL database, which is compared with theirs at the end.
    pub archive: bool,
    /// Prints lines even on a terminal.
    pub plain: bool,
}

/// An error of a run.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// The network's folder cannot be created.
    #[error("cannot create the folder {path}")]
    Folder {
        /// Path of the folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The options are not valid.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The control socket cannot be opened.
    #[error(transparent)]
    Control(#[from] ServerError),
    /// The network does not start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Signals cannot be received, or the terminal cannot be drawn on.
    #[error("the terminal or its signals cannot be used")]
    Terminal(#[source] io::Error),
    /// A necessary process has exited.
    #[error("{0}")]
    Ended(String),
    /// The time ended before enough blocks were found.
    #[error("{found} of {wanted} Bitcoin blocks were found in {seconds} seconds")]
    TooFewBlocks {
        /// Number of blocks found.
        found: u64,
        /// Required number of blocks.
        wanted: u64,
        /// Duration in seconds.
        seconds: u64,
    },
    /// The archive cannot be started or read.
    #[error(transparent)]
    Archive(#[from] ::archive::ArchiveError),
    /// A node's database cannot be read.
    #[error(transparent)]
    Store(#[from] node::store::StoreError),
    /// The archive did not get everything in time.
    #[error("the archive still lacks {behind} records of node {node} after {seconds} s; see the node's log")]
    ArchiveBehind {
        /// Records that it lacks.
        behind: u64,
        /// Name of the node.
        node: String,
        /// The time limit.
        seconds: u64,
    },
    /// The archive and the nodes' databases differ.
    #[error(
        "the archive differs from the databases of the nodes: it lacks {missing} shares, has {extra} that no node has, and \
         has {twice} twice"
    )]
    ArchiveDiffers {
        /// Shares of a node that are not in the archive.
        missing: usize,
        /// Shares of the archive that no node has.
        extra: usize,
        /// Shares that the archive has more than once.
        twice: usize,
    },
    /// The report cannot be gathered.
    #[error("cannot gather the report")]
    Report(#[from] GatherError),
    /// The report cannot be written.
    #[error("cannot write the report {path}")]
    Write {
        /// Path of the report.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Runs a network until its time is over, enough blocks are found, or it is stopped. Every process it started is then
/// gone.
///
/// Await it on the main thread; see [`Process::start`](crate::network::Process::start).
///
/// # Errors
/// [`UpError`].
pub async fn run(options: Options) -> Result<(), UpError> {
    let dir = options.network.dir.clone();
    std::fs::create_dir_all(&dir).map_err(|source| UpError::Folder { path: dir.clone(), source })?;
    if let Some(path) = &options.report {
        // Fails now rather than after hours. An older report stays until there is a new one.
        let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|source| UpError::Write { path: path.clone(), source })?;
    }
    let (_server, calls) = Server::start(&dir).await?;
    if let Err(error) = note_started(&dir) {
        tracing::warn!(%error, "commands in other terminals need --dir");
    }
    let mut plan = Plan::new(&options.network)?;
    let archive = options.archive.then(|| Archive::start(&dir)).transpose()?;
    let url = archive.as_ref().map(Archive::url);
    plan.nodes.iter_mut().for_each(|node| node.archive.clone_from(&url));
    let shown = Shown::open(options.plain).map_err(UpError::Terminal)?;
    shown.line(&format!("test network in {}", dir.display()));
    if let Some(url) = &url {
        shown.line(&format!("archive: {url}"));
    }
    let mut stops = Stops::new().map_err(UpError::Terminal)?;
    let late = usize::from(options.late_node.is_some());
    let network = tokio::select! {
        network = Network::start(plan, late) => network?,
        // Processes that were already started are killed with the unfinished start.
        () = stops.wait() => return Ok(()),
    };
    let mut session = Session::new(options, network, shown, stops, calls);
    session.view.archive = url;
    session.run(archive).await
}
