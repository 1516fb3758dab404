//! One process of the test network: started through the guard, its words in a log file, stopped in two steps.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::guard::LastSignal;
use crate::limits::STOP_GRACE;

/// What to run.
#[derive(Debug, Clone)]
pub struct Spec {
    /// What people call it.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Where its output goes; appended.
    pub log: PathBuf,
    /// What it gets when the test network itself is killed.
    pub last_signal: LastSignal,
}

/// Why a process does not run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Its log cannot be written.
    #[error("cannot write the log {path}")]
    Log {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be started.
    #[error("cannot start {name}")]
    Start {
        /// What people call it.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// A running process, or one that ended and was not looked at since. It is killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
    pid: Option<u32>,
}

impl Process {
    /// Starts it, in a process group of its own: Ctrl-C in the terminal reaches the test network alone, which then
    /// stops everything in order.
    ///
    /// Call it on the main thread: on Linux a child is told of its parent's death when the thread that started it ends.
    ///
    /// # Errors
    /// The program or its log cannot be opened.
    pub fn start(spec: &Spec) -> Result<Self, ProcessError> {
        let start_error = |source| ProcessError::Start { name: spec.name.clone(), source };
        let (stdout, stderr) = log_pair(&spec.log)?;
        let mut command = Command::new(own_program().map_err(start_error)?);
        command
            .args(["guard", "--parent", &std::process::id().to_string()])
            .args(["--signal", spec.last_signal.as_arg(), "--"])
            .arg(&spec.program)
            .args(&spec.args)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true);
        // The settings of a node that this user runs otherwise mean nothing here.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SHOAL_")) {
            command.env_remove(name);
        }
        let child = command.spawn().map_err(start_error)?;
        let pid = child.id();
        Ok(Self { name: spec.name.clone(), log: spec.log.clone(), child, pid })
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Its process id, also after it ended.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        // An error means that somebody else waited for it; then there is nothing to tell.
        self.child.try_wait().ok().flatten()
    }

    /// Kills it at once, as `kill -9` does.
    pub async fn kill(&mut self) {
        // It may have ended before: then there is nothing left to kill.
        let _ = self.child.kill().await;
    }

    /// Asks it to end.
    pub fn ask_to_stop(&self) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // It may have ended in between.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }

    /// Asks it to end, and kills it when that takes longer than [`STOP_GRACE`].
    pub async fn stop(&mut self) {
        self.ask_to_stop();
        if tokio::time::timeout(STOP_GRACE, self.child.wait()).await.is_err() {
            tracing::warn!(process = self.name, "did not stop by itself, killing it");
            self.kill().await;
        }
    }
}

/// The file of this program, as it was when the first process was started: a build may replace it while the network runs.
///
/// # Errors
/// The system does not tell.
pub(super) fn own_program() -> io::Result<PathBuf> {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    match OWN.get() {
        Some(path) => Ok(path.clone()),
        None => std::env::current_exe().map(|path| OWN.get_or_init(|| path).clone()),
    }
}

/// Two handles of one log file.
fn log_pair(path: &Path) -> Result<(File, File), ProcessError> {
    let open = || {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok((file.try_clone()?, file))
    };
    open().map_err(|source| ProcessError::Log { path: path.to_owned(), source })
}
