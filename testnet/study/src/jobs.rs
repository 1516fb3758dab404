//! Many independent runs on a few threads. Each run has its own world and its own seed, so results do not depend on the
//! number of threads or their speed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kept::Kept;

/// A callback for progress. Its arguments are the number of runs done and the number of all runs.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// The size of the study, the number of threads, and the runs that are finished.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Number of threads.
    pub threads: usize,
    /// The whole study, or the reduced one that tests run.
    pub size: Size,
    /// Finished runs that are not repeated.
    pub kept: Option<&'static Kept>,
}

/// The size of the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The whole study, which takes hours.
    Standard,
    /// A few points of each experiment, which take minutes.
    Reduced,
}

impl Size {
    /// Returns the value for this size.
    #[must_use]
    pub fn pick<T>(self, standard: T, reduced: T) -> T {
        match self {
            Self::Standard => standard,
            Self::Reduced => reduced,
        }
    }
}

/// Returns the number of cores.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Effort {
    /// Creates an effort of this size, on this number of threads.
    #[must_use]
    pub const fn new(size: Size, threads: usize) -> Self {
        Self { threads, size, kept: None }
    }

    /// Returns the result of one run, from the file of finished runs if it has it. See [`Kept::run`].
    pub fn once<R: Serialize + DeserializeOwned>(self, name: &str, parameters: &str, work: impl FnOnce() -> R) -> R {
        match self.kept {
            Some(kept) => kept.run(name, parameters, work),
            None => work(),
        }
    }

    /// Runs all jobs and returns their results in the order of the jobs. Calls `progress` with the number of jobs done
    /// and the number of all jobs.
    ///
    /// # Panics
    /// If a job panics.
    pub fn run<J: Sync, R: Send>(
        self,
        jobs: &[J],
        work: impl Fn(&J) -> R + Sync,
        progress: impl Fn(usize, usize) + Sync,
    ) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let results = Mutex::new(Vec::with_capacity(jobs.len()));
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    while let Some((index, job)) = {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        jobs.get(index).map(|job| (index, job))
                    } {
                        let result = work(job);
                        results.lock().expect("no thread panics while it holds this").push((index, result));
                        progress(done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
                    }
                });
            }
        });
        let mut results = results.into_inner().expect("no thread panics while it holds this");
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}
