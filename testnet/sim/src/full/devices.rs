//! Machines that hash: each works on its newest job as soon as it has switched to it, and on the one before until then.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::ScriptBuf;
use bitcoin::block::Header;
use node_core::jobs::Job;
use rand::RngCore;
use sharechain::Work;

use crate::pow::grind;
use crate::rng::SimRng;
use crate::world::MinerId;

/// A miner's machines, which all do the same.
#[derive(Debug)]
pub struct Device {
    /// Whose they are.
    pub miner: MinerId,
    /// Who is credited, unless the strategy decides otherwise.
    pub script: ScriptBuf,
    /// What they work on, and the hashes that a share of it takes on average.
    job: Option<(Arc<Job>, f64)>,
    /// Newer jobs that they will switch to, oldest first, with their numbers.
    coming: VecDeque<(u64, Arc<Job>)>,
    jobs: u64,
}

impl Device {
    /// Machines without work.
    #[must_use]
    pub fn new(miner: MinerId, script: ScriptBuf) -> Self {
        Self { miner, script, job: None, coming: VecDeque::new(), jobs: 0 }
    }

    /// Hands out a job. Returns its number if the machines will switch to it later; an idle one begins at once.
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

    /// The machines switch to a job. False if they have a newer one by now.
    pub fn switch(&mut self, number: u64) -> bool {
        let mut switched = false;
        while let Some((_, job)) = self.coming.pop_front_if(|(oldest, _)| *oldest <= number) {
            self.job = Some(with_hashes(job));
            switched = true;
        }
        switched
    }

    /// They lose their connection, and all work with it.
    pub fn stop(&mut self) {
        self.job = None;
        self.coming.clear();
    }

    /// Hashes that a share takes on average at the present job.
    #[must_use]
    pub fn hashes(&self) -> Option<f64> {
        self.job.as_ref().map(|(_, hashes)| *hashes)
    }

    /// Finds a share of the present job: hashes until there is one. Beginning at a random nonce, the extranonce can stay
    /// what it is.
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
