//! Admission control: limits the open connections, in total and per address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Why the server rejects a new connection. The miner reads the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    #[error("this server is full: the limit is {0} connections")]
    Server(usize),
    #[error("too many connections from your address: the limit is {0}")]
    Address(usize),
}

/// Counts the open connections.
#[derive(Debug)]
pub(crate) struct Admission {
    connections_max: usize,
    per_ip_max: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Admission {
    pub(crate) fn new(connections_max: usize, per_ip_max: usize) -> Arc<Self> {
        Arc::new(Self { connections_max, per_ip_max, open: Mutex::default() })
    }

    /// Admits a connection from `ip`. Dropping the ticket frees its slot.
    ///
    /// # Errors
    /// Returns the limit that is already reached.
    pub(crate) fn admit(self: &Arc<Self>, ip: IpAddr) -> Result<Ticket, Full> {
        let ip = network_of(ip.to_canonical());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= self.connections_max {
            return Err(Full::Server(self.connections_max));
        }
        let count = open.entry(ip).or_default();
        if *count >= self.per_ip_max {
            return Err(Full::Address(self.per_ip_max));
        }
        *count += 1;
        Ok(Ticket { ip, admission: Arc::clone(self) })
    }
}

impl Ticket {
    /// Counts the connection for another address: the one that a PROXY header names.
    ///
    /// # Errors
    /// That address has too many connections.
    pub(crate) fn move_to(&mut self, ip: IpAddr) -> Result<(), Full> {
        let ip = network_of(ip.to_canonical());
        let mut open = self.admission.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(ip).or_default();
        if *count >= self.admission.per_ip_max && ip != self.ip {
            return Err(Full::Address(self.admission.per_ip_max));
        }
        *count += 1;
        leave(&mut open, self.ip);
        self.ip = ip;
        Ok(())
    }
}

/// Takes one connection from an address.
fn leave(open: &mut HashMap<IpAddr, usize>, ip: IpAddr) {
    if let Some(count) = open.get_mut(&ip) {
        *count -= 1;
        if *count == 0 {
            open.remove(&ip);
        }
    }
}

/// Maps an IPv6 address to its /64 network: one site usually owns all 2^64 addresses of it. An IPv4
/// address maps to itself.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// The slot of one open connection.
#[derive(Debug)]
pub(crate) struct Ticket {
    ip: IpAddr,
    admission: Arc<Admission>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.admission.open.lock().unwrap_or_else(PoisonError::into_inner);
        leave(&mut open, self.ip);
    }
}
