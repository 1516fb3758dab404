//! `shoal-sim`: the simulator alone, built without RocksDB, libp2p or Bitcoin Core's engine.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use node_core::sentence;
use sim::run::{SimArgs, SimError};
use sim::soak::{SoakArgs, SoakError};

/// Simulates a scenario: the real share-chain, peers and payouts in a world that a seed determines
#[derive(Debug, Parser)]
#[command(name = "shoal-sim", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
#[command(subcommand_negates_reqs = true)]
struct Cli {
    #[command(flatten)]
    sim: Option<SimArgs>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulates random scenarios and checks the invariants
    Soak(SoakArgs),
}

#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error(transparent)]
    Soak(#[from] SoakError),
}

fn run(cli: Cli) -> Result<(), CliError> {
    match cli {
        Cli { command: Some(Command::Soak(args)), .. } => Ok(sim::soak::main(&args)?),
        Cli { sim: Some(args), .. } => Ok(sim::run::main(&args)?),
        // clap requires one of the two.
        Cli { .. } => Ok(()),
    }
}

/// True if the reader of this program's output has closed it.
fn is_left(error: &CliError) -> bool {
    let (CliError::Sim(error) | CliError::Soak(SoakError::Sim(error))) = error else { return false };
    matches!(error, SimError::Print(source) if source.kind() == ErrorKind::BrokenPipe)
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A reader like `head` has read enough; standard error may be closed as well.
            if !is_left(&error) {
                let _ = writeln!(io::stderr(), "shoal-sim: {}", sentence(&error));
            }
            ExitCode::FAILURE
        }
    }
}
