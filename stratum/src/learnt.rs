//! What the server learned from devices: the coinbases that they cannot hold.
//!
//! A user agent is a claim, and so is a run of shares that fit no job. So what is learned from a device counts for its
//! address alone, and for a time.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::limits;

/// A device that could not hold a coinbase.
#[derive(Debug)]
struct Lesson {
    ip: IpAddr,
    agent: Arc<str>,
    /// The longest coinbase that it may hold, in bytes.
    max: usize,
    since: Instant,
}

/// Lessons of one server, oldest first: at most [`limits::LESSONS_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Learnt(Mutex<VecDeque<Lesson>>);

impl Learnt {
    /// Notes that devices of this program at this address cannot hold a coinbase of `bytes`.
    pub(crate) fn note(&self, ip: IpAddr, agent: &Arc<str>, bytes: usize, now: Instant) {
        let mut lessons = self.lock();
        lessons.retain(|lesson| !(lesson.ip == ip && lesson.agent == *agent));
        if lessons.len() >= limits::LESSONS_MAX {
            lessons.pop_front();
        }
        lessons.push_back(Lesson { ip, agent: Arc::clone(agent), max: bytes.saturating_sub(1), since: now });
    }

    /// Returns the longest coinbase that a device of this program at this address may hold, in bytes. `None` if nothing
    /// was learned within [`limits::LESSON`]: firmware may change.
    pub(crate) fn max_of(&self, ip: IpAddr, agent: &str, now: Instant) -> Option<usize> {
        let is_fresh = |lesson: &&Lesson| now.saturating_duration_since(lesson.since) < limits::LESSON;
        let lessons = self.lock();
        let of_device = lessons.iter().find(|lesson| lesson.ip == ip && *lesson.agent == *agent);
        of_device.filter(is_fresh).map(|lesson| lesson.max)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Lesson>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
