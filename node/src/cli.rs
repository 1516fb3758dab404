//! The command line: subcommands, exit codes, how errors are printed.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::check;
use crate::config::{Config, Overrides};
use crate::error::NodeError;
use crate::run::StoredFinality;
use crate::{logging, recording, run, status, top};
use node_core::sentence;

/// A decentralized Bitcoin mining pool: every node is the pool.
#[derive(Debug, Parser)]
#[command(name = "shoal", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the node until it is stopped by Ctrl-C or SIGTERM
    Run {
        /// Forgets which links are final and follows the heaviest branch, once: the way out of a conflict
        #[arg(long)]
        follow_heaviest: bool,
    },
    /// Shows what a running node does
    Status {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows a running node in the whole terminal, live
    Top,
    /// Writes the share-chain of a stopped node to a file that anybody can check: see specs/recording.md
    Export {
        /// The file to write
        file: PathBuf,
    },
    /// Reads such a file into the database of a node that has none yet; everything in it is checked
    Import {
        /// The file to read
        file: PathBuf,
    },
    /// Checks such a file by itself, as specs/model/replay.py does: says where it differs from the rules
    Verify {
        /// The file to read
        file: PathBuf,
    },
    /// Checks configuration, bitcoind, ports and folders, and changes nothing
    Check {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the program and tells its exit code: 0, 2 if the configuration or the command line is
/// wrong, or 1 if anything else is.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match execute(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `check` has said everything already.
            if !matches!(error, NodeError::CheckFailed { .. }) {
                eprintln!("shoal: {}", sentence(&error));
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(cli: &Cli) -> Result<(), NodeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let config = Config::load(&cli.overrides);
    match &cli.command {
        Command::Run { follow_heaviest } => {
            let config = config?;
            logging::init(&config.log, config.log_format)?;
            let finality = if *follow_heaviest { StoredFinality::Forget } else { StoredFinality::Keep };
            runtime.block_on(run::run(config, finality))
        }
        Command::Export { file } => runtime.block_on(recording::export(&config?, file)),
        Command::Import { file } => runtime.block_on(recording::import_file(&config?, file)),
        Command::Verify { file } => Ok(recording::verify(file)?),
        Command::Status { json } => runtime.block_on(status::status(config?, *json)),
        Command::Top => runtime.block_on(top::top(config?)),
        Command::Check { json } => {
            let report = match &config {
                Ok(config) => runtime.block_on(check::check(config)),
                Err(error) => check::unreadable(error),
            };
            show(&report, *json)?;
            if report.ok { Ok(()) } else { Err(NodeError::CheckFailed { config: config.is_err() }) }
        }
    }
}

fn show(report: &check::Report, json: bool) -> Result<(), NodeError> {
    let text = if json {
        let json = serde_json::to_string_pretty(report).map_err(std::io::Error::from)?;
        format!("{json}\n")
    } else {
        report.to_string()
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
