//! The network: libp2p over TCP and QUIC, with Noise or TLS 1.3 and ed25519 identities.
//!
//! One task owns the swarm and everything that changes with it. What it tells the caller is queued without bound on
//! nothing but the number of peers: when the caller is slow, gossip and requests of others are dropped first, then the
//! sockets are no longer read. Commands are always read, so caller and task cannot wait for each other.
//!
//! Gossip is anonymous: it carries neither author nor signature, since a proof speaks for itself and nobody should learn
//! who found it first. A message's id is the hash of its bytes, so two authors of the same bytes are one message.
//!
//! Names: gossip and sync carry the consensus id, `/shoal/<16 hex digits>/...`. Identify and ping have the names that
//! libp2p gave them, and a peer whose identity names another network is let go before the caller hears of it.

mod api;
mod behaviour;
mod codec;
mod ip_limit;
mod peers;
mod redial;
mod task;

use std::error::Error;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, SwarmBuilder, noise, tcp, yamux};
use tokio::sync::mpsc;

use p2p_proto::Event;
use p2p_proto::PeerId;
use p2p_proto::limits::{COMMANDS_MAX, EVENTS_MAX, EXPLICIT_PEERS_MAX, IDLE_TIMEOUT_S, STREAMS_PER_CONNECTION_MAX};

pub use api::{Handle, PeerInfo, Stopped};
use behaviour::{Behaviour, Names};
use task::Task;

/// What a network needs to start.
#[derive(Clone)]
pub struct Config {
    /// Seed of the ed25519 key that is this node's identity.
    pub secret_key: [u8; 32],
    /// Multiaddresses to listen on: `/ip4/0.0.0.0/tcp/3380`, `/ip4/0.0.0.0/udp/3380/quic-v1`; port 0 for any.
    pub listen: Vec<String>,
    /// Multiaddresses of peers to stay connected with, with or without their `/p2p/<peer id>`.
    pub peers: Vec<String>,
    /// Whether to look for peers in the local network. What listens on loopback only is not announced there.
    pub mdns: bool,
    /// Which network.
    pub consensus_id: [u8; 32],
    /// Name and version of the program.
    pub user_agent: String,
}

/// Why a network does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Text is not a multiaddress that this crate can use.
    #[error("`{address}` is not an address of the form /ip4/<address>/tcp/<port> or /dns4/<name>/udp/<port>/quic-v1")]
    Address {
        /// The text.
        address: String,
    },
    /// Too many explicit peers.
    #[error("{count} peers are configured, {EXPLICIT_PEERS_MAX} are allowed")]
    TooManyPeers {
        /// How many.
        count: usize,
    },
    /// An address cannot be listened on.
    #[error("cannot listen for peers on {address}; stop what uses that port, or choose another one for peers")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: Box<dyn Error + Send + std::marker::Sync>,
    },
    /// libp2p does not start.
    #[error("the network stack does not start")]
    Stack {
        /// What it says.
        source: Box<dyn Error + Send + std::marker::Sync>,
    },
}

fn stack(source: impl Into<Box<dyn Error + Send + std::marker::Sync>>) -> StartError {
    StartError::Stack { source: source.into() }
}

/// Reads a peer's address over TCP or QUIC, of a host or of its name.
pub(crate) fn parse_address(text: &str) -> Result<Multiaddr, StartError> {
    let unusable = || StartError::Address { address: text.to_owned() };
    let address: Multiaddr = text.parse().map_err(|_| unusable())?;
    let mut parts = address.iter();
    let named = |part: &Protocol<'_>| matches!(part, Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_));
    let host = parts.next().is_some_and(|part| is_ip(&part) || named(&part));
    let transport = match parts.next() {
        Some(Protocol::Tcp(_)) => true,
        Some(Protocol::Udp(_)) => matches!(parts.next(), Some(Protocol::QuicV1)),
        _ => false,
    };
    let end = matches!(parts.next(), None | Some(Protocol::P2p(_))) && parts.next().is_none();
    if host && transport && end { Ok(address) } else { Err(unusable()) }
}

/// Reads an address to listen on, which has no name.
fn parse_listen(text: &str) -> Result<Multiaddr, StartError> {
    let address = parse_address(text)?;
    if address.iter().next().is_some_and(|part| is_ip(&part)) {
        Ok(address)
    } else {
        Err(StartError::Address { address: text.to_owned() })
    }
}

fn is_ip(part: &Protocol<'_>) -> bool {
    matches!(part, Protocol::Ip4(_) | Protocol::Ip6(_))
}

/// The network's starting point.
#[derive(Clone, Copy, Debug)]
pub struct Network;

impl Network {
    /// Opens the sockets and starts the task that owns them, on the current tokio runtime. It ends when every clone of
    /// the handle, or the receiver of events, is dropped.
    ///
    /// # Errors
    /// When an address is not usable or the network stack does not start.
    pub fn start(config: Config) -> Result<(Handle, mpsc::Receiver<Event>), StartError> {
        let listen = config.listen.iter().map(|text| parse_listen(text)).collect::<Result<Vec<_>, _>>()?;
        let explicit = config.peers.iter().map(|text| parse_address(text)).collect::<Result<Vec<_>, _>>()?;
        if explicit.len() > EXPLICIT_PEERS_MAX {
            return Err(StartError::TooManyPeers { count: explicit.len() });
        }
        let keypair = Keypair::ed25519_from_bytes(config.secret_key).map_err(stack)?;
        let names = Names::new(&config.consensus_id);
        let mut swarm = SwarmBuilder::with_existing_identity(keypair)
            .with_tokio()
            .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, multiplexer)
            .map_err(stack)?
            .with_quic()
            .with_dns()
            .map_err(stack)?
            .with_behaviour(|keypair| Behaviour::new(keypair, &names, &config))
            .map_err(stack)?
            .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(Duration::from_secs(IDLE_TIMEOUT_S)))
            .build();
        for address in listen {
            let text = address.to_string();
            let refused = |source| StartError::Listen { address: text, source: Box::new(source) };
            swarm.listen_on(address).map_err(refused)?;
        }
        let local_peer = PeerId::from_id_bytes(&swarm.local_peer_id().to_bytes())
            .ok_or_else(|| StartError::Stack { source: "the local key is not ed25519".into() })?;
        let (calls_in, calls) = mpsc::channel(COMMANDS_MAX);
        let (events, events_out) = mpsc::channel(EVENTS_MAX);
        tokio::spawn(Task::new(swarm, names, explicit, calls).run(events));
        Ok((Handle::new(calls_in, local_peer), events_out))
    }
}

fn multiplexer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS_PER_CONNECTION_MAX);
    config
}

#[cfg(test)]
mod tests;
