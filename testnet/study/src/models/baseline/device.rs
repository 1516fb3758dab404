//! Hash rate that goes on with its old job for a while after a new one was sent.

use std::collections::VecDeque;

use super::tree::Job;
use sim::time::Micros;

/// The devices of one miner, which all take as long to switch.
#[derive(Clone, Debug)]
pub struct Device {
    /// From a new job until its first hash: the way to the device, and its pipeline.
    switch: Micros,
    current: Option<Job>,
    /// Jobs under way, and when each is worked on.
    coming: VecDeque<(Micros, Job)>,
}

impl Device {
    /// Devices without a job.
    #[must_use]
    pub const fn new(switch: Micros) -> Self {
        Self { switch, current: None, coming: VecDeque::new() }
    }

    /// Changes how long they take to switch, from the next job on.
    pub const fn set_switch(&mut self, switch: Micros) {
        self.switch = switch;
    }

    /// The job that was sent last.
    #[must_use]
    pub fn last(&self) -> Option<&Job> {
        self.coming.back().map(|(_, job)| job).or(self.current.as_ref())
    }

    /// Sends a job, unless it was the last one sent.
    pub fn send(&mut self, job: &Job, now: Micros) {
        if self.last() == Some(job) {
            return;
        }
        // The first job has nothing to replace.
        let at = if self.last().is_none() { now } else { now + self.switch };
        self.coming.push_back((at, job.clone()));
    }

    /// The job that is worked on now.
    pub fn job(&mut self, now: Micros) -> Option<&Job> {
        while let Some((_, job)) = self.coming.pop_front_if(|(at, _)| *at <= now) {
            self.current = Some(job);
        }
        self.current.as_ref()
    }
}
