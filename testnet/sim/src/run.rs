//! `shoal-sim SCENARIO`: one scenario, one seed, and what came of it.

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

/// What to simulate.
#[derive(Clone, Debug, Args)]
pub struct SimArgs {
    /// The scenario, a TOML file; see testnet/scenarios
    scenario: PathBuf,
    /// Decides everything that is left open; the same seed gives the same output
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints JSON
    #[arg(long)]
    json: bool,
    /// Writes the share-chain of one node to this file, for specs/model/replay.py and shoal verify
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// Simulated time between two lines about how far it is.
const PROGRESS: Micros = Micros::from_secs(600);

/// Why a scenario was not simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The file cannot be read.
    #[error("cannot read the scenario {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no scenario.
    #[error("{} is no scenario", path.display())]
    Scenario {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ScenarioError>,
    },
    /// It asks for what there is not.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The recording cannot be written.
    #[error("the recording {} cannot be written", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RecordError,
    },
    /// The result cannot be printed.
    #[error("cannot print the result")]
    Print(#[from] std::io::Error),
}

/// Reads a scenario.
///
/// # Errors
/// The file cannot be read, or is no scenario.
pub fn read(path: &Path) -> Result<Scenario, SimError> {
    let text = std::fs::read_to_string(path).map_err(|source| SimError::Read { path: path.to_owned(), source })?;
    Scenario::parse(&text).map_err(|source| SimError::Scenario { path: path.to_owned(), source: Box::new(source) })
}

/// Simulates the scenario of a file and prints what came of it: JSON, or some lines for people. How long it took goes to
/// standard error, so that the output is the same each time. With `recording` the chain of one node is written there.
///
/// # Errors
/// There is no such scenario, or the result cannot be printed or written.
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
        eprintln!("minute {minutes:.0}: {} steps, {taken_s:.1} s", world.steps());
    }
    if let Some(file) = record {
        let about = format!("shoal-sim {}, seed {seed}", scenario.name);
        let lines = record_to(&mut world, &about, file);
        let lines = lines.map_err(|source| SimError::Record { path: file.clone(), source })?;
        eprintln!("{lines} lines written to {}", file.display());
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
