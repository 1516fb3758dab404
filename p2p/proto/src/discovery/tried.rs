//! Recently dialed hosts, regardless of the expected peer.
//!
//! A record may name any addresses, and identities are free. So dials are remembered by host: a thousand identities at
//! the address of a third party cause no more dials than one. See decision 0049.

use std::collections::BTreeMap;

use crate::limits::TRIED_HOSTS_MAX;
use crate::netgroup::{Host, Netgroup};
use crate::record::Address;
use crate::time::Millis;

/// Pause before a node from the book, and a host, is dialed again, seconds. Doubles with each failure, up to
/// [`PAUSE_S_MAX`].
const PAUSE_S: u64 = 15;

/// Maximum pause before a node from the book, and a host, is dialed again, seconds.
pub(super) const PAUSE_S_MAX: u64 = 600;

/// Pause after this number of failures, seconds.
pub(super) fn pause_s(failures: u32) -> u64 {
    PAUSE_S.checked_shl(failures.min(32)).unwrap_or(u64::MAX).min(PAUSE_S_MAX)
}

#[derive(Clone, Copy, Debug)]
struct Tried {
    failures: u32,
    at: Millis,
}

/// Hosts that were dialed in the last ten minutes, and not reached. Local addresses do not count, since ports
/// distinguish the programs of one machine or local network.
#[derive(Clone, Debug, Default)]
pub(super) struct TriedHosts(BTreeMap<Host, Tried>);

impl TriedHosts {
    /// Records a dial. `counts` says whether a failure counts against the host: it does not while this node itself has
    /// no connection.
    pub(super) fn dialed(&mut self, address: &Address, counts: bool, now: Millis) {
        if address.netgroup() == Netgroup::Local {
            return;
        }
        if self.0.len() >= TRIED_HOSTS_MAX {
            self.0.retain(|_, tried| now.since(tried.at) < PAUSE_S_MAX * 1_000);
        }
        let is_known = self.0.contains_key(&address.host());
        if is_known || self.0.len() < TRIED_HOSTS_MAX {
            let tried = self.0.entry(address.host()).or_insert(Tried { failures: 0, at: now });
            tried.failures = tried.failures.saturating_add(u32::from(counts));
            tried.at = now;
        }
    }

    /// Records that a node of this pool answered.
    pub(super) fn reached(&mut self, address: &Address) {
        self.0.remove(&address.host());
    }

    /// True if the host of an address may be dialed again.
    pub(super) fn is_rested(&self, address: &Address, now: Millis) -> bool {
        self.0.get(&address.host()).is_none_or(|tried| now.since(tried.at) >= pause_s(tried.failures) * 1_000)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
