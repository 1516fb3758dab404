//! Connections and event streams by address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use p2p_proto::netgroup::Host;
use p2p_proto::prefix::Prefix;

use super::client::client_of;
use super::limits::{
    CONNECTIONS_MAX, CONNECTIONS_PER_HOST_MAX, CONNECTIONS_PER_LOOPBACK_MAX, LIVE_READERS_MAX,
    LIVE_READERS_PER_HOST_MAX,
};

/// Open connections, or open event streams, by what a client can own. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    open: Arc<Mutex<HashMap<Host, usize>>>,
    proxies: Arc<[Prefix]>,
}

/// One open connection or stream.
#[derive(Debug)]
pub(super) struct Slot {
    host: Host,
    slots: Slots,
}

impl Slots {
    pub(super) fn new(proxies: &[Prefix]) -> Self {
        Self { open: Arc::default(), proxies: proxies.into() }
    }

    /// A slot for a connection from this address; none if it has as many as allowed.
    pub(super) fn take(&self, from: IpAddr) -> Option<Slot> {
        let host = Host::of_ip(from);
        // The clients of a proxy share its address.
        let most = if self.proxies.iter().any(|range| range.contains(from)) {
            CONNECTIONS_MAX
        } else if host.is_loopback() {
            CONNECTIONS_PER_LOOPBACK_MAX
        } else {
            CONNECTIONS_PER_HOST_MAX
        };
        self.take_of(host, most, usize::MAX)
    }

    /// A slot for an event stream, whose request came from this address; none if its client, or all of them, have as many as
    /// allowed. A stream occupies its connection, and a proxy has one connection for each of its clients' streams.
    pub(super) fn take_stream(&self, from: IpAddr, headers: &HeaderMap) -> Option<Slot> {
        let host = Host::of_ip(client_of(from, headers, &self.proxies));
        // The clients of a proxy that is missing from the configuration share its address.
        let most = if host.is_loopback() { LIVE_READERS_MAX } else { LIVE_READERS_PER_HOST_MAX };
        self.take_of(host, most, LIVE_READERS_MAX)
    }

    fn take_of(&self, host: Host, most: usize, all: usize) -> Option<Slot> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&host).copied().unwrap_or_default();
        if count >= most || open.values().sum::<usize>() >= all {
            return None;
        }
        open.insert(host, count + 1);
        Some(Slot { host, slots: self.clone() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.host) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(&self.host)),
        }
    }
}
