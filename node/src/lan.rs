//! Addresses at which devices on the local network reach this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::Url;

/// Addresses of this machine, in any order.
pub(crate) fn own_addresses() -> Vec<IpAddr> {
    if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip()).collect()
}

/// Addresses at which a server that listens on `listen` is reached, the most useful first: in the local network, then in the
/// Internet, and this machine's own only if there is no other.
pub(crate) fn reached_at(listen: SocketAddr, own: Vec<IpAddr>) -> Vec<IpAddr> {
    if !listen.ip().is_unspecified() {
        return vec![listen.ip()];
    }
    // A socket on `::` serves IPv4, too.
    let served = |ip: &IpAddr| listen.is_ipv6() || ip.is_ipv4();
    let mut found: Vec<IpAddr> =
        own.into_iter().filter(served).filter(|ip| !ip.is_loopback() && !needs_zone(*ip)).collect();
    found.sort_by_key(|ip| (ip.is_ipv6(), !is_near(*ip), *ip));
    found.dedup();
    if found.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { found }
}

/// True for addresses of this machine and of a local network.
pub(crate) fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// True for a URL with an IP address of this machine itself.
pub(crate) fn is_here(url: &Url) -> bool {
    let ip = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    ip.is_some_and(|ip| ip.is_loopback())
}

/// True for an address that needs the name of an interface.
fn needs_zone(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests;
