//! How other nodes can reach this one: dial-backs (AutoNAT), ports that a router maps (UPnP), relays and punched holes.
//!
//! ```text
//! tracker.rs   knowledge about own addresses, and which relays to use; pure
//! guard.rs     limits what libp2p's behaviours do on a peer's word
//! quota.rs     who may use this node as a relay
//! via.rs       limits on connections that show no address: through relays and through the onion service
//! ```

mod guard;
mod quota;
mod tracker;
mod via;

use std::time::Duration;

use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{Multiaddr, PeerId, autonat, dcutr, relay, upnp};

use p2p_proto::limits::{
    CIRCUIT_BYTES_MAX, CIRCUIT_S, CIRCUITS_MAX, CIRCUITS_PER_HOST_MAX, DIAL_BACK_ADDRESSES_MAX, DIAL_BACK_FIRST_MS,
    DIAL_BACK_PERIOD_MS, DIAL_BACK_REFRESH_MS, DIAL_BACK_RETRY_MS, DIAL_BACKS_MAX, DIAL_BACKS_PER_PEER_MAX,
    RESERVATION_S, RESERVATIONS_MAX,
};

pub(super) use guard::Guard;
pub(super) use quota::Reservations;
pub(super) use tracker::{Confirmed, Tracker};
pub use tracker::{How, OwnAddress, Reachability};
pub(super) use via::ViaLimit;

/// Enabled ways to be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Ask the router to map ports, by UPnP. Has no effect on a node that listens on loopback only.
    pub upnp: bool,
    /// Use relays if there is no public address, and be one if there is.
    pub relay: bool,
    /// Multiaddress, on loopback, that the node's onion service connects to.
    pub onion_listen: Option<String>,
}

/// The behaviours of libp2p. All are off if every connection goes through a proxy.
#[derive(NetworkBehaviour)]
pub(super) struct Protocols {
    pub(super) dial_back: Toggle<Guard<autonat::Behaviour>>,
    pub(super) relay: Toggle<relay::Behaviour>,
    relay_client: Toggle<relay::client::Behaviour>,
    pub(super) hole: Toggle<Guard<dcutr::Behaviour>>,
    upnp: Toggle<upnp::tokio::Behaviour>,
}

fn dial_back() -> autonat::Config {
    let ms = Duration::from_millis;
    autonat::Config {
        boot_delay: ms(DIAL_BACK_FIRST_MS),
        retry_interval: ms(DIAL_BACK_RETRY_MS),
        refresh_interval: ms(DIAL_BACK_REFRESH_MS),
        throttle_server_period: ms(DIAL_BACK_PERIOD_MS),
        max_peer_addresses: DIAL_BACK_ADDRESSES_MAX,
        throttle_clients_global_max: DIAL_BACKS_MAX,
        throttle_clients_peer_max: DIAL_BACKS_PER_PEER_MAX,
        throttle_clients_period: ms(DIAL_BACK_PERIOD_MS),
        ..autonat::Config::default()
    }
}

fn relay_server(local: PeerId, reservations: &Reservations) -> relay::Behaviour {
    let config = relay::Config {
        max_reservations: RESERVATIONS_MAX,
        max_reservations_per_peer: 1,
        reservation_duration: Duration::from_secs(RESERVATION_S),
        reservation_rate_limiters: vec![Box::new(reservations.clone())],
        max_circuits: CIRCUITS_MAX,
        max_circuits_per_peer: CIRCUITS_PER_HOST_MAX,
        max_circuit_duration: Duration::from_secs(CIRCUIT_S),
        max_circuit_bytes: CIRCUIT_BYTES_MAX,
        circuit_src_rate_limiters: vec![Box::new(quota::Circuits::default())],
    };
    let mut server = relay::Behaviour::new(local, config);
    // The task decides: a node becomes a relay only after a successful dial-back.
    server.set_status(Some(relay::Status::Disable));
    server
}

impl Protocols {
    /// The behaviours; `client` belongs to the transport for relayed connections, and `reservations` to the task.
    pub(super) fn new(
        local: PeerId,
        reach: &Reach,
        listen: &[Multiaddr],
        client: Option<relay::client::Behaviour>,
        reservations: &Reservations,
    ) -> Self {
        let direct = client.is_some();
        let open = listen.iter().any(|address| !super::address::is_loopback(address));
        Self {
            dial_back: direct.then(|| Guard::new(autonat::Behaviour::new(local, dial_back()))).into(),
            relay: (direct && reach.relay).then(|| relay_server(local, reservations)).into(),
            relay_client: client.into(),
            hole: direct.then(|| Guard::new(dcutr::Behaviour::new(local)).hearing_candidates()).into(),
            upnp: (direct && reach.upnp && open).then(upnp::tokio::Behaviour::default).into(),
        }
    }
}
