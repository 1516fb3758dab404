//! TCP, circuits of relays and onion services with Noise and Yamux, and QUIC, with bounded handshakes and measured buffers.

use std::error::Error;
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, OptionalTransport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, noise, quic, relay, tcp};

use super::handshakes::Handshakes;
use super::meter::muxer::Metered;
use super::meter::{Meters, yamux};
use super::proxy::{Dialer, Proxy};
use super::slots::host_of;
use super::traffic::Traffic;
use p2p_proto::limits::{
    HANDSHAKE_TIMEOUT_MS, QUIC_CONNECTION_WINDOW_BYTES, QUIC_STREAM_WINDOW_BYTES, STREAMS_PER_CONNECTION_MAX,
};

type BoxedError = Box<dyn Error + Send + Sync>;

type Connections = Boxed<(PeerId, StreamMuxerBox)>;

/// Measurements and counters of connections.
pub(super) struct Counters {
    /// Their receive buffers.
    pub(super) meters: Meters,
    /// Refused connections.
    pub(super) traffic: Traffic,
}

/// All transports, each with its own bounds, so that filling one does not fill another. Circuits come first, because an
/// address through a relay begins with the relay's own.
pub(super) fn new(
    keypair: &Keypair,
    counters: &Counters,
    circuits: relay::client::Transport,
    proxy: Option<Proxy>,
) -> Result<Connections, BoxedError> {
    let Counters { meters, traffic } = counters;
    let circuits = Handshakes::new(secured(circuits, keypair, meters.clone())?, traffic.clone());
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    let tcp = Handshakes::new(secured(tcp, keypair, meters.clone())?, traffic.clone());
    let quic = Handshakes::new(quic(keypair, meters.clone()), traffic.clone());
    let direct = either(circuits.boxed(), either(tcp.boxed(), quic.boxed()));
    Ok(either(direct, proxied(keypair, counters, proxy)?))
}

/// The proxy's transport; without a proxy, it dials nothing.
pub(super) fn proxied(keypair: &Keypair, counters: &Counters, proxy: Option<Proxy>) -> Result<Connections, BoxedError> {
    let dialer = proxy.map_or_else(OptionalTransport::none, |proxy| OptionalTransport::some(Dialer::new(proxy)));
    Ok(Handshakes::new(secured(dialer, keypair, counters.meters.clone())?, counters.traffic.clone()).boxed())
}

fn either(first: Connections, second: Connections) -> Connections {
    first.or_transport(second).map(|either, _| either.into_inner()).boxed()
}

fn secured<T>(transport: T, keypair: &Keypair, meters: Meters) -> Result<Connections, noise::Error>
where
    T: Transport + Send + Unpin + 'static,
    T::Output: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    T::Error: Send + Sync + 'static,
    T::Dial: Send + 'static,
    T::ListenerUpgrade: Send + 'static,
{
    Ok(transport
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair)?)
        .multiplex_ext(move |_, point| yamux::Upgrade(meters.open(host_of(point.get_remote_address()))))
        .boxed())
}

fn quic(keypair: &Keypair, meters: Meters) -> Boxed<(PeerId, StreamMuxerBox)> {
    let mut config = quic::Config::new(keypair);
    config.handshake_timeout = Duration::from_millis(HANDSHAKE_TIMEOUT_MS);
    config.max_concurrent_stream_limit = u32::try_from(STREAMS_PER_CONNECTION_MAX).unwrap_or(u32::MAX);
    config.max_connection_data = QUIC_CONNECTION_WINDOW_BYTES;
    config.max_stream_data = QUIC_STREAM_WINDOW_BYTES;
    quic::tokio::Transport::new(config)
        .map(move |(peer, connection), point| {
            let meter = meters.open(host_of(point.get_remote_address()));
            (peer, StreamMuxerBox::new(Metered::new(connection, meter)))
        })
        .boxed()
}
