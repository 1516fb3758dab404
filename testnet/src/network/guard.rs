//! Ties a process to its parent, so that no process outlives the test network, however that ends.
//!
//! Every process of the network starts through `shoal-testnet guard`. The guard asks the kernel for a signal at its
//! parent's death, then becomes the program by `exec`. The request survives `exec`, and no unsafe code runs between
//! fork and exec.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};

/// Arguments of the guard.
#[derive(Debug, Clone, Args)]
pub struct GuardArgs {
    /// Process id of the parent
    #[arg(long)]
    pub parent: u32,
    /// Signal that the kernel sends when the parent dies
    #[arg(long, value_enum, default_value_t = LastSignal::Kill)]
    pub signal: LastSignal,
    /// Network namespace to enter
    #[arg(long)]
    pub namespace: Option<PathBuf>,
    /// Program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<OsString>,
}

/// The signal at the parent's death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LastSignal {
    /// It exits immediately.
    Kill,
    /// It may clean up: for a process with its own child.
    Term,
}

impl LastSignal {
    /// Returns the name on the command line.
    pub fn as_arg(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Term => "term",
        }
    }
}

/// The reason why the guard could not become the program.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The kernel rejects the request.
    #[error("cannot tie the process to its parent")]
    Tie(#[source] io::Error),
    /// The parent died before the request.
    #[error("the parent has already exited")]
    Orphaned,
    /// The network namespace cannot be entered.
    #[error("cannot enter the network namespace {path}")]
    Namespace {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The program cannot be run.
    #[error("cannot run {program:?}")]
    Run {
        /// The program.
        program: OsString,
        /// The cause.
        source: io::Error,
    },
}

/// Ties this process to its parent and becomes the program. Returns only if that fails.
///
/// # Errors
/// [`GuardError`]. There is no other result.
pub fn run(args: &GuardArgs) -> Result<std::convert::Infallible, GuardError> {
    tie(args.signal)?;
    if nix::unistd::getppid().as_raw() != i32::try_from(args.parent).unwrap_or(-1) {
        return Err(GuardError::Orphaned);
    }
    if let Some(path) = &args.namespace {
        enter(path).map_err(|source| GuardError::Namespace { path: path.clone(), source })?;
    }
    let Some((program, rest)) = args.command.split_first() else {
        let source = io::Error::from(io::ErrorKind::InvalidInput);
        return Err(GuardError::Run { program: OsString::new(), source });
    };
    let source = Command::new(program).args(rest).exec();
    Err(GuardError::Run { program: program.clone(), source })
}

#[cfg(target_os = "linux")]
fn tie(signal: LastSignal) -> Result<(), GuardError> {
    use nix::sys::signal::Signal;
    let signal = match signal {
        LastSignal::Kill => Signal::SIGKILL,
        LastSignal::Term => Signal::SIGTERM,
    };
    nix::sys::prctl::set_pdeathsig(signal).map_err(|errno| GuardError::Tie(errno.into()))
}

#[cfg(target_os = "linux")]
fn enter(namespace: &Path) -> io::Result<()> {
    let namespace = std::fs::File::open(namespace)?;
    Ok(nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET)?)
}

/// Other systems have no such namespaces.
#[cfg(not(target_os = "linux"))]
fn enter(_namespace: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Other systems have no such request. There, a killed parent leaves its processes behind.
#[cfg(not(target_os = "linux"))]
fn tie(_signal: LastSignal) -> Result<(), GuardError> {
    Ok(())
}
