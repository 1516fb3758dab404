//! `shoal-testnet up`: starts a network, shows it, takes faults, and ends with a report.
//!
//! ```text
//! nodes' APIs ──observe──┐
//! Bitcoin ─────follow────┼──► one loop (session.rs) ──► table or lines
//! control socket ────────┤
//! keys, signals, clock ──┘
//! ```

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

use crate::faults::{Server, ServerError, note_latest};
use crate::network::{Network, NetworkError, Plan, PlanError, Wishes};
use crate::report::GatherError;
use session::Session;
use shown::Shown;
use stops::Stops;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The network.
    pub wishes: Wishes,
    /// When the last node starts, if later than the others.
    pub late_node: Option<Duration>,
    /// When it ends by itself.
    pub duration: Option<Duration>,
    /// After how many Bitcoin blocks it ends by itself.
    pub exit_after_blocks: Option<u64>,
    /// Where the report goes.
    pub report: Option<PathBuf>,
    /// Prints lines even on a terminal.
    pub plain: bool,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// Its folder cannot be made.
    #[error("cannot make the folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The wishes cannot be met.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The control socket cannot be opened.
    #[error(transparent)]
    Control(#[from] ServerError),
    /// The network does not start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Signals cannot be waited for, or the terminal cannot be drawn on.
    #[error("the terminal or its signals cannot be used")]
    Terminal(#[source] io::Error),
    /// A process without which nothing goes on has ended.
    #[error("{0}")]
    Ended(String),
    /// The time was over before enough blocks were found.
    #[error("{found} of {wanted} Bitcoin blocks were found in {seconds} seconds")]
    TooFewBlocks {
        /// How many were found.
        found: u64,
        /// How many were asked for.
        wanted: u64,
        /// In what time.
        seconds: u64,
    },
    /// The report cannot be made.
    #[error("there is no report")]
    Report(#[from] GatherError),
    /// The report cannot be written.
    #[error("cannot write the report {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Runs a network until its time is over, enough blocks are found, or somebody stops it; every process it started is
/// gone then.
///
/// Await it on the main thread; see [`Process::start`](crate::network::Process::start).
///
/// # Errors
/// [`UpError`].
pub async fn run(options: Options) -> Result<(), UpError> {
    let dir = options.wishes.dir.clone();
    std::fs::create_dir_all(&dir).map_err(|source| UpError::Folder { path: dir.clone(), source })?;
    if let Some(path) = &options.report {
        // Known now rather than after hours; an older report stays until there is a new one.
        let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|source| UpError::Write { path: path.clone(), source })?;
    }
    let (_server, calls) = Server::start(&dir).await?;
    if let Err(error) = note_latest(&dir) {
        tracing::warn!(%error, "commands in other terminals need --dir");
    }
    let plan = Plan::new(&options.wishes)?;
    let shown = Shown::open(options.plain).map_err(UpError::Terminal)?;
    shown.line(&format!("test network in {}", dir.display()));
    let mut stops = Stops::new().map_err(UpError::Terminal)?;
    let late = usize::from(options.late_node.is_some());
    let network = tokio::select! {
        network = Network::start(plan, late) => network?,
        // What was started already is killed with the unfinished start.
        () = stops.wait() => return Ok(()),
    };
    Session::new(options, network, shown, stops, calls).run().await
}
