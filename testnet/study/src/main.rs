//! `shoal-study`: runs the standard study in the simulator and writes its results as a page with plots.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use study::command::{Args, ReportError, report};

/// Runs the standard study in the simulator and writes its results as a page with plots.
#[derive(Debug, Parser)]
#[command(name = "shoal-study", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn main() -> ExitCode {
    match report(&Cli::parse().args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A reader like `head` has read enough; standard error may be closed as well.
            if !matches!(&error, ReportError::Print(source) if source.kind() == ErrorKind::BrokenPipe) {
                let _ = writeln!(io::stderr(), "shoal-study: {}", node_core::sentence(&error));
            }
            ExitCode::FAILURE
        }
    }
}
