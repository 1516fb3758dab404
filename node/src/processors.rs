//! One processor for each thread that serves miners.
//!
//! A new Bitcoin tip wakes thousands of connections, which as many worker threads serve as there are processors. Linux leaves a
//! processor idle for ten milliseconds and more while two of them share another one: they are awake for too short a time to be
//! moved. So each worker has a processor of its own, and takes work from a worker whose processor is busy with something else.
//! See `specs/decisions/0090-processors.md`.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::runtime::{Builder, Runtime};
use tracing::debug;

thread_local! {
    static IS_PLACED: Cell<bool> = const { Cell::new(false) };
}

/// Makes the runtime of the program.
///
/// # Errors
/// The system has no threads or sockets left.
pub(crate) fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.enable_all();
    let Some(each) = processors() else { return builder.build() };
    let next = AtomicUsize::new(0);
    builder.worker_threads(each.len());
    // A thread inherits the processors of the one that starts it.
    builder.on_thread_start(use_all);
    // Only workers park here, each for the first time before there is work; threads for blocking work do not.
    builder.on_thread_park(move || {
        if !IS_PLACED.replace(true)
            && let Some(place) = each.get(next.fetch_add(1, Ordering::Relaxed))
        {
            put(place);
        }
    });
    builder.build()
}

/// Lets the calling thread run on all processors of the process: a worker may have started it.
pub(crate) fn use_all() {
    // The main thread's processors do not change.
    if let Ok(all) = sched_getaffinity(Some(rustix::process::getpid())) {
        put(&all);
    }
}

/// Each processor of the process. `None` if it may use a part of their time only, as in a container with a quota.
fn processors() -> Option<Vec<CpuSet>> {
    let all = sched_getaffinity(None).ok()?;
    let each: Vec<CpuSet> = (0..CpuSet::MAX_CPU).filter(|processor| all.is_set(*processor)).map(alone).collect();
    let workers = std::thread::available_parallelism().ok()?.get();
    (each.len() == workers).then_some(each)
}

fn alone(processor: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(processor);
    set
}

fn put(place: &CpuSet) {
    if let Err(error) = sched_setaffinity(None, place) {
        debug!(%error, "a thread keeps its processors");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn count() -> usize {
        let set = sched_getaffinity(None).unwrap();
        (0..CpuSet::MAX_CPU).filter(|processor| set.is_set(*processor)).count()
    }

    #[test]
    fn workers_have_a_processor_each_and_threads_that_they_start_have_all() {
        let Some(each) = processors() else { return };
        assert_eq!(count(), each.len());
        let runtime = runtime().unwrap();
        let found = runtime.block_on(async {
            // By then, all workers have had nothing to do.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let worker = || async {
                let started = std::thread::spawn(|| {
                    let inherited = count();
                    use_all();
                    (inherited, count())
                });
                (count(), tokio::task::spawn_blocking(count).await.unwrap(), started.join().unwrap())
            };
            tokio::spawn(worker()).await.unwrap()
        });
        assert_eq!(found, (1, each.len(), (1, each.len())));
        assert_eq!(count(), each.len(), "the thread that made the runtime keeps all");
    }
}
