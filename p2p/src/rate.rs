//! How much a peer may ask and say: token buckets, in integers and without a clock.

use std::collections::BTreeMap;

use crate::limits::{
    GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, LINKS_REQUESTS_PER_MIN, PROOFS_REQUESTS_PER_MIN, REQUEST_BURST_DIVISOR,
    TIP_REQUESTS_PER_MIN,
};
use crate::message::RequestKind;
use crate::{Millis, PeerId};

/// A bucket that fills with time. Counted in thousandths of tokens, so that slow rates do not round to nothing.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level_milli: u64,
    capacity_milli: u64,
    /// Tokens that flow in, in a period.
    tokens: u64,
    period_ms: u64,
    at: Millis,
}

impl Bucket {
    const fn full(capacity: u64, tokens: u64, period_ms: u64, now: Millis) -> Self {
        Self { level_milli: capacity * 1_000, capacity_milli: capacity * 1_000, tokens, period_ms, at: now }
    }

    const fn per_minute(tokens: u64, now: Millis) -> Self {
        Self::full(tokens / REQUEST_BURST_DIVISOR, tokens, 60_000, now)
    }

    /// Takes tokens when there are enough.
    fn take(&mut self, tokens: u64, now: Millis) -> bool {
        let elapsed_ms = now.since(self.at);
        let inflow_milli = elapsed_ms.saturating_mul(self.tokens).saturating_mul(1_000) / self.period_ms;
        // Time whose inflow rounds to nothing is left for the next call.
        if inflow_milli > 0 {
            self.level_milli = self.level_milli.saturating_add(inflow_milli).min(self.capacity_milli);
            self.at = now;
        }
        let Some(rest) = self.level_milli.checked_sub(tokens.saturating_mul(1_000)) else { return false };
        self.level_milli = rest;
        true
    }
}

/// What one peer may do.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    gossip: Bucket,
    tip: Bucket,
    links: Bucket,
    proofs: Bucket,
    headers: Bucket,
    pending: Bucket,
}

impl Allowance {
    const fn new(now: Millis) -> Self {
        Self {
            gossip: Bucket::full(GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, 1_000, now),
            tip: Bucket::per_minute(TIP_REQUESTS_PER_MIN, now),
            links: Bucket::per_minute(LINKS_REQUESTS_PER_MIN, now),
            proofs: Bucket::per_minute(PROOFS_REQUESTS_PER_MIN, now),
            headers: Bucket::per_minute(LINKS_REQUESTS_PER_MIN, now),
            pending: Bucket::per_minute(TIP_REQUESTS_PER_MIN, now),
        }
    }

    const fn of_kind(&mut self, kind: RequestKind) -> &mut Bucket {
        match kind {
            RequestKind::Tip => &mut self.tip,
            RequestKind::Links => &mut self.links,
            RequestKind::Proofs => &mut self.proofs,
            RequestKind::Headers => &mut self.headers,
            RequestKind::Pending => &mut self.pending,
        }
    }
}

/// The allowances of all connected peers.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    by_peer: BTreeMap<PeerId, Allowance>,
}

impl Rates {
    fn of(&mut self, peer: PeerId, now: Millis) -> &mut Allowance {
        self.by_peer.entry(peer).or_insert_with(|| Allowance::new(now))
    }

    /// Whether a request of the peer may be served now; it is counted if so.
    pub fn request(&mut self, peer: PeerId, kind: RequestKind, now: Millis) -> bool {
        self.of(peer, now).of_kind(kind).take(1, now)
    }

    /// Whether gossip of that many bytes may be looked at now; it is counted if so.
    pub fn gossip(&mut self, peer: PeerId, size_bytes: usize, now: Millis) -> bool {
        self.of(peer, now).gossip.take(u64::try_from(size_bytes).unwrap_or(u64::MAX), now)
    }

    /// Forgets a peer whose allowance is full again; one that comes back early finds the old one. To be called when a
    /// peer disconnects and now and then; `connected` tells who stays in any case.
    pub fn forget(&mut self, now: Millis, connected: impl Fn(&PeerId) -> bool) {
        const REFILL_MS: u64 = 60_000;
        self.by_peer.retain(|peer, allowance| connected(peer) || now.since(allowance.newest()) < REFILL_MS);
    }
}

impl Allowance {
    /// When a bucket was last used.
    fn newest(&self) -> Millis {
        [self.gossip, self.tip, self.links, self.proofs, self.headers, self.pending]
            .iter()
            .map(|bucket| bucket.at)
            .max()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
