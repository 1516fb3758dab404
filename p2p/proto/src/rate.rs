//! Rate limits of requests and gossip: token buckets by peer, or by another key that shares a limit.

use std::collections::BTreeMap;

use crate::bucket::Bucket;
use crate::limits::{
    BEGINNING_REQUESTS_PER_MIN, GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, LINKS_REQUESTS_BURST, LINKS_REQUESTS_PER_MIN,
    NEW_RECORDS_REQUESTS_PER_MIN, OWN_RATE_PERCENT, PIECE_REQUESTS_BURST, PIECE_REQUESTS_PER_MIN,
    PROOFS_REQUESTS_BURST, PROOFS_REQUESTS_PER_MIN, RECORDS_REQUESTS_BURST, RECORDS_REQUESTS_PER_MIN,
    REQUEST_BURST_DIVISOR, TIP_REQUESTS_PER_MIN, TRANSACTIONS_REQUESTS_PER_MIN,
};
use crate::message::RequestKind;
use crate::{Millis, PeerId};

/// Token buckets of one peer, or of all peers with the same key.
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
    transactions: Bucket,
    piece: Bucket,
    records: Bucket,
    new_records: Bucket,
}

impl Allowance {
    /// Full buckets with this percentage of the limits.
    fn new(percent: u64, now: Millis) -> Self {
        let part = |limit: u64| limit.saturating_mul(percent) / 100;
        let burst = |burst: u64, per_minute: u64| Bucket::with_burst(part(burst), part(per_minute), now);
        let per_minute = |limit: u64| burst(limit / REQUEST_BURST_DIVISOR, limit);
        let links = burst(LINKS_REQUESTS_BURST, LINKS_REQUESTS_PER_MIN);
        Self {
            gossip: Bucket::full(part(GOSSIP_BURST_BYTES), part(GOSSIP_BYTES_PER_S), 1_000, now),
            tip: per_minute(TIP_REQUESTS_PER_MIN),
            link_headers: links,
            proofs: burst(PROOFS_REQUESTS_BURST, PROOFS_REQUESTS_PER_MIN),
            headers: links,
            pending: per_minute(TIP_REQUESTS_PER_MIN),
            beginning: per_minute(BEGINNING_REQUESTS_PER_MIN),
            rows: links,
            transactions: per_minute(TRANSACTIONS_REQUESTS_PER_MIN),
            piece: burst(PIECE_REQUESTS_BURST, PIECE_REQUESTS_PER_MIN),
            records: Bucket::with_burst(RECORDS_REQUESTS_BURST, RECORDS_REQUESTS_PER_MIN, now),
            new_records: per_minute(NEW_RECORDS_REQUESTS_PER_MIN),
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
            RequestKind::Transactions => &mut self.transactions,
            RequestKind::BlockPiece => &mut self.piece,
            RequestKind::Records => &mut self.records,
            RequestKind::NewRecords => &mut self.new_records,
        }
    }
}

/// Rate limits of all connected peers, or of other keys that share limits.
#[derive(Clone, Debug)]
pub struct Rates<K = PeerId> {
    by_key: BTreeMap<K, Allowance>,
    /// Percentage of the limits that requests may use.
    percent: u64,
}

impl<K> Default for Rates<K> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), percent: 100 }
    }
}

impl Rates {
    /// Limits for this node's own requests: below what its peers allow.
    #[must_use]
    pub fn of_own_requests() -> Self {
        Self { percent: OWN_RATE_PERCENT, ..Self::default() }
    }
}

impl<K: Ord + Copy> Rates<K> {
    fn of(&mut self, key: K, now: Millis) -> &mut Allowance {
        let percent = self.percent;
        self.by_key.entry(key).or_insert_with(|| Allowance::new(percent, now))
    }

    /// Gives a new key a percentage of the limits. A key that has limits keeps them.
    pub fn admit(&mut self, key: K, percent: u64, now: Millis) {
        self.by_key.entry(key).or_insert_with(|| Allowance::new(percent, now));
    }

    /// True if a request of this kind is allowed now. Does not count it.
    pub fn allows(&mut self, key: K, kind: RequestKind, now: Millis) -> bool {
        self.of(key, now).of_kind(kind).has(1, now)
    }

    /// True if a request of this kind is allowed now. If so, counts it.
    pub fn request(&mut self, key: K, kind: RequestKind, now: Millis) -> bool {
        self.of(key, now).of_kind(kind).take(1, now)
    }

    /// True if gossip of this size is allowed now. Does not count it.
    pub fn allows_gossip(&mut self, key: K, size_bytes: usize, now: Millis) -> bool {
        self.of(key, now).gossip.has(u64::try_from(size_bytes).unwrap_or(u64::MAX), now)
    }

    /// True if gossip of this size is allowed now. If so, counts it.
    pub fn gossip(&mut self, key: K, size_bytes: usize, now: Millis) -> bool {
        self.of(key, now).gossip.take(u64::try_from(size_bytes).unwrap_or(u64::MAX), now)
    }

    /// Returns the tokens of gossip that turned out to be valid: its proof of work limits its rate already. Held gossip
    /// gets no tokens back, so a surge of proofs whose dependencies are missing still exceeds the limit.
    pub fn give_back(&mut self, key: K, size_bytes: usize) {
        if let Some(allowance) = self.by_key.get_mut(&key) {
            allowance.gossip.give_back(u64::try_from(size_bytes).unwrap_or(u64::MAX));
        }
    }

    /// Drops the limits of disconnected peers whose buckets are full again. A peer that reconnects earlier gets its old
    /// buckets. Call it when a peer disconnects and from time to time.
    pub fn forget(&mut self, now: Millis, connected: impl Fn(&K) -> bool) {
        const REFILL_MS: u64 = 60_000;
        self.by_key.retain(|key, allowance| connected(key) || now.since(allowance.newest()) < REFILL_MS);
    }

    /// True if this key has limits.
    #[must_use]
    pub fn contains(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    /// Number of keys with limits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// True if no key has limits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

impl Allowance {
    /// Time at which a bucket was last used.
    fn newest(&self) -> Millis {
        let requests =
            [self.tip, self.link_headers, self.proofs, self.headers, self.pending, self.beginning, self.rows];
        let others = [self.gossip, self.transactions, self.piece, self.records, self.new_records];
        requests.iter().chain(&others).map(Bucket::filled_at).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
