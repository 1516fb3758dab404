//! The effect of an attack on the victim.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::task::JoinHandle;

use crate::api_client::Api;
use crate::watch::{Passage, percentile};

/// Interval between checks.
const LOOK: Duration = Duration::from_millis(100);

/// Resource use of a process.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Use {
    /// Resident memory, bytes.
    pub(super) rss_bytes: u64,
    /// Processor time since it started, milliseconds.
    pub(super) cpu_ms: u64,
}

/// Measures a process.
pub(super) fn measure(system: &mut System, pid: u32) -> Use {
    let pid = Pid::from_u32(pid);
    let what = ProcessRefreshKind::nothing().with_memory().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
    let process = system.process(pid);
    process.map_or_else(Use::default, |process| Use {
        rss_bytes: process.memory(),
        cpu_ms: process.accumulated_cpu_time(),
    })
}

/// Measurements of a [`Gauge`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gauged {
    /// Largest resident memory, bytes.
    pub(super) rss_bytes_max: u64,
    /// Time in which the node said that it has no work.
    pub(super) no_work: Duration,
}

/// Monitors the victim until it is dropped: its memory, and whether it has work.
#[derive(Debug)]
pub(super) struct Gauge {
    seen: Arc<Mutex<Gauged>>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Gauge {
    /// Starts monitoring.
    ///
    /// # Errors
    /// The system shows no processes.
    pub(super) fn start(pid: u32, api: SocketAddr) -> std::io::Result<Self> {
        let seen = Arc::<Mutex<Gauged>>::default();
        let mut system = System::new().map_err(std::io::Error::other)?;
        let note = |seen: &Mutex<Gauged>, change: &dyn Fn(&mut Gauged)| {
            change(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let memory = {
            let seen = Arc::clone(&seen);
            async move {
                loop {
                    let rss_bytes = measure(&mut system, pid).rss_bytes;
                    note(&seen, &|seen| seen.rss_bytes_max = seen.rss_bytes_max.max(rss_bytes));
                    tokio::time::sleep(LOOK).await;
                }
            }
        };
        let work = {
            let (seen, api) = (Arc::clone(&seen), Api::new(api));
            async move {
                let mut since = Instant::now();
                loop {
                    // No answer does not mean no work: the miner has its job.
                    let no_work = api.status().await.is_ok_and(|status| status.no_work_because.is_some());
                    let now = Instant::now();
                    if no_work {
                        note(&seen, &|seen| seen.no_work += now - since);
                    }
                    since = now;
                    tokio::time::sleep(LOOK).await;
                }
            }
        };
        Ok(Self { seen, tasks: [tokio::spawn(memory), tokio::spawn(work)] })
    }

    /// Returns the measurements so far.
    pub(super) fn read(&self) -> Gauged {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the passages of shares that were found in this time, between these nodes.
pub(super) fn found_between(
    passages: &[Passage],
    from: Instant,
    to: Instant,
    nodes: &BTreeSet<usize>,
) -> Vec<Duration> {
    let found = |passage: &&Passage| passage.at.checked_sub(passage.took).is_some_and(|at| at >= from && at < to);
    let honest = |passage: &&Passage| nodes.contains(&passage.from) && nodes.contains(&passage.to);
    passages.iter().filter(found).filter(honest).map(|passage| passage.took).collect()
}

/// Returns the 99th percentile in milliseconds.
pub(super) fn p99_ms(samples: &mut [Duration]) -> u64 {
    let percentile = percentile(samples, 99).unwrap_or_default();
    u64::try_from(percentile.as_millis()).unwrap_or(u64::MAX)
}

/// The log of a node.
#[derive(Debug)]
pub(super) struct Log(PathBuf);

impl Log {
    /// Returns the log in a node's folder.
    pub(super) fn of(dir: &Path) -> Self {
        Self(dir.join("shoal.log"))
    }

    /// Returns its length in bytes.
    pub(super) fn bytes(&self) -> u64 {
        fs::metadata(&self.0).map_or(0, |metadata| metadata.len())
    }
}
