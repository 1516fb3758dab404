//! Runs the experiments and collects their results.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::jobs::{Effort, Progress};
use super::result::Experiment;

/// An experiment that can run.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its short name; see [`Experiment::id`].
    pub id: &'static str,
    /// Its topic, in a few words.
    pub about: &'static str,
    /// The function that runs it. Its arguments are effort, seed and progress.
    pub run: fn(Effort, u64, Progress<'_>) -> Experiment,
}

/// All experiments, in reading order.
pub const EXPERIMENTS: &[Entry] = &[
    Entry { id: "loss", about: "what latency and slow devices cost, and whom", run: super::loss::run },
    Entry { id: "attack", about: "what attackers earn", run: super::attack::run },
    Entry { id: "optimal", about: "the best attack found by search", run: super::optimal::run },
    Entry { id: "costs", about: "what the attacks that remain cost", run: super::costs::run },
    Entry { id: "variance", about: "how uneven pay is, for small and large miners", run: super::variance::run },
    Entry {
        id: "frequency",
        about: "how often a miner is paid, with 48 outputs and with 1,000",
        run: super::frequency::run,
    },
    Entry { id: "intermittent", about: "what miners earn that mine some of the time", run: super::intermittent::run },
    Entry { id: "hopping", about: "what splitting and hopping gain, found by search", run: super::hopping::run },
    Entry { id: "partition", about: "partitions, surges and collapses of hashrate", run: super::partition::run },
    Entry { id: "links", about: "how links keep time without a network", run: super::links::run },
    Entry { id: "scale", about: "what a node of a large pool sends, stores and keeps", run: super::scale::run },
    Entry { id: "eclipse", about: "whether a node that restarts has only hostile peers", run: super::eclipse::run },
    Entry {
        id: "eclipse-first",
        about: "whether an attacker who is there first eclipses a new node",
        run: super::eclipse::run_first,
    },
    Entry { id: "draw", about: "whether the draw is fair, and what choosing gains", run: super::draw::run },
];

/// The results of a run of the study. It is plain data: the same seed and size give the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// Version of this data format.
    pub version: u32,
    /// `standard` or `reduced`.
    pub size: String,
    /// The seed from which all others derive.
    pub seed: u64,
    /// The results of each experiment.
    pub experiments: Vec<Experiment>,
}

/// An error: no experiment has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no experiment {0:?}; there are {names}", names = names())]
pub struct UnknownExperiment(pub String);

/// An error: results of different studies do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is another study: version {}, {}, seed {}", .0.0, .0.1, .0.2)]
pub struct OtherStudy((u32, String, u64));

fn names() -> String {
    EXPERIMENTS.iter().map(|entry| entry.id).collect::<Vec<_>>().join(", ")
}

/// Returns the experiments with these ids, in their usual order, or all if `ids` is empty.
///
/// # Errors
/// If no experiment has one of the ids.
pub fn chosen(ids: &[String]) -> Result<Vec<Entry>, UnknownExperiment> {
    if let Some(unknown) = ids.iter().find(|id| EXPERIMENTS.iter().all(|entry| entry.id != id.as_str())) {
        return Err(UnknownExperiment(unknown.clone()));
    }
    let wanted = |entry: &&Entry| ids.is_empty() || ids.iter().any(|id| id == entry.id);
    Ok(EXPERIMENTS.iter().filter(wanted).copied().collect())
}

/// Runs experiments one after the other, each on all threads, and prints the progress to standard error.
#[must_use]
pub fn run(entries: &[Entry], effort: Effort, seed: u64) -> Study {
    let experiments = entries.iter().map(|entry| {
        let started = Instant::now();
        let line = ProgressLine::new(entry.id);
        let experiment = (entry.run)(effort, seed, &|done, of| line.show(done, of));
        line.end(started.elapsed());
        experiment
    });
    let experiments = experiments.collect();
    Study { version: 1, size: effort.size.pick("standard", "reduced").to_owned(), seed, experiments }
}

/// A progress line on standard error.
struct ProgressLine {
    id: &'static str,
    started: Instant,
    shown: Mutex<Instant>,
    live: bool,
}

impl ProgressLine {
    /// Time between two updates, on a terminal and in a log.
    const LIVE: Duration = Duration::from_millis(200);
    const LOGGED: Duration = Duration::from_secs(30);

    fn new(id: &'static str) -> Self {
        let now = Instant::now();
        Self { id, started: now, shown: Mutex::new(now), live: std::io::IsTerminal::is_terminal(&std::io::stderr()) }
    }

    fn show(&self, done: usize, of: usize) {
        let Ok(mut shown) = self.shown.lock() else { return };
        if shown.elapsed() < if self.live { Self::LIVE } else { Self::LOGGED } {
            return;
        }
        *shown = Instant::now();
        let elapsed = self.started.elapsed();
        let left = elapsed.mul_f64((of as f64 - done as f64).max(0.0) / (done as f64).max(1.0));
        let (start, end) = if self.live { ("\r\x1b[K", "") } else { ("", "\n") };
        let text = format!(
            "{start}{}: {done} of {of} runs, {} s so far, about {} s left{end}",
            self.id,
            elapsed.as_secs(),
            left.as_secs()
        );
        // A failure to print progress does not matter.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    fn end(&self, took: Duration) {
        let start = if self.live { "\r\x1b[K" } else { "" };
        let _ = writeln!(std::io::stderr(), "{start}{}: done in {:.0} s", self.id, took.as_secs_f64());
    }
}

impl Study {
    /// Takes over the experiments of another run, in place of its own.
    ///
    /// # Errors
    /// If the other has another format, size or seed.
    pub fn update(&mut self, other: Self) -> Result<(), OtherStudy> {
        if (other.version, &other.size, other.seed) != (self.version, &self.size, self.seed) {
            return Err(OtherStudy((other.version, other.size, other.seed)));
        }
        self.experiments.retain(|own| other.experiments.iter().all(|new| new.id != own.id));
        self.experiments.extend(other.experiments);
        let place = |experiment: &Experiment| EXPERIMENTS.iter().position(|entry| entry.id == experiment.id);
        self.experiments.sort_by_key(place);
        Ok(())
    }

    /// Returns the command that gives the same numbers again.
    #[must_use]
    pub fn command(&self, only: Option<&str>) -> String {
        let size = if self.size == "reduced" { " --reduced" } else { "" };
        let only = only.map(|id| format!(" --only {id}")).unwrap_or_default();
        format!("shoal-study --seed {}{size}{only}", self.seed)
    }
}
