//! Rate limits per peer: token buckets in integers, without a clock.

use std::collections::BTreeMap;

use crate::limits::{
    BEGINNING_REQUESTS_PER_MIN, GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, LINKS_REQUESTS_BURST, LINKS_REQUESTS_PER_MIN,
    NEW_RECORDS_REQUESTS_PER_MIN, OWN_RATE_PERCENT, PROOFS_REQUESTS_BURST, PROOFS_REQUESTS_PER_MIN,
    RECORDS_REQUESTS_BURST, RECORDS_REQUESTS_PER_MIN, REQUEST_BURST_DIVISOR, TIP_REQUESTS_PER_MIN,
};
use crate::message::RequestKind;
use crate::{Millis, PeerId};

/// Token bucket. It counts in thousandths of tokens, so that slow rates do not round to zero.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level_milli: u64,
    capacity_milli: u64,
    /// Number of tokens that flow in per period.
    tokens: u64,
    period_ms: u64,
    at: Millis,
}

impl Bucket {
    const fn full(capacity: u64, tokens: u64, period_ms: u64, now: Millis) -> Self {
        Self { level_milli: capacity * 1_000, capacity_milli: capacity * 1_000, tokens, period_ms, at: now }
    }

    const fn per_minute(tokens: u64, now: Millis) -> Self {
        Self::with_burst(tokens / REQUEST_BURST_DIVISOR, tokens, now)
    }

    const fn with_burst(burst: u64, per_minute: u64, now: Millis) -> Self {
        Self::full(burst, per_minute, 60_000, now)
    }

    /// Removes tokens if there are enough. Returns whether it did.
    fn take(&mut self, tokens: u64, now: Millis) -> bool {
        self.fill(now);
        let Some(rest) = self.level_milli.checked_sub(tokens.saturating_mul(1_000)) else { return false };
        self.level_milli = rest;
        true
    }

    /// True if there are enough tokens.
    fn has(&mut self, tokens: u64, now: Millis) -> bool {
        self.fill(now);
        self.level_milli >= tokens.saturating_mul(1_000)
    }

    fn fill(&mut self, now: Millis) {
        let elapsed_ms = now.since(self.at);
        let inflow_milli = elapsed_ms.saturating_mul(self.tokens).saturating_mul(1_000) / self.period_ms;
        // If the inflow rounds to zero, the elapsed time counts next time.
        if inflow_milli > 0 {
            self.level_milli = self.level_milli.saturating_add(inflow_milli).min(self.capacity_milli);
            self.at = now;
        }
    }

    /// Returns tokens, up to the capacity.
    fn give_back(&mut self, tokens: u64) {
        self.level_milli = self.level_milli.saturating_add(tokens.saturating_mul(1_000)).min(self.capacity_milli);
    }
}

/// Token buckets of one peer.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    gossip: Bucket,
    tip: Bucket,
    link_headers: Bucket,
    proofs: Bucket,
    headers: Bucket,
    pending: Bucket,
    beginning: Bucket,
    rows: Bucket,
    records: Bucket,
    new_records: Bucket,
}

impl Allowance {
    const fn new(percent: u64, now: Millis) -> Self {
        let links =
            Bucket::with_burst(LINKS_REQUESTS_BURST * percent / 100, LINKS_REQUESTS_PER_MIN * percent / 100, now);
        let proofs =
            Bucket::with_burst(PROOFS_REQUESTS_BURST * percent / 100, PROOFS_REQUESTS_PER_MIN * percent / 100, now);
        Self {
            gossip: Bucket::full(GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, 1_000, now),
            tip: Bucket::per_minute(TIP_REQUESTS_PER_MIN * percent / 100, now),
            link_headers: links,
            proofs,
            headers: links,
            pending: Bucket::per_minute(TIP_REQUESTS_PER_MIN * percent / 100, now),
            beginning: Bucket::per_minute(BEGINNING_REQUESTS_PER_MIN * percent / 100, now),
            rows: links,
            records: Bucket::with_burst(RECORDS_REQUESTS_BURST, RECORDS_REQUESTS_PER_MIN, now),
            new_records: Bucket::per_minute(NEW_RECORDS_REQUESTS_PER_MIN * percent / 100, now),
        }
    }

    const fn of_kind(&mut self, kind: RequestKind) -> &mut Bucket {
        match kind {
            RequestKind::Tip => &mut self.tip,
            RequestKind::LinkHeaders => &mut self.link_headers,
            RequestKind::Proofs => &mut self.proofs,
            RequestKind::Headers => &mut self.headers,
            RequestKind::Pending => &mut self.pending,
            RequestKind::Beginning => &mut self.beginning,
            RequestKind::Rows => &mut self.rows,
            RequestKind::Records => &mut self.records,
            RequestKind::NewRecords => &mut self.new_records,
        }
    }
}

/// Rate limits of all connected peers.
#[derive(Clone, Debug)]
pub struct Rates {
    by_peer: BTreeMap<PeerId, Allowance>,
    /// Percentage of the limits that requests may use.
    percent: u64,
}

impl Default for Rates {
    fn default() -> Self {
        Self { by_peer: BTreeMap::new(), percent: 100 }
    }
}

impl Rates {
    /// Limits for this node's own requests: below what its peers allow.
    #[must_use]
    pub fn of_own_requests() -> Self {
        Self { percent: OWN_RATE_PERCENT, ..Self::default() }
    }

    fn of(&mut self, peer: PeerId, now: Millis) -> &mut Allowance {
        let percent = self.percent;
        self.by_peer.entry(peer).or_insert_with(|| Allowance::new(percent, now))
    }

    /// True if a request of this kind is allowed now. Does not count it.
    pub fn allows(&mut self, peer: PeerId, kind: RequestKind, now: Millis) -> bool {
        self.of(peer, now).of_kind(kind).has(1, now)
    }

    /// True if a request of this kind is allowed now. If so, counts it.
    pub fn request(&mut self, peer: PeerId, kind: RequestKind, now: Millis) -> bool {
        self.of(peer, now).of_kind(kind).take(1, now)
    }

    /// True if gossip of this size is allowed now. If so, counts it.
    pub fn gossip(&mut self, peer: PeerId, size_bytes: usize, now: Millis) -> bool {
        self.of(peer, now).gossip.take(u64::try_from(size_bytes).unwrap_or(u64::MAX), now)
    }

    /// Returns the tokens of gossip that turned out to be valid: its proof of work limits its rate already. Held gossip
    /// gets no tokens back, so a surge of proofs whose dependencies are missing still exceeds the limit.
    pub fn give_back(&mut self, peer: PeerId, size_bytes: usize) {
        if let Some(allowance) = self.by_peer.get_mut(&peer) {
            allowance.gossip.give_back(u64::try_from(size_bytes).unwrap_or(u64::MAX));
        }
    }

    /// Drops the limits of disconnected peers whose buckets are full again. A peer that reconnects earlier gets its old
    /// buckets. Call it when a peer disconnects and from time to time.
    pub fn forget(&mut self, now: Millis, connected: impl Fn(&PeerId) -> bool) {
        const REFILL_MS: u64 = 60_000;
        self.by_peer.retain(|peer, allowance| connected(peer) || now.since(allowance.newest()) < REFILL_MS);
    }
}

impl Allowance {
    /// Time at which a bucket was last used.
    fn newest(&self) -> Millis {
        let sync = [self.tip, self.link_headers, self.proofs, self.headers, self.pending, self.beginning, self.rows];
        let others = [self.gossip, self.records, self.new_records];
        sync.iter().chain(&others).map(|bucket| bucket.at).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
