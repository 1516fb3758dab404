//! Issues the extranonces of connections, so that no two search spaces meet: not within a server, not among nodes that
//! start together, and not after a restart.
//!
//! Two jobs of one owner on two nodes can have the same coinbase but for the extranonce. With equal extranonces, both
//! nodes would accept the same shares, and the share-chain credits each once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits;
use crate::pool::EXTRANONCE1_BYTES;

/// An extranonce1, as in the coinbase.
pub(crate) type Extranonce1 = [u8; EXTRANONCE1_BYTES];

/// The extranonces of one server: a counter that starts at 8 random bytes of the operating system.
///
/// If an owner's `n` nodes or restarts issue `c` extranonces each, two of them meet with a probability of at most
/// `n^2 * c / 2^64`: 6 in 10^8 for 1,000 starts with a million connections each.
#[derive(Debug)]
pub(crate) struct Extranonces {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    /// Extranonces of closed connections with the time of their last job, oldest first: at most
    /// [`limits::RESUMABLE_MAX`].
    left: VecDeque<(u64, u32)>,
}

impl Extranonces {
    /// Starts at a random place.
    pub(crate) fn new() -> Arc<Self> {
        let mut start = [0; EXTRANONCE1_BYTES];
        getrandom::fill(&mut start).expect("the operating system has random bytes");
        let state = State { next: u64::from_be_bytes(start), left: VecDeque::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Issues the next extranonce.
    pub(crate) fn issue(self: &Arc<Self>) -> Lease {
        let mut state = self.lock();
        let id = state.next;
        state.next = id.wrapping_add(1);
        Lease { id, last_time: 0, extranonces: Arc::clone(self) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The extranonce of one open connection. Dropping it lets the miner resume it.
#[derive(Debug)]
pub(crate) struct Lease {
    id: u64,
    /// Header time of the last job with this extranonce; 0 before the first.
    pub(crate) last_time: u32,
    extranonces: Arc<Extranonces>,
}

impl Lease {
    pub(crate) fn extranonce1(&self) -> Extranonce1 {
        self.id.to_be_bytes()
    }

    /// Returns the extranonce of an earlier connection to a miner that comes back, if this server issued it and that
    /// connection has closed. This lease then goes unused.
    pub(crate) fn resume(&self, wanted: Extranonce1) -> Option<Self> {
        let mut state = self.extranonces.lock();
        let id = u64::from_be_bytes(wanted);
        let at = state.left.iter().position(|(left, _)| *left == id)?;
        let (id, last_time) = state.left.remove(at)?;
        Some(Self { id, last_time, extranonces: Arc::clone(&self.extranonces) })
    }

    /// A number that differs from those of the connections before and after it, in this run and others.
    pub(crate) fn serial(&self) -> u32 {
        (self.id & u64::from(u32::MAX)) as u32
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Without a job, nothing is lost with a new extranonce.
        if self.last_time > 0 {
            let mut state = self.extranonces.lock();
            if state.left.len() >= limits::RESUMABLE_MAX {
                state.left.pop_front();
            }
            state.left.push_back((self.id, self.last_time));
        }
    }
}

#[cfg(test)]
mod tests;
