//! `shoal-sim soak`: random scenarios, checked by the oracles for a given time. A failure is reduced to a smaller
//! scenario that fails in the same way.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use clap::Args;

use super::full::BuildError;
use super::oracle::{Violation, Watched, watch};
use super::plant::Plant;
use super::run::{SimError, read};
use super::scenario::Scenario;
use super::shrink::shrink;

/// Largest number of runs to reduce a scenario: some minutes.
const SHRINK_RUNS: usize = 60;

/// Default length of a soak, in seconds.
const SECONDS: u64 = 60;

/// Time between two progress lines.
const PROGRESS: Duration = Duration::from_secs(5);

/// Options of a soak.
#[derive(Clone, Debug, Args)]
pub struct SoakArgs {
    /// Stop after this many seconds; active runs are finished [default: 60, without --runs]
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Stop after this many runs
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// First seed; each later run uses the next one
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    from_seed: u64,
    /// Run this scenario with all seeds, instead of a random one for each
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Number of parallel runs
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// Plant a bug in one node of every network, to see that it is found
    #[arg(long, hide = true)]
    plant: Option<Plant>,
}

/// An error of a soak.
#[derive(Debug, thiserror::Error)]
pub enum SoakError {
    /// The scenario cannot be read, or nothing can be printed.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// An invariant is broken.
    #[error("an oracle found a violation")]
    Violated,
}

/// A run that ended.
type Ended = (u64, Scenario, Result<Watched, BuildError>);

/// Runs scenarios until the time or the runs are used up, or until an invariant breaks, and prints the progress.
///
/// # Errors
/// If an invariant breaks, or the scenario cannot be read.
pub fn main(args: &SoakArgs) -> Result<(), SoakError> {
    let given = args.scenario.as_deref().map(read).transpose()?;
    let scenario = |seed: u64| given.clone().unwrap_or_else(|| Scenario::random(seed));
    let seconds = args.seconds.or(args.runs.is_none().then_some(SECONDS));
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (sender, ended) = mpsc::channel::<Ended>();
    let work = |sender: Sender<Ended>| {
        while !stop.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if args.runs.is_some_and(|runs| number >= runs) {
                return;
            }
            let seed = args.from_seed.wrapping_add(number);
            let scenario = scenario(seed);
            let result = watch(&scenario, seed, args.plant);
            if sender.send((seed, scenario, result)).is_err() {
                return;
            }
        }
    };
    let failed = std::thread::scope(|scope| {
        for _ in 0..args.threads {
            let sender = sender.clone();
            scope.spawn(|| work(sender));
        }
        drop(sender);
        let failed = report(ended, &stop);
        stop.store(true, Ordering::Relaxed);
        failed
    })?;
    match failed {
        None => Ok(()),
        Some((scenario, violation)) => {
            show(&scenario, &violation, args.plant)?;
            Err(SoakError::Violated)
        }
    }
}

/// Prints the progress until all runs have ended or one fails.
fn report(ended: mpsc::Receiver<Ended>, stop: &AtomicBool) -> Result<Option<(Scenario, Violation)>, SimError> {
    let (began, mut told) = (Instant::now(), Instant::now());
    let (mut runs, mut steps, mut finds, mut links) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut failed = None;
    let tell = |runs: u64, steps: u64, finds: u64, links: u64| {
        let taken_s = began.elapsed().as_secs();
        let _ = writeln!(
            std::io::stderr(),
            "{taken_s} s: {runs} runs, {steps} events, {finds} proofs, {links} links: no violation"
        );
    };
    for (_, scenario, result) in ended {
        let Watched { steps: of_run, finds: found, links: linked, violation } = result?;
        (runs, steps, finds, links) = (runs + 1, steps + of_run, finds + found, links + u64::from(linked));
        if let (Some(violation), None) = (violation, &failed) {
            stop.store(true, Ordering::Relaxed);
            failed = Some((scenario, violation));
        }
        if failed.is_none() && told.elapsed() >= PROGRESS {
            told = Instant::now();
            tell(runs, steps, finds, links);
        }
    }
    if failed.is_none() {
        tell(runs, steps, finds, links);
    }
    Ok(failed)
}

/// Prints a violation, a smaller scenario that shows it, and the command to repeat it.
fn show(scenario: &Scenario, violation: &Violation, plant: Option<Plant>) -> Result<(), SimError> {
    let Violation { oracle, seed, .. } = *violation;
    let _ = writeln!(std::io::stderr(), "{violation}\nsearching for a smaller scenario, in at most {SHRINK_RUNS} runs");
    let again = |scenario: &Scenario| {
        let seen = watch(scenario, seed, plant).ok().and_then(|watched| watched.violation);
        seen.filter(|seen| seen.oracle == oracle)
    };
    let small = shrink(scenario.clone(), SHRINK_RUNS, Scenario::shrinks, |variant| again(variant).is_some());
    let seen = again(&small).unwrap_or_else(|| violation.clone());
    let mut out = std::io::stdout().lock();
    writeln!(out, "# {seen}\n# With this scenario in small.toml:")?;
    writeln!(out, "# shoal-sim soak --scenario small.toml --from-seed {seed} --runs 1\n{}", small.to_toml())?;
    Ok(())
}
