//! The peer-to-peer network: libp2p around the state machines of [`p2p_proto`]. Of the other crates, only the test
//! network's hostile peers name libp2p.
//!
//! ```text
//! net.rs            configuration, start, addresses
//! net/api.rs        the handle of the network task
//! net/task.rs       the task that owns the swarm; its commands, connection events, messages and bans in task/
//! net/traffic.rs    bytes of messages, by direction and kind
//! net/behaviour.rs  the libp2p behaviours in use, and their configuration
//! net/codec.rs      requests and responses on a stream
//! net/peers.rs      connected peers
//! net/redial.rs     when to dial peers again
//! net/seeds.rs      DNS seeds
//! net/transport.rs  TCP and QUIC
//! net/handshakes.rs inbound connections in handshake
//! net/slots.rs      inbound connections, and eviction
//! net/meter.rs      bytes in receive buffers, and deadlines of messages; by protocol in meter/
//! net/replies.rs    responses in flight to peers
//! net/gate.rs       bans, and refused connections
//! net/ids.rs        peer ids of libp2p
//! net/lease.rs      upload reserved for a response
//! net/masked.rs     gossipsub without the addresses of peers
//! net/scores.rs     gossipsub's peer scores
//! net/defenses.rs   counters of refusals, evictions, and bans
//! net/address.rs    properties of a multiaddress
//! net/reach.rs      how other nodes reach this one: dial-backs, UPnP, relays, hole punching; its parts in reach/
//! net/proxy.rs      dials through a SOCKS5 proxy such as Tor's
//! ```
//!
//! One task owns the sockets. It takes [`p2p_proto::Command`]s from a [`Handle`] and sends [`p2p_proto::Event`]s.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod net;

pub use net::{
    BanView, Config, Defense, Discover, DiscoveryInfo, DiscoveryNumbers, Handle, How, ManualPeer, Network, NotAdded,
    OwnAddress, PeerInfo, Proxy, Reach, Reachability, StartError, Stopped, Traffic, TrafficKind, shown_address,
};
