//! All hosts of a network.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::LinkError;
use super::options::{Loss, Rate};
use super::space::Space;
use super::switch::{Port, Switch, Traffic};

/// A host to create.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Latency of its line.
    pub latency: Duration,
    /// Rate of its line, in each direction.
    pub rate: Option<Rate>,
}

/// The hosts of a network, and the switch between them. Dropping this removes them.
#[derive(Debug)]
pub struct Hosts {
    spaces: Vec<Space>,
    switch: Switch,
}

/// Returns the address of a node: each is in a netgroup of its own, out of the range for providers' inner networks (RFC
/// 6598), which names no machine on the internet.
pub fn node_address(index: usize) -> Ipv4Addr {
    let group = u8::try_from(index).unwrap_or(u8::MAX).min(63);
    Ipv4Addr::new(100, 64 + group, 0, 1)
}

impl Hosts {
    /// Creates a namespace for each host, and connects them all.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn start(hosts: Vec<Host>, mtu_bytes: u32, loss: Loss, seed: u64) -> Result<Self, LinkError> {
        let mut spaces = Vec::with_capacity(hosts.len());
        let mut ports = Vec::with_capacity(hosts.len());
        for Host { addresses, latency, rate } in hosts {
            let (space, device) = Space::new(&addresses, mtu_bytes)?;
            spaces.push(space);
            ports.push(Port { device, addresses, latency, rate });
        }
        Ok(Self { spaces, switch: Switch::start(ports, loss, seed)? })
    }

    /// Returns the namespace of a host.
    pub fn space(&self, host: usize) -> &Space {
        &self.spaces[host]
    }

    /// Cuts every path between hosts of different groups, and restores all others.
    pub fn partition(&self, groups: &[Vec<usize>]) {
        self.switch.partition(groups);
    }

    /// Returns the counters so far.
    pub fn traffic(&self) -> &Traffic {
        self.switch.traffic()
    }
}
