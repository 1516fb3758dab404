//! The libp2p behaviours in use, and their configuration.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::time::Duration;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{Multiaddr, StreamProtocol, connection_limits, gossipsub, identify, mdns, ping, relay, request_response};

use super::Config;
use super::codec::SyncCodec;
use super::gate::Gate;
use super::masked::Masked;
use super::meter::Meters;
use super::reach::{Guard, Protocols, Reservations, ViaLimit};
use super::scores;
use super::slots::Slots;
use super::transport::Counters;
use p2p_proto::limits::{
    BLOCK_GOSSIP_BYTES_MAX, CONNECTIONS_PER_PEER_MAX, CONTROL_BYTES_MAX, CONTROL_IDS_MAX, GOSSIP_ENVELOPE_BYTES,
    GOSSIP_MESSAGES_PER_FRAME_MAX, GOSSIP_QUEUE_MAX, OUTBOUND_MAX, PENDING_OUTBOUND_MAX, PING_INTERVAL_MS,
    REQUEST_STREAMS_MAX, REQUEST_TIMEOUT_MS, USER_AGENT_BYTES_MAX, VERDICT_SECONDS_MAX,
};
use p2p_proto::message::Topic;

type BoxedError = Box<dyn Error + Send + std::marker::Sync>;
pub(super) type Gossipsub = gossipsub::Behaviour<gossipsub::IdentityTransform, gossipsub::WhitelistSubscriptionFilter>;

/// All protocols on a connection, and all limits on connections. The limits come first: other behaviours never see a
/// connection that a limit denies. The slots are the last limit, so that nothing is evicted for a denied connection.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    limits: connection_limits::Behaviour,
    pub(super) gate: Gate,
    via_limit: ViaLimit,
    pub(super) slots: Slots,
    identify: Guard<identify::Behaviour>,
    ping: ping::Behaviour,
    pub(super) gossip: Masked<Gossipsub>,
    pub(super) sync: request_response::Behaviour<SyncCodec>,
    mdns: Toggle<mdns::tokio::Behaviour>,
    pub(super) reach: Protocols,
}

/// Settings of the behaviours.
pub(super) struct Parts<'a> {
    pub(super) names: &'a Names,
    pub(super) config: &'a Config,
    /// Address that the node's onion service connects to.
    pub(super) onion: Option<Multiaddr>,
    /// Addresses to listen on.
    pub(super) listen: &'a [Multiaddr],
}

impl Parts<'_> {
    /// Measures the receive buffers of connections with these protocols, and counts refusals.
    pub(super) fn counters(&self) -> Counters {
        let meters = Meters::new(&self.names.gossip(), &self.names.sync());
        Counters { meters, traffic: self.config.traffic.clone() }
    }
}

/// Protocol names with the consensus id, so that networks cannot be confused.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// `/shoal/<first 16 hex digits of the consensus id>`: the protocol version in identify.
    pub(super) network: String,
    topics: HashMap<gossipsub::TopicHash, Topic>,
}

impl Names {
    pub(super) fn new(consensus_id: &[u8; 32]) -> Self {
        let digits: String = consensus_id.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let network = format!("/shoal/{digits}");
        let topics = Topic::ALL.iter().map(|topic| (topic_of(&network, *topic).hash(), *topic)).collect();
        Self { network, topics }
    }

    fn gossip(&self) -> String {
        format!("{}/gossip/2", self.network)
    }

    fn sync(&self) -> String {
        format!("{}/sync/2", self.network)
    }

    pub(super) fn topic(&self, hash: &gossipsub::TopicHash) -> Option<Topic> {
        self.topics.get(hash).copied()
    }

    pub(super) fn publish_on(&self, topic: Topic) -> gossipsub::IdentTopic {
        topic_of(&self.network, topic)
    }
}

fn topic_of(network: &str, topic: Topic) -> gossipsub::IdentTopic {
    gossipsub::IdentTopic::new(format!("{network}/{}/2", topic.name()))
}

/// Message id: SHA-256 of the topic, a zero byte, and the message's bytes.
fn message_id(message: &gossipsub::Message) -> gossipsub::MessageId {
    let mut engine = sha256::Hash::engine();
    engine.input(message.topic.as_str().as_bytes());
    engine.input(&[0]);
    engine.input(&message.data);
    sha256::Hash::from_engine(engine).to_byte_array().to_vec().into()
}

fn gossip(names: &Names) -> Result<Gossipsub, BoxedError> {
    let history = usize::try_from(VERDICT_SECONDS_MAX)?;
    let mut builder = gossipsub::ConfigBuilder::default();
    builder
        .protocol_id(names.gossip(), gossipsub::Version::V1_1)
        .validation_mode(gossipsub::ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(message_id)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .heartbeat_interval(Duration::from_secs(1))
        // Messages are small and few per second, so a mesh of 8 costs little and recovers from silent peers.
        .mesh_n(8)
        .mesh_n_low(5)
        .mesh_n_high(12)
        .mesh_outbound_min(2)
        .flood_publish(true)
        // After a partition, the mesh must not take a minute to recover.
        .prune_backoff(Duration::from_secs(5))
        .history_length(history)
        .history_gossip(3)
        .duplicate_cache_time(Duration::from_secs(2 * VERDICT_SECONDS_MAX))
        .max_transmit_size(BLOCK_GOSSIP_BYTES_MAX + GOSSIP_ENVELOPE_BYTES)
        .max_publish_messages(GOSSIP_MESSAGES_PER_FRAME_MAX)
        .max_control_messages_sent(CONTROL_IDS_MAX)
        .max_control_message_size(CONTROL_BYTES_MAX)
        .connection_handler_queue_len(GOSSIP_QUEUE_MAX);
    for (hash, topic) in &names.topics {
        builder.max_transmit_size_for_topic(topic.bytes_max() + GOSSIP_ENVELOPE_BYTES, hash.clone());
    }
    let allowed: HashSet<_> = names.topics.keys().cloned().collect();
    let mut gossip = Gossipsub::new_with_subscription_filter(
        gossipsub::MessageAuthenticity::Anonymous,
        builder.build()?,
        gossipsub::WhitelistSubscriptionFilter(allowed),
    )?;
    gossip.with_peer_score(scores::params(), scores::thresholds())?;
    for topic in Topic::ALL {
        gossip.set_topic_params(names.publish_on(topic), scores::topic(0.0))?;
        gossip.subscribe(&names.publish_on(topic))?;
    }
    Ok(gossip)
}

impl Behaviour {
    /// The behaviours; `relayed` belongs to the transport through relays, if there is one.
    pub(super) fn new(
        keypair: &Keypair,
        parts: &Parts<'_>,
        relayed: Option<relay::client::Behaviour>,
        reservations: &Reservations,
    ) -> Result<Self, BoxedError> {
        let Parts { names, config, onion, listen } = parts;
        let hidden = config.proxy.is_some_and(|proxy| proxy.only);
        let local_peer = keypair.public().to_peer_id();
        let limits = connection_limits::ConnectionLimits::default()
            .with_max_pending_outgoing(Some(PENDING_OUTBOUND_MAX))
            .with_max_established_outgoing(Some(OUTBOUND_MAX))
            .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX));
        let agent: String = config.user_agent.chars().take(USER_AGENT_BYTES_MAX).collect();
        // Signed records carry addresses, to each peer only those that it may know. Identify would show all local
        // addresses to all.
        let identity = identify::Config::new(names.network.clone(), keypair.public())
            .with_agent_version(agent)
            .with_cache_size(0)
            .with_hide_listen_addrs(true);
        let protocol = StreamProtocol::try_from_owned(names.sync())?;
        let requests = request_response::Config::default()
            .with_request_timeout(Duration::from_millis(REQUEST_TIMEOUT_MS))
            .with_max_concurrent_streams(REQUEST_STREAMS_MAX);
        let discovery = (config.mdns && !hidden)
            .then(|| mdns::tokio::Behaviour::new(mdns::Config::default(), local_peer))
            .transpose()?;
        Ok(Self {
            limits: connection_limits::Behaviour::new(limits),
            gate: Gate::new(config.traffic.clone()),
            via_limit: ViaLimit::new(onion.clone()),
            slots: Slots::new(config.traffic.clone()),
            identify: Guard::new(identify::Behaviour::new(identity)),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_millis(PING_INTERVAL_MS))),
            gossip: Masked(gossip(names)?),
            sync: request_response::Behaviour::with_codec(
                SyncCodec(config.traffic.clone()),
                [(protocol, request_response::ProtocolSupport::Full)],
                requests,
            ),
            mdns: discovery.into(),
            reach: Protocols::new(local_peer, &config.reach, listen, relayed, reservations),
        })
    }
}
