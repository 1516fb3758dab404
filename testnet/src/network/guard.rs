//! Ties a process to its parent, so that nothing outlives the test network, whatever ends it.
//!
//! Every process of the network is started through `shoal-testnet guard`: the guard asks the kernel for a signal when
//! its parent dies, then becomes the program. The wish survives the change of program, and no unsafe code runs between
//! fork and exec.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::{Args, ValueEnum};

/// What is run, and for whom.
#[derive(Debug, Clone, Args)]
pub struct GuardArgs {
    /// Process id of the parent
    #[arg(long)]
    pub parent: u32,
    /// What the kernel sends when the parent dies
    #[arg(long, value_enum, default_value_t = LastSignal::Kill)]
    pub signal: LastSignal,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<OsString>,
}

/// What a process gets when its parent dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LastSignal {
    /// It ends at once.
    Kill,
    /// It may clean up: for a process that has a child of its own.
    Term,
}

impl LastSignal {
    /// The name on the command line.
    pub fn as_arg(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Term => "term",
        }
    }
}

/// Why the guard did not become the program.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The kernel does not take the wish.
    #[error("cannot tie the process to its parent")]
    Tie(#[source] io::Error),
    /// The parent died before the wish was made.
    #[error("the parent is gone already")]
    Orphaned,
    /// The program cannot be run.
    #[error("cannot run {program:?}")]
    Run {
        /// The program.
        program: OsString,
        /// Why.
        source: io::Error,
    },
}

/// Ties this process to its parent and becomes the program; it returns only when that fails.
///
/// # Errors
/// [`GuardError`]; there is no other result.
pub fn run(args: &GuardArgs) -> Result<std::convert::Infallible, GuardError> {
    tie(args.signal)?;
    if nix::unistd::getppid().as_raw() != i32::try_from(args.parent).unwrap_or(-1) {
        return Err(GuardError::Orphaned);
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

/// Other systems have no such wish; there, a killed parent leaves its processes behind.
#[cfg(not(target_os = "linux"))]
fn tie(_signal: LastSignal) -> Result<(), GuardError> {
    Ok(())
}
