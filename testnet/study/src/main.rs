//! `shoal-study`: runs the standard study in the simulator and writes its results as a page with plots.

use std::process::ExitCode;

use clap::Parser;
use study::command::{Args, report};

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
            eprintln!("shoal-study: {}", node_core::sentence(&error));
            ExitCode::FAILURE
        }
    }
}
