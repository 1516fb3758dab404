//! The network: libp2p over TCP and QUIC, with Noise or TLS 1.3 and ed25519 identities.
//!
//! One task owns the swarm and all state that changes with it. The queue of events to the caller is bounded by the
//! number of peers. If the caller is slow, the task first drops gossip and inbound requests, and then stops reading
//! from its sockets. It always reads commands, so the caller and the task cannot deadlock.
//!
//! Gossip is anonymous. It has no author and no signature: a proof is its own evidence, and peers should not learn who
//! found it. A message's id is the hash of its topic and bytes, so the same bytes from two authors are one message.
//!
//! Protocol names: gossip and sync use the consensus id, `/shoal/<16 hex digits>/...`. Identify and ping use libp2p's
//! names. The task disconnects a peer that identifies another network before it announces the peer to the caller.

mod address;
mod api;
mod behaviour;
mod codec;
mod defenses;
mod gate;
mod handshakes;
mod ids;
mod lease;
mod masked;
mod meter;
mod peers;
mod proxy;
mod reach;
mod redial;
mod replies;
mod scores;
mod seeds;
mod slots;
mod task;
mod traffic;
mod transport;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, relay};
use tokio::sync::{mpsc, watch};

use p2p_proto::book::Book;
use p2p_proto::discovery::{Discovery, Now, OwnSource, Seed, Setup};
use p2p_proto::limits::{
    COMMANDS_MAX, CONNECT_TIMEOUT_MS, CONNECTION_EVENTS_MAX, EVENTS_MAX, EXPLICIT_PEERS_MAX, IDLE_TIMEOUT_S,
    NEGOTIATING_STREAMS_MAX, PROXY_TIMEOUT_MS,
};
use p2p_proto::record::Address;
use p2p_proto::{Event, Millis, PeerId};

pub use p2p_proto::discovery::Numbers as DiscoveryNumbers;

pub use api::{BanView, DiscoveryInfo, Handle, ManualPeer, NotAdded, PeerInfo, Stopped};
use behaviour::{Behaviour, Names};
pub use defenses::Defense;
pub use proxy::Proxy;
use reach::Reservations;
pub use reach::{How, OwnAddress, Reach, Reachability};
use task::Task;
pub use traffic::{Traffic, TrafficKind};

/// Configuration of the network.
#[derive(Clone)]
pub struct Config {
    /// Secret seed of this node's ed25519 identity key.
    pub secret_key: [u8; 32],
    /// Multiaddresses to listen on, such as `/ip4/0.0.0.0/tcp/3380` or `/ip4/0.0.0.0/udp/3380/quic-v1`. Port 0 means
    /// any port.
    pub listen: Vec<String>,
    /// Multiaddresses of peers to stay connected with, with or without `/p2p/<peer id>`. At most
    /// [`EXPLICIT_PEERS_MAX`].
    pub peers: Vec<String>,
    /// Whether to discover peers on the local network by mDNS. A node that listens only on loopback is not announced.
    pub mdns: bool,
    /// Consensus id of the share-chain network, in SHA-256 output order.
    pub consensus_id: [u8; 32],
    /// Name and version of the program; cut to [`USER_AGENT_BYTES_MAX`](p2p_proto::limits::USER_AGENT_BYTES_MAX)
    /// characters.
    pub user_agent: String,
    /// Where to count the bytes of messages.
    pub traffic: Traffic,
    /// Maximum upload of messages to all peers, bytes per second; none if it is not limited. Gossip comes first, responses
    /// get the rest.
    pub max_upload: Option<u64>,
    /// Bans in force from the start. Of more than the limits allow, the last ones are ignored.
    pub bans: Vec<BanView>,
    /// How to discover other nodes. `None`: the node has no peers but the configured ones, those that mDNS finds, and
    /// those that dial it.
    pub discovery: Option<Discover>,
    /// Proxy for onion services, or for everything.
    pub proxy: Option<Proxy>,
    /// How other nodes reach this one.
    pub reach: Reach,
}

impl Config {
    /// The configuration of a node that listens nowhere and knows no peers, as tests and tools start from.
    pub fn bare(secret_key: [u8; 32], consensus_id: [u8; 32]) -> Self {
        Self {
            secret_key,
            listen: Vec::new(),
            peers: Vec::new(),
            mdns: false,
            consensus_id,
            user_agent: "test/1".to_owned(),
            traffic: Traffic::default(),
            max_upload: None,
            bans: Vec::new(),
            discovery: None,
            proxy: None,
            reach: Reach::default(),
        }
    }
}

/// How to discover other nodes, and to be discovered.
#[derive(Clone, Debug)]
pub struct Discover {
    /// The address book, which may be empty.
    pub book: Book,
    /// Addresses of this node that the operator configured.
    pub external: Vec<Address>,
    /// Multiaddresses of seeds, with or without `/p2p/<peer id>`. At most [`SEEDS_MAX`](p2p_proto::limits::SEEDS_MAX).
    pub seeds: Vec<String>,
    /// Names of DNS seeds.
    pub dns_seeds: Vec<String>,
}

/// Reason why the network does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The text is not a multiaddress that this crate can use.
    #[error("`{address}` is not an address of the form /ip4/<address>/tcp/<port> or /dns4/<name>/udp/<port>/quic-v1")]
    Address {
        /// Text from the configuration.
        address: String,
    },
    /// The configuration has too many explicit peers.
    #[error("{count} peers are configured, but at most {EXPLICIT_PEERS_MAX} are allowed")]
    TooManyPeers {
        /// Number of configured peers.
        count: usize,
    },
    /// The network cannot listen on an address.
    #[error("cannot listen for peers on {address}; stop the program on this port, or choose another port for peers")]
    Listen {
        /// Address to listen on.
        address: String,
        /// Error of the operating system.
        source: Box<dyn Error + Send + std::marker::Sync>,
    },
    /// libp2p does not start.
    #[error("cannot start the network stack")]
    Stack {
        /// Error of libp2p.
        source: Box<dyn Error + Send + std::marker::Sync>,
    },
}

fn stack(source: impl Into<Box<dyn Error + Send + std::marker::Sync>>) -> StartError {
    StartError::Stack { source: source.into() }
}

/// A peer's multiaddress as this crate shows it.
///
/// # Errors
/// [`StartError::Address`] if it is unusable.
pub fn shown_address(text: &str) -> Result<String, StartError> {
    parse_address(text).map(|address| address.to_string())
}

/// Parses a peer's address: an IP address or a DNS name, over TCP or QUIC, also through a relay; or an onion service.
pub(crate) fn parse_address(text: &str) -> Result<Multiaddr, StartError> {
    let unusable = || StartError::Address { address: text.to_owned() };
    let address: Multiaddr = text.parse().map_err(|_| unusable())?;
    let named = |part: &Protocol<'_>| matches!(part, Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_));
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    let (end, direct) = match parts.as_slice() {
        [first, rest @ ..] if proxy::is_onion(first) => (rest, false),
        [host, Protocol::Tcp(_), rest @ ..] if is_ip(host) || named(host) => (rest, true),
        [host, Protocol::Udp(_), Protocol::QuicV1, rest @ ..] if is_ip(host) || named(host) => (rest, true),
        _ => return Err(unusable()),
    };
    match end {
        [] | [Protocol::P2p(_)] => Ok(address),
        [Protocol::P2p(_), Protocol::P2pCircuit, Protocol::P2p(_)] if direct => Ok(address),
        _ => Err(unusable()),
    }
}

/// Parses an address to listen on, which must not be a DNS name.
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

/// Entry point of the network.
#[derive(Clone, Copy, Debug)]
pub struct Network;

impl Network {
    /// Opens the sockets and starts the task that owns them on the current tokio runtime. Returns a handle for commands
    /// and the receiver of events. The task ends when all clones of the handle are dropped, or the receiver is.
    ///
    /// # Errors
    /// [`StartError`] if an address is unusable, if there are too many peers, or if the network stack does not start.
    pub fn start(config: Config) -> Result<(Handle, mpsc::Receiver<Event>), StartError> {
        let listen = config.listen.iter().map(|text| parse_listen(text)).collect::<Result<Vec<_>, _>>()?;
        let explicit = config.peers.iter().map(|text| parse_address(text)).collect::<Result<Vec<_>, _>>()?;
        if explicit.len() > EXPLICIT_PEERS_MAX {
            return Err(StartError::TooManyPeers { count: explicit.len() });
        }
        let keypair = Keypair::ed25519_from_bytes(config.secret_key).map_err(stack)?;
        let names = Names::new(&config.consensus_id);
        let onion = config.reach.onion_listen.as_deref().map(parse_listen).transpose()?;
        let reservations = Reservations::default();
        let parts = behaviour::Parts { names: &names, config: &config, onion: onion.clone(), listen: &listen };
        let mut swarm = match config.proxy {
            Some(proxy) if proxy.only => through_proxy(keypair, proxy, &parts, &reservations)?,
            _ => direct(keypair, &parts, &reservations)?,
        };
        let listen = listen.into_iter().chain(onion);
        for address in listen {
            let text = address.to_string();
            let refused = |source| StartError::Listen { address: text, source: Box::new(source) };
            swarm.listen_on(address).map_err(refused)?;
        }
        let local_peer = PeerId::from_id_bytes(&swarm.local_peer_id().to_bytes())
            .ok_or_else(|| StartError::Stack { source: "the local key is not ed25519".into() })?;
        let (calls_in, calls) = mpsc::channel(COMMANDS_MAX);
        let (events, events_out) = mpsc::channel(EVENTS_MAX);
        let discovery = discovery(&config)?;
        let (bans, bans_seen) = watch::channel(Arc::default());
        let task = Task::new(swarm, names, explicit, calls, (config, bans, reservations), discovery);
        tokio::spawn(task.run(events));
        Ok((Handle::new(calls_in, local_peer, bans_seen), events_out))
    }
}

/// The discovery, and the DNS seeds.
fn discovery(config: &Config) -> Result<(Discovery, Vec<String>), StartError> {
    let is_on = config.discovery.is_some();
    let is_hidden = config.proxy.is_some_and(|proxy| proxy.only);
    let Discover { book, external, seeds, dns_seeds } = config.discovery.clone().unwrap_or(Discover {
        book: Book::new([0; 32], [0; 16]),
        external: Vec::new(),
        seeds: Vec::new(),
        dns_seeds: Vec::new(),
    });
    let seed = |text: &String| {
        let mut address = parse_address(text)?;
        let peer = task::peer_in(&address);
        if peer.is_some() {
            address.pop();
        }
        Ok(Seed { address: address.to_string(), peer })
    };
    let setup = Setup {
        key: SigningKey::from_bytes(&config.secret_key),
        pool: config.consensus_id,
        user_agent: config.user_agent.clone(),
        is_on,
        tells_local: !is_hidden,
        seeds: seeds.iter().map(seed).collect::<Result<_, StartError>>()?,
        has_dns_seeds: !dns_seeds.is_empty(),
    };
    let mut discovery = Discovery::new(setup, book, Now { at: Millis(0), unix_s: 0 });
    discovery.own_mut().set(OwnSource::Configured, external);
    if is_hidden {
        discovery.own_mut().hide();
    }
    Ok((discovery, dns_seeds))
}

/// A swarm over TCP and QUIC, through relays, and to onion services if there is a proxy.
fn direct(
    keypair: Keypair,
    parts: &behaviour::Parts<'_>,
    reservations: &Reservations,
) -> Result<Swarm<Behaviour>, StartError> {
    let (circuits, relayed) = relay::client::new(keypair.public().to_peer_id());
    let proxy = parts.config.proxy;
    let builder = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(|keypair| transport::new(keypair, &parts.counters(), circuits, proxy))
        .map_err(stack)?
        .with_dns()
        .map_err(stack)?
        .with_behaviour(|keypair| Behaviour::new(keypair, parts, Some(relayed), reservations))
        .map_err(stack)?;
    // Onion services take longer.
    let limit_ms = if proxy.is_some() { PROXY_TIMEOUT_MS } else { CONNECT_TIMEOUT_MS };
    Ok(builder.with_swarm_config(bounded).with_connection_timeout(Duration::from_millis(limit_ms)).build())
}

/// A swarm that dials only through the proxy, and listens on loopback.
fn through_proxy(
    keypair: Keypair,
    proxy: Proxy,
    parts: &behaviour::Parts<'_>,
    reservations: &Reservations,
) -> Result<Swarm<Behaviour>, StartError> {
    let builder = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(|keypair| transport::proxied(keypair, &parts.counters(), Some(proxy)))
        .map_err(stack)?
        .with_behaviour(|keypair| Behaviour::new(keypair, parts, None, reservations))
        .map_err(stack)?;
    let limit = Duration::from_millis(PROXY_TIMEOUT_MS);
    Ok(builder.with_swarm_config(bounded).with_connection_timeout(limit).build())
}

fn bounded(swarm: libp2p::swarm::Config) -> libp2p::swarm::Config {
    swarm
        .with_idle_connection_timeout(Duration::from_secs(IDLE_TIMEOUT_S))
        .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX)
        .with_per_connection_event_buffer_size(CONNECTION_EVENTS_MAX)
}

#[cfg(test)]
mod tests;
