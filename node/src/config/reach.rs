//! Keys for reachability: UPnP, relays, a proxy, an onion service.

use std::net::{IpAddr, SocketAddr};

use p2p::Proxy;

use super::error::ConfigError;
use super::keys::{self, Key};
use super::secret::Secret;
use super::settings::Settings;
use super::{BitcoindConfig, OnionConfig, OnionService, P2pConfig};

/// Form of a peer's address.
pub(crate) const PEER: &str =
    "a multiaddr like /ip4/192.0.2.7/tcp/3381, /dns4/pool.example/udp/3381/quic-v1 or /onion3/NAME:3381";

const ONION_LISTEN: &str = "127.0.0.1:3382";
/// Length of an onion service's name, version 3, without `.onion`.
const ONION_NAME_CHARS: usize = 56;

/// Resolves the keys of this module. `proxy_only` overrides every key that would connect or listen otherwise.
pub(super) fn resolve(settings: &Settings, p2p: P2pConfig) -> Result<P2pConfig, ConfigError> {
    let address = settings.parse(&keys::P2P_PROXY, "an IP address and a port, like 127.0.0.1:9050", socket)?;
    let only = settings.switch(&keys::P2P_PROXY_ONLY)?.unwrap_or(false);
    let proxy = address.map(|address| Proxy { address, only });
    let onion = onion(settings)?;
    check_peers(settings, &keys::P2P_PEERS, &p2p.peers, proxy)?;
    if !only {
        let upnp = settings.switch(&keys::P2P_UPNP)?.unwrap_or(true);
        let relay = settings.switch(&keys::P2P_RELAY)?.unwrap_or(true);
        return Ok(P2pConfig { upnp, relay, proxy, onion, ..p2p });
    }
    match (proxy, settings.origin(&keys::P2P_PROXY_ONLY)) {
        (None, Some(origin)) => Err(ConfigError::Incomplete {
            origin: origin.clone(),
            key: keys::P2P_PROXY_ONLY.name,
            missing: keys::P2P_PROXY.name,
        }),
        _ => Ok(P2pConfig { listen: Vec::new(), mdns: false, upnp: false, relay: false, proxy, onion, ..p2p }),
    }
}

/// With `proxy_only`, checks that bitcoind is reached without a name server and without traffic to the internet.
pub(super) fn check_bitcoind(
    settings: &Settings,
    p2p: &P2pConfig,
    bitcoind: &BitcoindConfig,
) -> Result<(), ConfigError> {
    if !p2p.proxy_only() {
        return Ok(());
    }
    let is_far = |config: &BitcoindConfig| config.url.scheme() != "unix" && !is_near(config.url.host_str());
    let tells_afar = |config: &BitcoindConfig| {
        config.zmq.as_deref().is_some_and(|address| !is_near(address.rsplit_once(':').map(|(host, _)| host)))
    };
    let far = [
        (&keys::BITCOIND_URL, is_far(bitcoind)),
        (&keys::BITCOIND_ZMQ, tells_afar(bitcoind)),
        (&keys::BITCOIND_FALLBACK, bitcoind.fallback.iter().any(|config| is_far(config) || tells_afar(config))),
    ];
    let named = far.into_iter().filter(|(_, is_far)| *is_far).find_map(|(key, _)| Some((key, settings.text(key)?)));
    named.map_or(Ok(()), |(key, (text, origin))| {
        let expected = "an IP address of this machine or of your local network, because p2p.proxy_only is set";
        Err(ConfigError::bad_value(key, origin, text, expected))
    })
}

/// True for an IP address of this machine or of its local network. A name would need a lookup, which outsiders see.
fn is_near(host: Option<&str>) -> bool {
    match host.and_then(|host| host.trim_matches(['[', ']']).parse().ok()) {
        Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        None => false,
    }
}

/// What is missing for this node to dial a peer's address; none if it can.
pub(crate) fn no_way_to(peer: &str, proxy: Option<Proxy>) -> Option<&'static str> {
    match proxy {
        None if peer.starts_with("/onion3/") => Some("an onion service only if `p2p.proxy` is set as well"),
        Some(Proxy { only: true, .. }) if peer.contains("/udp/") || peer.contains("/p2p-circuit") => {
            Some("an address over TCP or an onion service, because p2p.proxy_only is set")
        }
        _ => None,
    }
}

/// Checks that this node can dial each peer of this key.
pub(super) fn check_peers(
    settings: &Settings,
    key: &'static Key,
    peers: &[String],
    proxy: Option<Proxy>,
) -> Result<(), ConfigError> {
    let Some(origin) = settings.origin(key) else { return Ok(()) };
    let unusable = peers.iter().find_map(|peer| no_way_to(peer, proxy).map(|expected| (peer, expected)));
    unusable.map_or(Ok(()), |(peer, expected)| Err(ConfigError::bad_value(key, origin, peer, expected)))
}

/// Parses a peer's multiaddr, as far as the configuration checks it.
pub(super) fn peer(text: &str) -> Option<String> {
    let plausible =
        text.starts_with("/onion3/") || text.starts_with('/') && (text.contains("/tcp/") || text.contains("/udp/"));
    plausible.then(|| text.to_owned())
}

fn onion(settings: &Settings) -> Result<Option<OnionConfig>, ConfigError> {
    let expected = "an onion service and a port, like NAME.onion:3381 with a name of 56 characters";
    let given = settings.parse(&keys::P2P_ONION_ADDRESS, expected, onion_address)?;
    let control = settings.parse(&keys::P2P_TOR_CONTROL, "an IP address and a port, like 127.0.0.1:9051", socket)?;
    let expected = "an address of this machine and a port, like 127.0.0.1:3382";
    let listen = settings
        .parse(&keys::P2P_ONION_LISTEN, expected, |text| socket(text).filter(|address| address.ip().is_loopback()))?
        .unwrap_or_else(|| ONION_LISTEN.parse().expect("a fixed, valid address"));
    let password = settings.text(&keys::P2P_TOR_PASSWORD);
    if let (None, Some((_, origin))) = (control, password) {
        return Err(ConfigError::Incomplete {
            origin: origin.clone(),
            key: keys::P2P_TOR_PASSWORD.name,
            missing: keys::P2P_TOR_CONTROL.name,
        });
    }
    let origins = (settings.origin(&keys::P2P_ONION_ADDRESS), settings.origin(&keys::P2P_TOR_CONTROL));
    let service = match (given, control) {
        (None, None) => return Ok(None),
        (Some(address), None) => OnionService::Given(address),
        (None, Some(control)) => {
            OnionService::Tor { control, password: password.map(|(password, _)| Secret::new(password)) }
        }
        (Some(_), Some(_)) => {
            let (Some(origin), Some(other)) = origins else { return Ok(None) };
            return Err(ConfigError::Conflict {
                origin: origin.clone(),
                key: keys::P2P_ONION_ADDRESS.name,
                other: keys::P2P_TOR_CONTROL.name,
                other_origin: other.clone(),
            });
        }
    };
    Ok(Some(OnionConfig { listen, service }))
}

fn socket(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

/// The multiaddress of `NAME.onion:PORT`.
fn onion_address(text: &str) -> Option<String> {
    let (name, port) = text.split_once(".onion:")?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    let base32 = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    (base32 && name.len() == ONION_NAME_CHARS).then(|| format!("/onion3/{name}:{port}"))
}

#[cfg(test)]
mod tests;
