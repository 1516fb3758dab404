//! Bytes received but not yet processed, by connection, and the connection to close if there are too many.
//!
//! A peer can fill receive buffers for the price of its upload: with a message that it never finishes, or a stream that
//! this node does not read. The sum over all connections is bounded; beyond it, the host with the most bytes loses its
//! largest connection.

use std::collections::BTreeMap;

use crate::limits::RECEIVE_BUFFER_BYTES_MAX;
use crate::netgroup::Host;

/// Identifies a connection in [`Buffers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(u64);

#[derive(Clone, Copy, Debug)]
struct Held {
    host: Host,
    size_bytes: usize,
}

/// Bytes in the receive buffers of all connections.
#[derive(Clone, Debug, Default)]
pub struct Buffers {
    by_id: BTreeMap<BufferId, Held>,
    size_bytes: usize,
    next: u64,
}

impl Buffers {
    /// Adds a connection without bytes.
    pub fn open(&mut self, host: Host) -> BufferId {
        let id = BufferId(self.next);
        self.next = self.next.wrapping_add(1);
        self.by_id.insert(id, Held { host, size_bytes: 0 });
        id
    }

    /// Removes a connection and its bytes.
    pub fn close(&mut self, id: BufferId) {
        if let Some(held) = self.by_id.remove(&id) {
            self.size_bytes = self.size_bytes.saturating_sub(held.size_bytes);
        }
    }

    /// Removes bytes that were processed or dropped.
    pub fn release(&mut self, id: BufferId, size_bytes: usize) {
        if let Some(held) = self.by_id.get_mut(&id) {
            let size_bytes = size_bytes.min(held.size_bytes);
            held.size_bytes -= size_bytes;
            self.size_bytes = self.size_bytes.saturating_sub(size_bytes);
        }
    }

    /// Adds bytes to a connection. If the total exceeds [`RECEIVE_BUFFER_BYTES_MAX`], removes connections until it
    /// fits, and returns them for the owner to close.
    pub fn hold(&mut self, id: BufferId, size_bytes: usize) -> Vec<BufferId> {
        let Some(held) = self.by_id.get_mut(&id) else { return Vec::new() };
        held.size_bytes = held.size_bytes.saturating_add(size_bytes);
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        let mut shed = Vec::new();
        while self.size_bytes > RECEIVE_BUFFER_BYTES_MAX {
            let Some(id) = self.largest() else { break };
            self.close(id);
            shed.push(id);
        }
        shed
    }

    /// Bytes of all connections.
    #[must_use]
    pub const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Largest connection of the host with the most bytes.
    fn largest(&self) -> Option<BufferId> {
        let mut by_host: BTreeMap<Host, usize> = BTreeMap::new();
        for held in self.by_id.values() {
            let sum = by_host.entry(held.host).or_default();
            *sum = sum.saturating_add(held.size_bytes);
        }
        let host = by_host.into_iter().max_by_key(|(_, sum)| *sum)?.0;
        let of_host = self.by_id.iter().filter(|(_, held)| held.host == host);
        of_host.max_by_key(|(_, held)| held.size_bytes).map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests;
