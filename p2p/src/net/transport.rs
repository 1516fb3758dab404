//! TCP with Noise and Yamux, and QUIC, with bounded handshakes and measured buffers.

use std::error::Error;
use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, noise, quic, tcp};

use super::handshakes::Handshakes;
use super::meter::muxer::Metered;
use super::meter::{Meters, yamux};
use super::slots::host_of;
use p2p_proto::limits::{
    HANDSHAKE_TIMEOUT_MS, QUIC_CONNECTION_WINDOW_BYTES, QUIC_STREAM_WINDOW_BYTES, STREAMS_PER_CONNECTION_MAX,
};

type BoxedError = Box<dyn Error + Send + Sync>;

/// Both transports, each with bounds of its own: who fills one does not fill the other.
pub(super) fn new(keypair: &Keypair, meters: &Meters) -> Result<Boxed<(PeerId, StreamMuxerBox)>, BoxedError> {
    let either =
        Handshakes::new(tcp(keypair, meters.clone())?).or_transport(Handshakes::new(quic(keypair, meters.clone())));
    Ok(either.map(|either, _| either.into_inner()).boxed())
}

fn tcp(keypair: &Keypair, meters: Meters) -> Result<Boxed<(PeerId, StreamMuxerBox)>, noise::Error> {
    Ok(tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
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
