//! Admission control: limits the open connections, in total and per address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits;

/// Why the server rejects a new connection. The miner reads the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    #[error("this server is full: the limit is {0} connections")]
    Server(usize),
    #[error("too many connections from your address: the limit is {0}")]
    Address(usize),
    #[error("too many new connections from your address: the limit is {} per second", limits::HANDSHAKES_PER_SECOND)]
    Handshakes,
}

/// Counts the open connections.
#[derive(Debug)]
pub(crate) struct Admission {
    connections_max: usize,
    per_ip_max: usize,
    open: Mutex<Open>,
}

/// The open connections.
#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_network: HashMap<IpAddr, usize>,
}

impl Open {
    /// Removes one connection of an address.
    fn leave(&mut self, network: Option<IpAddr>) {
        let Some(network) = network else { return };
        if let Some(count) = self.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

impl Admission {
    pub(crate) fn new(connections_max: usize, per_ip_max: usize) -> Arc<Self> {
        Arc::new(Self { connections_max, per_ip_max, open: Mutex::default() })
    }

    /// Admits a connection, which counts for no address yet. Dropping the ticket frees its slot.
    ///
    /// # Errors
    /// The server is full.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Ticket, Full> {
        let mut open = self.open();
        if open.total >= self.connections_max {
            return Err(Full::Server(self.connections_max));
        }
        open.total += 1;
        Ok(Ticket { network: None, admission: Arc::clone(self) })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of one open connection.
#[derive(Debug)]
pub(crate) struct Ticket {
    /// What the connection counts for.
    network: Option<IpAddr>,
    admission: Arc<Admission>,
}

impl Ticket {
    /// Counts the connection for this address alone.
    ///
    /// # Errors
    /// The address has too many connections.
    pub(crate) fn count_for(&mut self, ip: IpAddr) -> Result<(), Full> {
        let network = network_of(ip.to_canonical());
        let mut open = self.admission.open();
        open.leave(self.network.take());
        let count = open.by_network.entry(network).or_default();
        if *count >= self.admission.per_ip_max {
            return Err(Full::Address(self.admission.per_ip_max));
        }
        *count += 1;
        self.network = Some(network);
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.admission.open();
        open.total -= 1;
        open.leave(self.network);
    }
}

/// Maps an IPv6 address to its /64 network: one site usually owns all 2^64 addresses of it. An IPv4
/// address maps to itself.
pub(crate) fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}
