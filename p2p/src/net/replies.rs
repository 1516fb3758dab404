//! Responses in flight to peers, bounded in bytes: a peer that asks for much and reads nothing must not fill memory.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libp2p::request_response::InboundRequestId;

use p2p_proto::limits::{REPLY_BYTES_MAX, REPLY_BYTES_PER_HOST_MAX, REQUEST_TIMEOUT_MS};
use p2p_proto::netgroup::Host;

/// Responses that libp2p has not written completely.
#[derive(Debug, Default)]
pub(super) struct Replies {
    by_id: HashMap<InboundRequestId, (Host, usize, Instant)>,
}

impl Replies {
    /// Adds a response. Returns false if it must not be sent, because its host or all hosts have too much in flight.
    pub(super) fn send(&mut self, id: InboundRequestId, host: Host, size_bytes: usize) -> bool {
        // libp2p ends each within the timeout of a request; if it ever fails to, the place must not be lost.
        self.by_id.retain(|_, (_, _, since)| since.elapsed() < 2 * Duration::from_millis(REQUEST_TIMEOUT_MS));
        let held = self.by_id.values().map(|(host, size_bytes, _)| (*host, *size_bytes));
        let fits = Self::fits(held, host, size_bytes);
        if fits {
            self.by_id.insert(id, (host, size_bytes, Instant::now()));
        }
        fits
    }

    /// True if a response fits beside those in flight. Loopback has only the total limit.
    fn fits(held: impl Iterator<Item = (Host, usize)>, host: Host, size_bytes: usize) -> bool {
        let (mut of_host, mut of_all) = (size_bytes, size_bytes);
        for (other, size_bytes) in held {
            of_all = of_all.saturating_add(size_bytes);
            if other == host {
                of_host = of_host.saturating_add(size_bytes);
            }
        }
        of_all <= REPLY_BYTES_MAX && (host.is_loopback() || of_host <= REPLY_BYTES_PER_HOST_MAX)
    }

    /// Removes a response that was written or failed.
    pub(super) fn ended(&mut self, id: InboundRequestId) {
        self.by_id.remove(&id);
    }
}

#[cfg(test)]
mod tests;
