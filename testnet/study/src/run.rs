//! Runs the experiments and keeps what they give.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::jobs::{Effort, Size};
use super::result::Experiment;

/// Hears how many parts of an experiment are done, and of how many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// An experiment that can be run.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its short name; see [`Experiment::id`].
    pub id: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// Runs it: effort, seed, progress.
    pub run: fn(Effort, u64, Progress<'_>) -> Experiment,
}

/// All experiments, in the order in which they are read.
pub const EXPERIMENTS: &[Entry] = &[
    Entry { id: "loss", about: "what latency and slow devices cost, and whom", run: super::loss::run },
    Entry { id: "attack", about: "what attackers earn", run: super::attack::run },
    Entry { id: "optimal", about: "the best attack found by search", run: super::optimal::run },
    Entry { id: "variance", about: "how uneven pay is, for small and large miners", run: super::variance::run },
    Entry { id: "intermittent", about: "what miners earn that mine some of the time", run: super::intermittent::run },
    Entry { id: "partition", about: "partitions, surges and collapses of hash rate", run: super::partition::run },
    Entry { id: "scale", about: "what a node of a large pool sends, stores and keeps", run: super::scale::run },
    Entry { id: "draw", about: "whether the draw is fair, and what choosing gains", run: super::draw::run },
];

/// What a run of the study gave: plain data, the same bytes for the same seed and size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// Version of this form of data.
    pub version: u32,
    /// `standard` or `reduced`.
    pub size: String,
    /// The seed that all others were derived from.
    pub seed: u64,
    /// What was found.
    pub experiments: Vec<Experiment>,
}

/// A name that no experiment has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no experiment {0:?}; there are {names}", names = names())]
pub struct UnknownExperiment(pub String);

fn names() -> String {
    EXPERIMENTS.iter().map(|entry| entry.id).collect::<Vec<_>>().join(", ")
}

/// The experiments with these ids, in their usual order; all when none is named.
///
/// # Errors
/// An id that no experiment has.
pub fn chosen(ids: &[String]) -> Result<Vec<Entry>, UnknownExperiment> {
    if let Some(unknown) = ids.iter().find(|id| EXPERIMENTS.iter().all(|entry| entry.id != id.as_str())) {
        return Err(UnknownExperiment(unknown.clone()));
    }
    let wanted = |entry: &&Entry| ids.is_empty() || ids.iter().any(|id| id == entry.id);
    Ok(EXPERIMENTS.iter().filter(wanted).copied().collect())
}

/// Runs experiments one after the other, each on all threads, and says on standard error how far it is.
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

/// A line on standard error that says how far an experiment is.
struct ProgressLine {
    id: &'static str,
    started: Instant,
    shown: Mutex<Instant>,
    live: bool,
}

impl ProgressLine {
    /// Time between two looks of a person, and between two lines of a log.
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
        // Whether anybody reads it does not matter.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    fn end(&self, took: Duration) {
        let start = if self.live { "\r\x1b[K" } else { "" };
        let _ = writeln!(std::io::stderr(), "{start}{}: done in {:.0} s", self.id, took.as_secs_f64());
    }
}

impl Study {
    /// The command that gives the same numbers again.
    #[must_use]
    pub fn command(&self, only: Option<&str>) -> String {
        let size = if self.size == "reduced" { " --reduced" } else { "" };
        let only = only.map(|id| format!(" --only {id}")).unwrap_or_default();
        format!("shoal-study --seed {}{size}{only}", self.seed)
    }
}

/// As many threads as there are cores.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Effort {
    /// The whole study or the reduced one, on so many threads.
    #[must_use]
    pub const fn new(size: Size, threads: usize) -> Self {
        Self { threads, size }
    }
}
