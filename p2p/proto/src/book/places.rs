//! The place of a node in a table, and random draws, both from SipHash-2-4 with a secret key.

use bitcoin::hashes::siphash24;

use crate::limits::{
    NEW_BUCKETS, NEW_BUCKETS_PER_SOURCE, NEW_PLACES, TRIED_BUCKETS, TRIED_BUCKETS_PER_GROUP, TRIED_PLACES,
};
use crate::netgroup::{Host, Netgroup};
use crate::record::Address;

pub(super) const NEW_LEN: usize = NEW_BUCKETS * NEW_PLACES;
pub(super) const TRIED_LEN: usize = TRIED_BUCKETS * TRIED_PLACES;

/// The secret keys.
#[derive(Clone, Debug)]
pub(super) struct Places {
    key: [u8; 32],
    draws: (u64, u64),
    drawn: u64,
}

fn halves(bytes: [u8; 16]) -> (u64, u64) {
    let number = u128::from_le_bytes(bytes);
    // Both halves fit.
    ((number >> 64) as u64, number as u64)
}

/// A netgroup in five bytes.
pub(super) fn group_bytes(group: Netgroup) -> [u8; 5] {
    match group {
        Netgroup::Local => [0; 5],
        Netgroup::Ip4([a, b]) => [1, a, b, 0, 0],
        Netgroup::Ip6([a, b, c, d]) => [2, a, b, c, d],
        Netgroup::Onion(first) => [3, first, 0, 0, 0],
    }
}

/// The netgroup of these bytes, if they are one.
pub(super) fn group_of(bytes: [u8; 5]) -> Option<Netgroup> {
    match bytes {
        [0, 0, 0, 0, 0] => Some(Netgroup::Local),
        [1, a, b, 0, 0] => Some(Netgroup::Ip4([a, b])),
        [2, a, b, c, d] => Some(Netgroup::Ip6([a, b, c, d])),
        [3, first, 0, 0, 0] => Some(Netgroup::Onion(first)),
        _ => None,
    }
}

/// The unit that gets one place: a host, whatever its ports and identities. Many nodes may run on one machine or local
/// network, so ports distinguish local addresses.
fn unit(address: &Address) -> Vec<u8> {
    let mut out = match address.host() {
        Host::Ip4(ip) => ip.octets().to_vec(),
        Host::Ip6(prefix) => prefix.to_vec(),
        Host::Onion(key) => key.to_vec(),
    };
    if address.netgroup() == Netgroup::Local {
        out.extend_from_slice(&address.port.to_le_bytes());
    }
    out
}

impl Places {
    pub(super) fn new(key: [u8; 32], draws: [u8; 16]) -> Self {
        Self { key, draws: halves(draws), drawn: 0 }
    }

    pub(super) const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Hash of these parts with the secret key. Each part is preceded by its length.
    pub(super) fn hash(&self, parts: &[&[u8]]) -> u64 {
        let (first, second) = self.key.split_at(16);
        let (k0, k1) = halves(first.try_into().unwrap_or_default());
        let (k2, k3) = halves(second.try_into().unwrap_or_default());
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        siphash24::Hash::hash_to_u64_with_keys(k0 ^ k2.rotate_left(1), k1 ^ k3.rotate_left(1), &bytes)
    }

    /// Place in the new table of a node at this address that a peer of this netgroup named.
    pub(super) fn new_place(&self, at: &Address, source: Netgroup) -> usize {
        let (unit, source) = (unit(at), group_bytes(source));
        // Nodes on the local network spread over all the buckets of their source.
        let group = if at.netgroup() == Netgroup::Local { unit.clone() } else { group_bytes(at.netgroup()).to_vec() };
        let of_source = self.hash(&[b"new group", &group, &source]) % NEW_BUCKETS_PER_SOURCE;
        let bucket = index(self.hash(&[b"new bucket", &source, &of_source.to_le_bytes()]), NEW_BUCKETS);
        let place = index(self.hash(&[b"new place", &bucket.to_le_bytes(), &unit]), NEW_PLACES);
        bucket * NEW_PLACES + place
    }

    /// Place in the tried table of a node that was reached at this address.
    pub(super) fn tried_place(&self, at: &Address) -> usize {
        let (unit, group) = (unit(at), group_bytes(at.netgroup()));
        let of_group = self.hash(&[b"tried unit", &unit]) % TRIED_BUCKETS_PER_GROUP;
        let bucket = index(self.hash(&[b"tried bucket", &group, &of_group.to_le_bytes()]), TRIED_BUCKETS);
        let place = index(self.hash(&[b"tried place", &bucket.to_le_bytes(), &unit]), TRIED_PLACES);
        bucket * TRIED_PLACES + place
    }

    /// A random number below `end`, or 0 if that is 0. The bias is below `end` / 2^64.
    pub(super) fn draw(&mut self, end: u64) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        let (k0, k1) = self.draws;
        siphash24::Hash::hash_to_u64_with_keys(k0, k1, &self.drawn.to_le_bytes()).checked_rem(end).unwrap_or(0)
    }

    /// A random index below `end`.
    pub(super) fn draw_index(&mut self, end: usize) -> usize {
        usize::try_from(self.draw(u64::try_from(end).unwrap_or(u64::MAX))).unwrap_or(0)
    }
}

fn index(hash: u64, count: usize) -> usize {
    usize::try_from(hash % u64::try_from(count).unwrap_or(1)).unwrap_or(0)
}
