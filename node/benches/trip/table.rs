//! The lines of the output.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sharechain::ShareId;

/// Target for the 99th percentile under load, as a multiple of that at rest.
const FACTOR: u32 = 2;

/// Names of the measured times.
pub(crate) const NAMES: [&str; 7] = [
    "share of a peer, to stored",
    "share of a peer, to forwarded",
    "own share, to stored",
    "own share, to forwarded",
    "position of new work",
    "position, template, its check",
    "answer of the API",
];

/// The median and the 99th percentile of one measured time.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    p50: Duration,
    p99: Duration,
    count: usize,
    /// Number of shares that never arrived.
    lost: usize,
}

/// All measured times at rest or under load, in the order of [`NAMES`].
pub(crate) type Figures = [Times; NAMES.len()];

impl Times {
    /// Of all samples.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
        let [p50, p99] = [50, 99].map(|percent| at(percent).copied().unwrap_or_default());
        Self { p50, p99, count: times.len(), lost: 0 }
    }

    /// The times of all shares from one event to another.
    pub(crate) fn between(from: &HashMap<ShareId, Instant>, to: &HashMap<ShareId, Instant>) -> Self {
        let took = |(id, from): (&ShareId, &Instant)| Some(to.get(id)?.saturating_duration_since(*from));
        let times: Vec<Duration> = from.iter().filter_map(took).collect();
        let lost = from.len() - times.len();
        Self { lost, ..Self::of(times) }
    }
}

/// A line for each measured time of a run.
pub(crate) fn tell(title: &str, figures: &Figures) {
    println!("{title}");
    for (name, times) in NAMES.iter().zip(figures).filter(|(_, times)| times.count > 0) {
        let Times { p50, p99, count, lost } = times;
        println!("    {name:<30} 50% {p50:>9.2?}  99% {p99:>9.2?}  of {count}, {lost} lost");
    }
}

/// The medians of all runs, each with its target and whether it was met.
pub(crate) fn sum_up(quiet: &[Figures], loaded: &[Figures]) {
    println!(
        "{:<30} {:>10} {:>10} {:>10} {:>10} {:>10}  target for 99% under load",
        "medians of all runs", "rest 50%", "rest 99%", "load 50%", "load 99%", "target"
    );
    for (figure, name) in NAMES.iter().enumerate() {
        let of = |runs: &[Figures], part: fn(&Times) -> Duration| median(runs.iter().map(|run| part(&run[figure])));
        let lost: usize = quiet.iter().chain(loaded).map(|run| run[figure].lost).sum();
        let [rest_50, rest_99] = [of(quiet, |times| times.p50), of(quiet, |times| times.p99)];
        let [load_50, load_99] = [of(loaded, |times| times.p50), of(loaded, |times| times.p99)];
        if rest_50.is_zero() {
            println!("{name:<30} {:>10} {:>10} {load_50:>10.2?} {load_99:>10.2?} {:>10}", "-", "-", "-");
            continue;
        }
        let target = rest_99 * FACTOR;
        let met = if load_99 <= target && lost == 0 { "met" } else { "MISSED" };
        println!(
            "{name:<30} {rest_50:>10.2?} {rest_99:>10.2?} {load_50:>10.2?} {load_99:>10.2?} {target:>10.2?}  {met}, \
             {lost} lost"
        );
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
