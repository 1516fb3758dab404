//! `shoal-sim SCENARIO`: runs one scenario with one seed and prints the results.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::full::{BuildError, SimNode, Summary, build};
use super::record::{RecordError, record};
use super::scenario::{Scenario, ScenarioError};
use super::time::Micros;
use super::world::World;

/// Options of a simulation.
#[derive(Clone, Debug, Args)]
pub struct SimArgs {
    /// Scenario file in TOML; see testnet/scenarios
    scenario: PathBuf,
    /// Seed of all randomness; the same seed gives the same output
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write the share-chain of one node to this file, for specs/model/replay.py and shoal verify
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// Simulated time between two progress lines.
const PROGRESS: Micros = Micros::from_secs(600);

/// An error of a simulation.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The file cannot be read.
    #[error("cannot read the scenario {}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a valid scenario.
    #[error("{} is not a valid scenario", path.display())]
    Scenario {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: Box<ScenarioError>,
    },
    /// The scenario cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The recording cannot be written.
    #[error("cannot write the recording {}", path.display())]
    Record {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: RecordError,
    },
    /// The result cannot be printed.
    #[error("cannot print the result")]
    Print(#[from] std::io::Error),
}

/// Reads a scenario.
///
/// # Errors
/// If the file cannot be read or is not a valid scenario.
pub fn read(path: &Path) -> Result<Scenario, SimError> {
    let text = std::fs::read_to_string(path).map_err(|source| SimError::Read { path: path.to_owned(), source })?;
    Scenario::parse(&text).map_err(|source| SimError::Scenario { path: path.to_owned(), source: Box::new(source) })
}

/// Simulates the scenario of a file and prints the results, as JSON or as text. The running time goes to standard
/// error, so that the output is the same each time. With `recording`, the chain of one node is written there.
///
/// # Errors
/// If the scenario cannot be read or built, or the results cannot be printed or written.
pub fn main(args: &SimArgs) -> Result<(), SimError> {
    let SimArgs { scenario: path, seed, json, record } = args;
    let seed = *seed;
    let scenario = read(path)?;
    let began = Instant::now();
    let mut world = build(&scenario, seed)?;
    let end = Micros::from_secs_f64(scenario.duration_s);
    let mut until = Micros::ZERO;
    while until < end {
        until = (until + PROGRESS).min(end);
        world.run(until);
        let (minutes, taken_s) = (until.as_secs_f64() / 60.0, began.elapsed().as_secs_f64());
        let _ = writeln!(std::io::stderr(), "minute {minutes:.0}: {} steps, {taken_s:.1} s", world.steps());
    }
    if let Some(file) = record {
        let about = format!("shoal-sim {}, seed {seed}", scenario.name);
        let lines = record_to(&mut world, &about, file);
        let lines = lines.map_err(|source| SimError::Record { path: file.clone(), source })?;
        let _ = writeln!(std::io::stderr(), "{lines} lines written to {}", file.display());
    }
    let summary = Summary::of(&world, &scenario, seed);
    let mut out = std::io::stdout().lock();
    if *json {
        serde_json::to_writer_pretty(&mut out, &summary).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{summary}")?;
    }
    Ok(())
}

fn record_to(world: &mut World<SimNode>, about: &str, file: &Path) -> Result<u64, RecordError> {
    record(world, about, BufWriter::new(File::create(file)?))
}
