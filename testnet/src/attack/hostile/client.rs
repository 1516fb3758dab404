//! A peer that ignores all rules: a connection with any identity from any of its addresses, whose streams carry
//! arbitrary bytes.
//!
//! It is not a swarm, which keeps rules, limits, and deadlines that a hostile peer ignores.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use futures::future::poll_fn;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, PortUse, TransportEvent};
use libp2p::core::upgrade::Version;
use libp2p::core::{Endpoint, Transport};
use libp2p::identity::Keypair;
use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::{PeerId, noise, quic, tcp, yamux};
use p2p_proto::limits::RESPONSE_BYTES_MAX;
use p2p_proto::message::{Request, Response};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::tcp::TcpFrom;
use super::wire;

/// Time limit for connecting, and for the answer to a request.
const PATIENCE: Duration = Duration::from_secs(3);

/// Maximum number of streams that wait to be opened.
const OPENS: usize = 64;

/// Transport of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Tcp,
    Quic,
}

/// The peer's answer to a request of the node; `None` for silence.
pub(super) type Answer = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

/// The node to connect to, and the peer's behavior.
#[derive(Clone)]
pub(super) struct Target {
    /// The node's address for peers.
    pub(super) node: SocketAddr,
    /// `/shoal/<16 hex digits>`.
    pub(super) network: String,
    /// The peer's answers.
    pub(super) answer: Answer,
}

/// A connection. It closes when dropped.
pub(super) struct Client {
    opens: mpsc::Sender<oneshot::Sender<io::Result<SubstreamBox>>>,
    network: String,
    task: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::other(error)
}

fn multiaddr(address: SocketAddr, over: Over) -> Multiaddr {
    let host = match address.ip() {
        IpAddr::V4(ip) => Protocol::Ip4(ip),
        IpAddr::V6(ip) => Protocol::Ip6(ip),
    };
    let address_of = Multiaddr::empty().with(host);
    match over {
        Over::Tcp => address_of.with(Protocol::Tcp(address.port())),
        Over::Quic => address_of.with(Protocol::Udp(address.port())).with(Protocol::QuicV1),
    }
}

fn transport(keypair: &Keypair, from: Ipv4Addr, over: Over) -> io::Result<Boxed<(PeerId, StreamMuxerBox)>> {
    Ok(match over {
        Over::Tcp => TcpFrom(from)
            .upgrade(Version::V1)
            .authenticate(noise::Config::new(keypair).map_err(other)?)
            .multiplex(yamux::Config::default())
            .boxed(),
        Over::Quic => {
            let mut transport = quic::tokio::Transport::new(quic::Config::new(keypair))
                .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
                .boxed();
            // A dial uses the socket of a listener, and so its address.
            transport.listen_on(ListenerId::next(), multiaddr((from, 0).into(), over)).map_err(other)?;
            transport
        }
    })
}

impl Client {
    /// Connects with a fresh identity from this address.
    ///
    /// # Errors
    /// The node refuses, or does not answer in time.
    pub(super) async fn connect(target: &Target, from: Ipv4Addr, over: Over) -> io::Result<Self> {
        Self::connect_as(target, &SigningKey::from_bytes(&random()), from, over).await
    }

    /// Connects with this identity from this address.
    ///
    /// # Errors
    /// As for [`Client::connect`].
    pub(super) async fn connect_as(target: &Target, key: &SigningKey, from: Ipv4Addr, over: Over) -> io::Result<Self> {
        let keypair = keypair(key)?;
        let mut transport = transport(&keypair, from, over)?;
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::Reuse };
        let dial = transport.dial(multiaddr(target.node, over), options).map_err(other)?;
        let (_, muxer) = timeout(PATIENCE, dial).await.map_err(|_| io::ErrorKind::TimedOut)?.map_err(other)?;
        let (opens, asked) = mpsc::channel(OPENS);
        let host = Host::new(&keypair, target);
        let task = tokio::spawn(async move {
            drive(muxer, asked, host).await;
            // Keeps the socket of a QUIC connection open.
            drop(transport);
        });
        Ok(Self { opens, network: target.network.clone(), task })
    }

    /// Returns whether the node has closed the connection.
    pub(super) fn is_closed(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits until the connection is closed.
    pub(super) async fn closed(&self) {
        while !self.is_closed() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Opens a stream without negotiating a protocol.
    ///
    /// # Errors
    /// The connection is closed, or no stream can be opened in time.
    pub(super) async fn open_raw(&self) -> io::Result<SubstreamBox> {
        let (give, stream) = oneshot::channel();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.opens.send(give).await.map_err(|_| gone())?;
        timeout(PATIENCE, stream).await.map_err(|_| io::ErrorKind::TimedOut)?.map_err(|_| gone())?
    }

    /// Opens a stream and agrees on gossip.
    ///
    /// # Errors
    /// As for [`Client::open_raw`], or the node refuses.
    pub(super) async fn open_gossip(&self) -> io::Result<SubstreamBox> {
        let mut stream = self.open_raw().await?;
        timeout(PATIENCE, wire::propose(&mut stream, &gossip_protocol(&self.network)))
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        Ok(stream)
    }

    /// Sends a request, and returns the raw answer.
    ///
    /// # Errors
    /// The connection is closed, or the node does not answer in time.
    pub(super) async fn ask(&self, request: &Request) -> io::Result<Vec<u8>> {
        let mut stream = self.open_raw().await?;
        let exchange = async {
            wire::propose(&mut stream, &sync_protocol(&self.network)).await?;
            wire::write_message(&mut stream, &request.encode()).await?;
            stream.close().await?;
            wire::read_message(&mut stream, RESPONSE_BYTES_MAX).await
        };
        timeout(PATIENCE, exchange).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

fn sync_protocol(network: &str) -> String {
    format!("{network}/sync/2")
}

fn gossip_protocol(network: &str) -> String {
    format!("{network}/gossip/2")
}

/// The answers of all connections of a peer.
struct Host {
    identity: Vec<u8>,
    sync: String,
    gossip: String,
    answer: Answer,
}

impl Host {
    fn new(keypair: &Keypair, target: &Target) -> Arc<Self> {
        Arc::new(Self {
            identity: wire::identity(&keypair.public().encode_protobuf(), &target.network),
            sync: sync_protocol(&target.network),
            gossip: gossip_protocol(&target.network),
            answer: Arc::clone(&target.answer),
        })
    }
}

/// Random bytes; zeros if the system has none.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap_or_default();
    bytes
}

fn keypair(key: &SigningKey) -> io::Result<Keypair> {
    Keypair::ed25519_from_bytes(key.to_bytes()).map_err(other)
}

/// Acts as a node at this address, and answers all dials. Ends only if the address cannot be used.
///
/// # Errors
/// The address cannot be used.
pub(super) async fn listen(target: &Target, key: &SigningKey, at: SocketAddr) -> io::Result<()> {
    let keypair = keypair(key)?;
    let host = Host::new(&keypair, target);
    let mut transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(&keypair).map_err(other)?)
        .multiplex(yamux::Config::default())
        .boxed();
    transport.listen_on(ListenerId::next(), multiaddr(at, Over::Tcp)).map_err(other)?;
    loop {
        let event = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await;
        match event {
            TransportEvent::Incoming { upgrade, .. } => {
                let host = Arc::clone(&host);
                tokio::spawn(async move {
                    if let Ok((_, muxer)) = upgrade.await {
                        let (_opens, asked) = mpsc::channel(1);
                        drive(muxer, asked, host).await;
                    }
                });
            }
            TransportEvent::ListenerError { error, .. } => return Err(other(error)),
            _ => {}
        }
    }
}

/// Owns the connection: accepts streams of the node, and opens requested ones.
async fn drive(
    mut muxer: StreamMuxerBox,
    mut asked: mpsc::Receiver<oneshot::Sender<io::Result<SubstreamBox>>>,
    host: Arc<Host>,
) {
    let mut waiting: Option<oneshot::Sender<io::Result<SubstreamBox>>> = None;
    poll_fn(|cx| {
        while let Poll::Ready(event) = muxer.poll_unpin(cx) {
            if event.is_err() {
                return Poll::Ready(());
            }
        }
        while let Poll::Ready(stream) = muxer.poll_inbound_unpin(cx) {
            let Ok(stream) = stream else { return Poll::Ready(()) };
            let host = Arc::clone(&host);
            // An error ends the stream.
            tokio::spawn(async move { serve(stream, &host).await }.map(|_| ()));
        }
        loop {
            if waiting.is_none() {
                let Poll::Ready(next) = asked.poll_recv(cx) else { return Poll::Pending };
                let Some(next) = next else { return Poll::Ready(()) };
                waiting = Some(next);
            }
            let Poll::Ready(stream) = muxer.poll_outbound_unpin(cx) else { return Poll::Pending };
            let is_closed = stream.is_err();
            if let Some(give) = waiting.take() {
                // The requester may be gone.
                let _ = give.send(stream);
            }
            if is_closed {
                return Poll::Ready(());
            }
            // A multiplexer learns what its new stream writes only when it is polled again.
            cx.waker().wake_by_ref();
        }
    })
    .await;
}

/// Serves a stream of the node: honest protocols, and the answers of the attack.
async fn serve(mut stream: SubstreamBox, host: &Host) -> io::Result<()> {
    let known = [wire::IDENTIFY, wire::PING, host.sync.as_str(), host.gossip.as_str()];
    let protocol = timeout(PATIENCE, wire::agree(&mut stream, &known)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    match protocol.as_str() {
        wire::IDENTIFY => {
            wire::write_delimited(&mut stream, &host.identity).await?;
            stream.close().await
        }
        wire::PING => {
            let mut ball = [0; 32];
            loop {
                stream.read_exact(&mut ball).await?;
                stream.write_all(&ball).await?;
                stream.flush().await?;
            }
        }
        protocol if protocol == host.sync => {
            let bytes = wire::read_message(&mut stream, RESPONSE_BYTES_MAX).await?;
            let request = Request::decode(&bytes).map_err(other)?;
            match (host.answer)(&request) {
                Some(response) => {
                    wire::write_message(&mut stream, &response.encode()).await?;
                    stream.close().await
                }
                None => std::future::pending().await,
            }
        }
        _ => {
            let mut heard = vec![0; 16_384];
            while stream.read(&mut heard).await? > 0 {}
            Ok(())
        }
    }
}
