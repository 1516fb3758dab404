//! Who may connect: bounded in all and for each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Why a connection is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    #[error("this server is full: it takes {0} connections")]
    Server(usize),
    #[error("too many connections from your address: {0} are allowed")]
    Address(usize),
}

/// Counts open connections.
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

    /// Admits a connection until the ticket is dropped.
    pub(crate) fn admit(self: &Arc<Self>, ip: IpAddr) -> Result<Ticket, Full> {
        let ip = one_site(ip.to_canonical());
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

/// An IPv6 site has 2^64 addresses of its own, so its network counts as one address.
fn one_site(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// A place among the open connections.
#[derive(Debug)]
pub(crate) struct Ticket {
    ip: IpAddr,
    admission: Arc<Admission>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.admission.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.ip);
            }
        }
    }
}
