//! Devices that keep working on an old job for a while after a new one was sent.

use std::collections::VecDeque;

use super::tree::Job;
use sim::time::Micros;

/// The devices of one miner, which all take equally long to switch.
#[derive(Clone, Debug)]
pub struct Device {
    /// Time from a new job to its first hash: the way to the device, and its pipeline.
    switch: Micros,
    current: Option<Job>,
    /// Jobs in transit, with the times at which work on them starts.
    coming: VecDeque<(Micros, Job)>,
}

impl Device {
    /// Creates devices without a job.
    #[must_use]
    pub const fn new(switch: Micros) -> Self {
        Self { switch, current: None, coming: VecDeque::new() }
    }

    /// Sets the switch time, from the next job on.
    pub const fn set_switch(&mut self, switch: Micros) {
        self.switch = switch;
    }

    /// Returns the job that was sent last.
    #[must_use]
    pub fn last(&self) -> Option<&Job> {
        self.coming.back().map(|(_, job)| job).or(self.current.as_ref())
    }

    /// Sends a job, unless it equals the last one.
    pub fn send(&mut self, job: &Job, now: Micros) {
        if self.last() == Some(job) {
            return;
        }
        // The first job replaces no other.
        let at = if self.last().is_none() { now } else { now + self.switch };
        self.coming.push_back((at, job.clone()));
    }

    /// Returns the job that the devices work on.
    pub fn job(&mut self, now: Micros) -> Option<&Job> {
        while let Some((_, job)) = self.coming.pop_front_if(|(at, _)| *at <= now) {
            self.current = Some(job);
        }
        self.current.as_ref()
    }
}
