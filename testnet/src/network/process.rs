//! One process of the test network: started through the guard, with its output in a log file, stopped in two steps.

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

/// The specification of a process.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Name for display.
    pub name: String,
    /// Path of the program.
    pub program: PathBuf,
    /// Arguments of the program.
    pub args: Vec<OsString>,
    /// Log file of its output, to which it is appended.
    pub log: PathBuf,
    /// The signal that it gets if the test network itself is killed.
    pub last_signal: LastSignal,
    /// The network namespace that it runs in, by [`Space::path`](crate::link::Space::path); `None` for the system's own.
    pub namespace: Option<PathBuf>,
}

/// An error that prevents a process from running.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Its log cannot be written.
    #[error("cannot write the log {path}")]
    Log {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It cannot be started.
    #[error("cannot start {name}")]
    Start {
        /// Name for display.
        name: String,
        /// The cause.
        source: io::Error,
    },
}

/// A process that runs, or has exited unnoticed. It is killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
    pid: Option<u32>,
}

/// Removes environment variables that `shoal` would read as settings: those of this program, of tests, and of the
/// caller's own node.
pub fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SHOAL_")) {
        command.env_remove(name);
    }
}

impl Process {
    /// Starts a process in its own process group. Ctrl-C in the terminal reaches only the test network, which then
    /// stops all processes in order.
    ///
    /// Call it on the main thread: on Linux, the signal at the parent's death is sent when the thread that started the
    /// child ends.
    ///
    /// # Errors
    /// If the program or its log cannot be opened.
    pub fn start(spec: &Spec) -> Result<Self, ProcessError> {
        let start_error = |source| ProcessError::Start { name: spec.name.clone(), source };
        let (stdout, stderr) = log_pair(&spec.log)?;
        let mut command = Command::new(own_program().map_err(start_error)?);
        command
            .args(["guard", "--parent", &std::process::id().to_string()])
            .args(["--signal", spec.last_signal.as_arg()])
            .args(spec.namespace.iter().flat_map(|path| ["--namespace".as_ref(), path.as_os_str()]))
            .arg("--")
            .arg(&spec.program)
            .args(&spec.args)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true);
        without_settings(&mut command);
        let child = command.spawn().map_err(start_error)?;
        let pid = child.id();
        Ok(Self { name: spec.name.clone(), log: spec.log.clone(), child, pid })
    }

    /// Returns the name for display.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path of its log.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Returns its process id, even after it has exited.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Returns its exit status, if it has exited.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        // An error means that other code has waited for it. Then no status is known.
        self.child.try_wait().ok().flatten()
    }

    /// Kills it at once, like `kill -9`.
    pub async fn kill(&mut self) {
        // If it has exited, nothing is left to kill.
        let _ = self.child.kill().await;
    }

    /// Asks it to stop.
    pub fn ask_to_stop(&self) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // It may have exited in the meantime.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }

    /// Asks it to stop, and kills it if that takes longer than [`STOP_GRACE`].
    pub async fn stop(&mut self) {
        self.ask_to_stop();
        if tokio::time::timeout(STOP_GRACE, self.child.wait()).await.is_err() {
            tracing::warn!(process = self.name, "did not stop in time, killing it");
            self.kill().await;
        }
    }
}

/// Returns the path of this program's file as it was when the first process started. A build may replace it while the
/// network runs.
///
/// # Errors
/// If the system does not know it.
pub fn own_program() -> io::Result<PathBuf> {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    match OWN.get() {
        Some(path) => Ok(path.clone()),
        None => std::env::current_exe().map(|path| OWN.get_or_init(|| path).clone()),
    }
}

/// Returns two handles of one log file.
fn log_pair(path: &Path) -> Result<(File, File), ProcessError> {
    let open = || {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok((file.try_clone()?, file))
    };
    open().map_err(|source| ProcessError::Log { path: path.to_owned(), source })
}
