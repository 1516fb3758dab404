//! Mining devices. A device works on its newest job once it has switched to it, and on the one before until then.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::ScriptBuf;
use bitcoin::block::Header;
use node_core::jobs::Job;
use rand::RngCore;
use sharechain::Work;

use crate::ids::MinerId;
use crate::pow::grind;
use crate::rng::SimRng;

/// A miner's devices, which all behave alike.
#[derive(Debug)]
pub struct Device {
    /// The miner that owns them.
    pub miner: MinerId,
    /// The script that is credited, unless the strategy decides otherwise.
    pub script: ScriptBuf,
    /// The present job, and the average number of hashes for a share of it.
    job: Option<(Arc<Job>, f64)>,
    /// Newer jobs that they will switch to, oldest first, with their numbers.
    coming: VecDeque<(u64, Arc<Job>)>,
    jobs: u64,
}

impl Device {
    /// Creates devices without work.
    #[must_use]
    pub fn new(miner: MinerId, script: ScriptBuf) -> Self {
        Self { miner, script, job: None, coming: VecDeque::new(), jobs: 0 }
    }

    /// Hands out a job. Idle devices start at once. Otherwise returns the job's number, because the devices switch to
    /// it later.
    pub fn hand(&mut self, job: Arc<Job>, at_once: bool) -> Option<u64> {
        if at_once || self.job.is_none() {
            self.job = Some(with_hashes(job));
            self.coming.clear();
            return None;
        }
        self.jobs += 1;
        self.coming.push_back((self.jobs, job));
        Some(self.jobs)
    }

    /// Switches to a job. Returns false if the devices already have a newer one.
    pub fn switch(&mut self, number: u64) -> bool {
        let mut switched = false;
        while let Some((_, job)) = self.coming.pop_front_if(|(oldest, _)| *oldest <= number) {
            self.job = Some(with_hashes(job));
            switched = true;
        }
        switched
    }

    /// Disconnects the devices, which then have no work.
    pub fn stop(&mut self) {
        self.job = None;
        self.coming.clear();
    }

    /// Returns the average number of hashes for a share of the present job.
    #[must_use]
    pub fn hashes(&self) -> Option<f64> {
        self.job.as_ref().map(|(_, hashes)| *hashes)
    }

    /// Finds a share of the present job by hashing. It starts at a random nonce, so the extranonce need not change.
    pub fn find(&self, rng: &mut SimRng) -> Option<(Arc<Job>, Header)> {
        let (job, _) = self.job.clone()?;
        let mut header = job.unworked_header();
        header.nonce = rng.next_u32();
        grind(&mut header, job.template.assignment.position.share_target);
        Some((job, header))
    }
}

fn with_hashes(job: Arc<Job>) -> (Arc<Job>, f64) {
    let Work(work) = Work::of_target(job.template.assignment.position.share_target);
    (job, f64::from(work))
}
