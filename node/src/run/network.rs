//! Starts the network, with the bans, the address book, and the peers on disk.

use std::net::SocketAddr;

use ed25519_dalek::SigningKey;
use p2p::{Discover, Handle, Network, Reach, Traffic};
use p2p_proto::Event;
use p2p_proto::limits::EXPLICIT_PEERS_MAX;
use p2p_proto::record::{Address, Transport};
use tokio::sync::mpsc;
use tracing::warn;

use crate::bans;
use crate::config::{Config, no_way_to};
use crate::error::NodeError;
use crate::identity::IdentityError;
use crate::manual::ManualPeers;
use crate::peers::BookFile;

/// Starts the network with the bans and the address book on disk. Returns its handle, its events, and the book's file.
pub(super) fn start(
    config: &Config,
    (listen, manual): (&[SocketAddr], &ManualPeers),
    key: &SigningKey,
    (consensus_id, traffic): ([u8; 32], Traffic),
) -> Result<(Handle, mpsc::Receiver<Event>, BookFile), NodeError> {
    let book = BookFile::new(&config.data_dir, consensus_id);
    let (network, events) = Network::start(p2p::Config {
        secret_key: key.to_bytes(),
        listen: listen.iter().flat_map(multiaddrs).collect(),
        peers: peers(config, manual),
        mdns: config.p2p.mdns,
        consensus_id,
        user_agent: concat!("shoal/", env!("CARGO_PKG_VERSION")).to_owned(),
        traffic,
        max_upload: config.p2p.max_upload,
        bans: bans::load(&config.data_dir),
        discovery: discover(config, &book)?,
        proxy: config.p2p.proxy,
        reach: reach(config),
    })?;
    Ok((network, events, book))
}

/// The configured peers, and those that the operator added later, except added ones that cannot be dialed or exceed the
/// limit.
fn peers(config: &Config, manual: &ManualPeers) -> Vec<String> {
    let mut peers = config.p2p.peers.clone();
    for peer in manual.list() {
        let is_usable = p2p::shown_address(&peer).is_ok() && no_way_to(&peer, config.p2p.proxy).is_none();
        if is_usable && peers.len() < EXPLICIT_PEERS_MAX {
            peers.push(peer);
        } else {
            warn!(
                peer,
                "this added peer cannot be dialed with this configuration, or there are too many; it is left out"
            );
        }
    }
    peers
}

/// Settings of discovery; `None` if it is off.
fn discover(config: &Config, book: &BookFile) -> Result<Option<Discover>, NodeError> {
    if !config.p2p.discover {
        return Ok(None);
    }
    let both = |address: &SocketAddr| {
        [Transport::Tcp, Transport::Quic].map(|transport| Address::of_ip(address.ip(), address.port(), transport))
    };
    Ok(Some(Discover {
        book: book.load().map_err(IdentityError::Random)?,
        external: config.p2p.external_address.iter().flat_map(both).collect(),
        seeds: config.p2p.seeds.clone(),
        dns_seeds: config.p2p.dns_seeds.clone(),
    }))
}

fn reach(config: &Config) -> Reach {
    let onion_listen = config.p2p.onion.as_ref().map(|onion| {
        let [tcp, _] = multiaddrs(&onion.listen);
        tcp
    });
    Reach { upnp: config.p2p.upnp, relay: config.p2p.relay, onion_listen }
}

/// The TCP and QUIC multiaddrs of a socket address.
fn multiaddrs(address: &SocketAddr) -> [String; 2] {
    let (family, ip, port) = match address {
        SocketAddr::V4(v4) => ("ip4", v4.ip().to_string(), v4.port()),
        SocketAddr::V6(v6) => ("ip6", v6.ip().to_string(), v6.port()),
    };
    [format!("/{family}/{ip}/tcp/{port}"), format!("/{family}/{ip}/udp/{port}/quic-v1")]
}
