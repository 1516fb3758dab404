//! Budgets that peers share: by host, by netgroup, and for all peers together.
//!
//! Identities are free, so an attacker with many of them could multiply limits per peer. A host that uses up a shared
//! budget is not punished: others behind the same address may have used it. Its requests are answered with "busy", its
//! gossip is ignored.

use std::collections::BTreeMap;

use crate::Millis;
use crate::bucket::Bucket;
use crate::limits::{
    ALL_PERCENT, ASSURED_PERCENT, BEGINNING_BYTES_MAX, BLOCK_PIECE_BYTES_MAX, HOST_PERCENT, LOCAL_PERCENT,
    NETGROUP_PERCENT, PAYERS_MAX, RECORD_BYTES_MAX, RECORDS_MAX, RESPONSE_BYTES_MAX, UPLOAD_BURST_BYTES,
    UPLOAD_BURST_S, UPLOAD_BYTES_PER_S,
};
use crate::message::RequestKind;
use crate::netgroup::{Host, Netgroup};
use crate::rate::Rates;

/// The peers that share a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Payer {
    Host(Host),
    Netgroup(Netgroup),
    All,
}

impl Payer {
    fn of(host: Option<Host>) -> [Option<Self>; 3] {
        [host.map(Self::Host), host.map(|host| Self::Netgroup(host.netgroup())), Some(Self::All)]
    }

    const fn percent(&self) -> u64 {
        match self {
            Self::Host(host) if host.is_loopback() => LOCAL_PERCENT,
            Self::Host(_) => HOST_PERCENT,
            Self::Netgroup(Netgroup::Local) => LOCAL_PERCENT,
            Self::Netgroup(_) => NETGROUP_PERCENT,
            Self::All => ALL_PERCENT,
        }
    }

    const fn used_up(&self) -> UsedUp {
        match self {
            Self::Host(_) => UsedUp::Host,
            Self::Netgroup(_) => UsedUp::Netgroup,
            Self::All => UsedUp::All,
        }
    }

    const fn upload_used_up(&self) -> UsedUp {
        match self {
            Self::Host(_) => UsedUp::HostUpload,
            Self::Netgroup(_) => UsedUp::NetgroupUpload,
            Self::All => UsedUp::AllUpload,
        }
    }
}

/// A shared budget that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedUp {
    /// The budget of the host.
    Host,
    /// The budget of the netgroup.
    Netgroup,
    /// The budget of all peers.
    All,
    /// The upload to the host.
    HostUpload,
    /// The upload to the netgroup.
    NetgroupUpload,
    /// The upload to all peers.
    AllUpload,
}

/// Upload reserved for a response until its size is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    host: Option<Host>,
    bytes: u64,
}

/// Budgets of hosts, of netgroups, and of all peers.
#[derive(Clone, Debug)]
pub struct Budgets {
    rates: Rates<Payer>,
    /// The assured part of each netgroup, regardless of the others.
    assured: Rates<Netgroup>,
    uploads: BTreeMap<Payer, Bucket>,
    /// Maximum upload to all peers, bytes per second.
    max_upload: Option<u64>,
}

/// Typical length of a large response, bytes, see [`crate::limits`]. It is corrected once the response is encoded.
const fn expected_bytes(kind: RequestKind) -> u64 {
    match kind {
        RequestKind::Tip => 0,
        RequestKind::LinkHeaders => 360_000,
        RequestKind::Proofs => 170_000,
        RequestKind::Headers => 160_000,
        RequestKind::Pending => 128 << 10,
        RequestKind::Beginning => BEGINNING_BYTES_MAX as u64,
        RequestKind::Rows => RESPONSE_BYTES_MAX as u64,
        RequestKind::Transactions => 64 << 10,
        RequestKind::BlockPiece => BLOCK_PIECE_BYTES_MAX as u64,
        RequestKind::Records => (RECORDS_MAX * RECORD_BYTES_MAX) as u64,
        RequestKind::NewRecords => 0,
    }
}

/// A check and the count that goes with it, for either kind of key.
#[derive(Clone, Copy)]
enum Use {
    Gossip(usize),
    Request(RequestKind),
}

impl Use {
    fn allowed<K: Ord + Copy>(self, rates: &mut Rates<K>, key: K, now: Millis) -> bool {
        match self {
            Self::Gossip(size_bytes) => rates.allows_gossip(key, size_bytes, now),
            Self::Request(kind) => rates.allows(key, kind, now),
        }
    }

    fn take<K: Ord + Copy>(self, rates: &mut Rates<K>, key: K, now: Millis) -> bool {
        match self {
            Self::Gossip(size_bytes) => rates.gossip(key, size_bytes, now),
            Self::Request(kind) => rates.request(key, kind, now),
        }
    }
}

impl Budgets {
    /// Full budgets. `max_upload` limits the upload to all peers, bytes per second.
    #[must_use]
    pub fn new(max_upload: Option<u64>) -> Self {
        Self { rates: Rates::default(), assured: Rates::default(), uploads: BTreeMap::new(), max_upload }
    }

    /// Counts gossip of this size if it is allowed now.
    ///
    /// # Errors
    /// The budget that is used up.
    pub fn gossip(&mut self, host: Option<Host>, size_bytes: usize, now: Millis) -> Result<(), UsedUp> {
        self.admit(host, Use::Gossip(size_bytes), now)
    }

    /// Returns the budget of gossip that turned out to be valid, like [`Rates::give_back`].
    pub fn give_back(&mut self, host: Option<Host>, size_bytes: usize) {
        for payer in Payer::of(host).into_iter().flatten() {
            self.rates.give_back(payer, size_bytes);
        }
        if let Some(host) = host {
            self.assured.give_back(host.netgroup(), size_bytes);
        }
    }

    /// Checks a request of this kind. If the budgets allow it, counts it and reserves upload for the response. The
    /// caller must settle the grant, whether or not the response is sent.
    ///
    /// # Errors
    /// The budget that is used up.
    pub fn request(&mut self, host: Option<Host>, kind: RequestKind, now: Millis) -> Result<Grant, UsedUp> {
        let grant = Grant { host, bytes: expected_bytes(kind) };
        // A response as small as a refusal needs no upload.
        if grant.bytes > 0 {
            self.has_upload(host, now)?;
        }
        self.admit(host, Use::Request(kind), now)?;
        self.spend(host, grant.bytes, now);
        Ok(grant)
    }

    /// Replaces the reserved upload with the actual one.
    pub fn settle(&mut self, grant: Grant, sent_bytes: usize, now: Millis) {
        for payer in Payer::of(grant.host).into_iter().flatten() {
            if let Some(bucket) = self.uploads.get_mut(&payer) {
                bucket.give_back(grant.bytes);
            }
        }
        self.spend(grant.host, u64::try_from(sent_bytes).unwrap_or(u64::MAX), now);
    }

    /// Counts sent gossip. It needs no permission: it has priority over responses.
    pub fn sent_gossip(&mut self, bytes: u64, now: Millis) {
        if let Some(bucket) = self.upload(Payer::All, now) {
            bucket.spend(bytes, now);
        }
    }

    /// Drops the budgets of hosts that are not connected and whose buckets are full again. Call it from time to time.
    pub fn forget(&mut self, now: Millis, connected: impl Fn(&Host) -> bool) {
        const REFILL_MS: u64 = UPLOAD_BURST_BYTES * 1_000 / UPLOAD_BYTES_PER_S;
        let kept = |payer: &Payer| matches!(payer, Payer::Host(host) if connected(host)) || *payer == Payer::All;
        self.rates.forget(now, kept);
        self.assured.forget(now, |_| false);
        self.uploads.retain(|payer, bucket| kept(payer) || now.since(bucket.filled_at()) < REFILL_MS);
    }

    /// Counts it if the budgets of host and netgroup allow it, and either the budget of all peers or the netgroup's
    /// assured part.
    fn admit(&mut self, host: Option<Host>, usage: Use, now: Millis) -> Result<(), UsedUp> {
        let full = self.rates.len().max(self.uploads.len()) >= PAYERS_MAX;
        let payers = Payer::of(host).into_iter().flatten();
        let payers: Vec<Payer> =
            payers.filter(|payer| !full || *payer == Payer::All || self.rates.contains(payer)).collect();
        for payer in &payers {
            self.rates.admit(*payer, payer.percent(), now);
            if *payer != Payer::All && !usage.allowed(&mut self.rates, *payer, now) {
                return Err(payer.used_up());
            }
        }
        if !usage.allowed(&mut self.rates, Payer::All, now) {
            let Some(netgroup) = host.map(|host| host.netgroup()).filter(|_| !full) else { return Err(UsedUp::All) };
            let percent = Payer::Netgroup(netgroup).percent() * ASSURED_PERCENT / 100;
            self.assured.admit(netgroup, percent, now);
            if !usage.take(&mut self.assured, netgroup, now) {
                return Err(UsedUp::All);
            }
        }
        for payer in payers {
            // The budget of all peers may fail where the assured part pays.
            let _ = usage.take(&mut self.rates, payer, now);
        }
        Ok(())
    }

    fn has_upload(&mut self, host: Option<Host>, now: Millis) -> Result<(), UsedUp> {
        let mut payers = Payer::of(host).into_iter().flatten();
        let used_up = payers.find(|payer| self.upload(*payer, now).is_some_and(|bucket| !bucket.has(1, now)));
        used_up.map_or(Ok(()), |payer| Err(payer.upload_used_up()))
    }

    fn spend(&mut self, host: Option<Host>, bytes: u64, now: Millis) {
        for payer in Payer::of(host).into_iter().flatten().filter(|_| bytes > 0) {
            if let Some(bucket) = self.upload(payer, now) {
                bucket.spend(bytes, now);
            }
        }
    }

    /// The upload bucket of a payer; none if its upload is not limited, or if there are too many.
    fn upload(&mut self, payer: Payer, now: Millis) -> Option<&mut Bucket> {
        let (burst, rate) = match payer {
            Payer::All => {
                let rate = self.max_upload?;
                (rate.saturating_mul(UPLOAD_BURST_S).max(2 * RESPONSE_BYTES_MAX as u64), rate)
            }
            _ => (UPLOAD_BURST_BYTES * payer.percent() / 100, UPLOAD_BYTES_PER_S * payer.percent() / 100),
        };
        if payer != Payer::All && self.uploads.len() >= PAYERS_MAX && !self.uploads.contains_key(&payer) {
            return None;
        }
        Some(self.uploads.entry(payer).or_insert_with(|| Bucket::full(burst, rate, 1_000, now)))
    }
}

#[cfg(test)]
mod tests;
