//! The hashing thread.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use bitcoin::Target;
use stratum::client::Job;
use tokio::sync::{mpsc, watch};

use super::config::Config;
use super::counters::{Counters, count};
use super::throttle::Throttle;
use crate::limits::MINER_PERIOD;
use sim::hash::HeaderHasher;

/// A proof that can be submitted.
#[derive(Debug)]
pub(super) struct Hit {
    /// The job it solves.
    pub(super) job: Arc<Job>,
    /// The miner's part of the extranonce.
    pub(super) extranonce2: [u8; 8],
    /// The header's nonce.
    pub(super) nonce: u32,
}

/// Hashes the newest job until the connection that feeds it is gone.
pub(super) struct Worker {
    jobs: watch::Receiver<Option<(u64, Arc<Job>)>>,
    hits: mpsc::Sender<Hit>,
    throttle: Throttle,
    counters: Arc<Counters>,
    blocks_only: bool,
    /// Never used twice on a connection. Otherwise, a job that is sent again would give the same proofs.
    extranonce2: u64,
}

/// A job and the next nonce to try.
struct Rolling {
    job: Arc<Job>,
    extranonce2: [u8; 8],
    hasher: HeaderHasher,
    /// The job's target for proofs.
    target: Target,
    nonce: u32,
}

impl Worker {
    pub(super) fn new(
        jobs: watch::Receiver<Option<(u64, Arc<Job>)>>,
        hits: mpsc::Sender<Hit>,
        config: &Config,
        counters: Arc<Counters>,
    ) -> Self {
        let throttle = Throttle::new(config.hashrate, Instant::now());
        Self { jobs, hits, throttle, counters, blocks_only: config.blocks_only, extranonce2: 0 }
    }

    pub(super) fn run(mut self) {
        let mut rolling: Option<Rolling> = None;
        loop {
            match self.jobs.has_changed() {
                Err(_closed) => return,
                Ok(false) => {}
                Ok(true) => {
                    let newest = self.jobs.borrow_and_update().clone();
                    rolling = newest.map(|(_, job)| self.begin(job));
                }
            }
            let Some(current) = &mut rolling else {
                thread::sleep(MINER_PERIOD);
                self.throttle.restart(Instant::now());
                continue;
            };
            let hashes = self.throttle.slice_hashes();
            if !mine(current, hashes, &self.hits) {
                return;
            }
            count(&self.counters.hashes, u64::from(hashes));
            // A job that lasts for hours runs out of nonces.
            if current.nonce.checked_add(hashes).is_none() {
                let job = current.job.clone();
                rolling = Some(self.begin(job));
            }
            thread::sleep(self.throttle.pause(Instant::now()));
        }
    }

    fn begin(&mut self, job: Arc<Job>) -> Rolling {
        let extranonce2 = self.extranonce2.to_be_bytes();
        self.extranonce2 = self.extranonce2.wrapping_add(1);
        let header = job.header(extranonce2, job.time, 0, 0);
        let target = if self.blocks_only { header.target() } else { job.target };
        Rolling { job, extranonce2, hasher: HeaderHasher::new(&header), target, nonce: 0 }
    }
}

/// Tries `hashes` nonces and forwards the proofs. Returns false if the receiver is gone.
fn mine(rolling: &mut Rolling, hashes: u32, hits: &mpsc::Sender<Hit>) -> bool {
    let end = rolling.nonce.saturating_add(hashes);
    while rolling.nonce < end {
        let left = end - rolling.nonce;
        let Some(nonce) = rolling.hasher.search(rolling.target, rolling.nonce, left) else {
            break;
        };
        let hit = Hit { job: rolling.job.clone(), extranonce2: rolling.extranonce2, nonce };
        if hits.blocking_send(hit).is_err() {
            return false;
        }
        rolling.nonce = nonce.saturating_add(1);
    }
    rolling.nonce = end;
    true
}
