//! How much a peer may ask and say: token buckets, in integers and without a clock.

use std::collections::BTreeMap;

use crate::limits::{
    GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, LINKS_REQUESTS_PER_MIN, OWN_RATE_PERCENT, PROOFS_REQUESTS_PER_MIN,
    REQUEST_BURST_DIVISOR, TIP_REQUESTS_PER_MIN,
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
        self.fill(now);
        let Some(rest) = self.level_milli.checked_sub(tokens.saturating_mul(1_000)) else { return false };
        self.level_milli = rest;
        true
    }

    /// Whether there are enough.
    fn has(&mut self, tokens: u64, now: Millis) -> bool {
        self.fill(now);
        self.level_milli >= tokens.saturating_mul(1_000)
    }

    fn fill(&mut self, now: Millis) {
        let elapsed_ms = now.since(self.at);
        let inflow_milli = elapsed_ms.saturating_mul(self.tokens).saturating_mul(1_000) / self.period_ms;
        // Time whose inflow rounds to nothing is left for the next call.
        if inflow_milli > 0 {
            self.level_milli = self.level_milli.saturating_add(inflow_milli).min(self.capacity_milli);
            self.at = now;
        }
    }

    /// Puts tokens back, as far as there is room.
    fn give_back(&mut self, tokens: u64) {
        self.level_milli = self.level_milli.saturating_add(tokens.saturating_mul(1_000)).min(self.capacity_milli);
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
    const fn new(percent: u64, now: Millis) -> Self {
        Self {
            gossip: Bucket::full(GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, 1_000, now),
            tip: Bucket::per_minute(TIP_REQUESTS_PER_MIN * percent / 100, now),
            links: Bucket::per_minute(LINKS_REQUESTS_PER_MIN * percent / 100, now),
            proofs: Bucket::per_minute(PROOFS_REQUESTS_PER_MIN * percent / 100, now),
            headers: Bucket::per_minute(LINKS_REQUESTS_PER_MIN * percent / 100, now),
            pending: Bucket::per_minute(TIP_REQUESTS_PER_MIN * percent / 100, now),
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
#[derive(Clone, Debug)]
pub struct Rates {
    by_peer: BTreeMap<PeerId, Allowance>,
    /// Part of the limits that requests may reach.
    percent: u64,
}

impl Default for Rates {
    fn default() -> Self {
        Self { by_peer: BTreeMap::new(), percent: 100 }
    }
}

impl Rates {
    /// What this node asks of its peers, so that it never asks more than they allow.
    #[must_use]
    pub fn of_own_requests() -> Self {
        Self { percent: OWN_RATE_PERCENT, ..Self::default() }
    }

    fn of(&mut self, peer: PeerId, now: Millis) -> &mut Allowance {
        let percent = self.percent;
        self.by_peer.entry(peer).or_insert_with(|| Allowance::new(percent, now))
    }

    /// Whether a request might be made now.
    pub fn allows(&mut self, peer: PeerId, kind: RequestKind, now: Millis) -> bool {
        self.of(peer, now).of_kind(kind).has(1, now)
    }

    /// Whether a request of the peer may be served now; it is counted if so.
    pub fn request(&mut self, peer: PeerId, kind: RequestKind, now: Millis) -> bool {
        self.of(peer, now).of_kind(kind).take(1, now)
    }

    /// Whether gossip of that many bytes may be looked at now; it is counted if so.
    pub fn gossip(&mut self, peer: PeerId, size_bytes: usize, now: Millis) -> bool {
        self.of(peer, now).gossip.take(u64::try_from(size_bytes).unwrap_or(u64::MAX), now)
    }

    /// Gives back what gossip cost that turned out to be valid: the work that was done for it limits it already. What is
    /// held is not given back, so a surge that outruns gossip still looks too fast.
    pub fn give_back(&mut self, peer: PeerId, size_bytes: usize) {
        if let Some(allowance) = self.by_peer.get_mut(&peer) {
            allowance.gossip.give_back(u64::try_from(size_bytes).unwrap_or(u64::MAX));
        }
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
