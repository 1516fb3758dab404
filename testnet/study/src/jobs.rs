//! Many independent runs on a few threads. Each run has its own world and its own seed, so results depend neither on the
//! number of threads nor on which was faster.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much is done, and on how many threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Threads.
    pub threads: usize,
    /// The whole study, or the reduced one that tests run.
    pub size: Size,
}

/// How much of the study is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// All of it: hours.
    Standard,
    /// A few points of each experiment: minutes.
    Reduced,
}

impl Size {
    /// One of two values.
    #[must_use]
    pub fn pick<T>(self, standard: T, reduced: T) -> T {
        match self {
            Self::Standard => standard,
            Self::Reduced => reduced,
        }
    }
}

impl Effort {
    /// Runs all jobs and returns their results in the order of the jobs. `progress` hears how many are done, and of how
    /// many.
    ///
    /// # Panics
    /// When a job does.
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
