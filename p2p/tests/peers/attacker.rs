//! A hostile peer on real sockets, and a victim in a process of its own.
#![allow(unreachable_pub, reason = "a test program has no users")]

use std::fs;
use std::future::{Future, poll_fn};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::process::{Child, Command as Program, Stdio};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::AsyncWriteExt;
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{Boxed, DialOpts, PortUse};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, Transport, noise, quic, tcp, yamux};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;

use crate::common::config;

/// Protocol names for the consensus id of the tests.
pub const GOSSIP: &str = "/shoal/5a5a5a5a5a5a5a5a/gossip/2";
pub const SYNC: &str = "/shoal/5a5a5a5a5a5a5a5a/sync/2";

/// A connection that does anything that a test wants, below libp2p's protocols.
pub struct Attacker {
    _transport: Boxed<(PeerId, StreamMuxerBox)>,
    muxer: StreamMuxerBox,
    /// Streams that the victim opened. The attacker never reads them.
    ignored: Vec<SubstreamBox>,
    pub is_closed: bool,
}

fn transport(key: &Keypair, is_quic: bool) -> Boxed<(PeerId, StreamMuxerBox)> {
    if is_quic {
        let quic = quic::tokio::Transport::new(quic::Config::new(key));
        quic.map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection))).boxed()
    } else {
        let tcp = tcp::tokio::Transport::new(tcp::Config::default()).upgrade(Version::V1Lazy);
        tcp.authenticate(noise::Config::new(key).unwrap()).multiplex(yamux::Config::default()).boxed()
    }
}

/// The address without the peer id at its end.
fn bare(address: &str) -> Multiaddr {
    address.split("/p2p/").next().unwrap().parse().unwrap()
}

pub fn message(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len() + 1).unwrap();
    [&[length], text.as_bytes(), b"\n"].concat()
}

/// The bytes that open a stream of a protocol.
pub fn proposal(protocol: &str) -> Vec<u8> {
    [message("/multistream/1.0.0"), message(protocol)].concat()
}

pub fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

impl Attacker {
    /// Connects with a new identity. Returns `None` if the victim does not let it in.
    pub async fn connect(address: &str) -> Option<Self> {
        let key = Keypair::generate_ed25519();
        let mut transport = transport(&key, address.contains("quic"));
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dial = transport.dial(bare(address), options).ok()?;
        let (_, muxer) = timeout(Duration::from_secs(10), dial).await.ok()?.ok()?;
        Some(Self { _transport: transport, muxer, ignored: Vec::new(), is_closed: false })
    }

    fn move_on(&mut self, cx: &mut Context<'_>) {
        while !self.is_closed {
            match self.muxer.poll_inbound_unpin(cx) {
                Poll::Ready(Ok(stream)) => self.ignored.push(stream),
                Poll::Ready(Err(_)) => self.is_closed = true,
                Poll::Pending => break,
            }
        }
        self.is_closed = self.is_closed || matches!(self.muxer.poll_unpin(cx), Poll::Ready(Err(_)));
    }

    /// Runs a future while also driving the connection.
    pub async fn run<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|cx| {
            self.move_on(cx);
            future.as_mut().poll(cx)
        })
        .await
    }

    /// Waits until the victim closes the connection.
    pub async fn closed(&mut self, within: Duration) -> bool {
        let end = tokio::time::Instant::now() + within;
        while !self.is_closed && tokio::time::Instant::now() < end {
            self.run(tokio::time::sleep(Duration::from_millis(100))).await;
        }
        self.is_closed
    }

    /// Opens a stream, unless the victim refuses.
    pub async fn open(&mut self) -> Option<SubstreamBox> {
        let opened = poll_fn(|cx| {
            self.move_on(cx);
            if self.is_closed { Poll::Ready(None) } else { self.muxer.poll_outbound_unpin(cx).map(Result::ok) }
        });
        timeout(Duration::from_secs(1), opened).await.ok().flatten()
    }

    /// Opens a stream and writes as many of these bytes as the victim accepts within a time.
    pub async fn write(&mut self, bytes: &[u8], within: Duration) -> Option<SubstreamBox> {
        let mut stream = self.open().await?;
        let writing = async {
            let _ = stream.write_all(bytes).await;
            let _ = stream.flush().await;
        };
        let _ = self.run(timeout(within, writing)).await;
        Some(stream)
    }

    /// Opens many streams. Half of them begin to negotiate and stop, so that the victim accepts no others. The rest
    /// send what their windows allow.
    pub async fn fill_streams(&mut self, count: usize, within: Duration) -> Vec<SubstreamBox> {
        let mut streams = Vec::new();
        for _ in 0..count {
            match self.open().await {
                Some(stream) => streams.push(stream),
                None => break,
            }
        }
        let (begin, fill) = (b"\x13/multistream".to_vec(), vec![0x55; 12 << 20]);
        let half = streams.len() / 2;
        let writing = futures::future::join_all(streams.iter_mut().enumerate().map(|(number, stream)| {
            let bytes = if number < half { &begin } else { &fill };
            async move {
                let _ = stream.write_all(bytes).await;
                let _ = stream.flush().await;
            }
        }));
        let _ = self.run(timeout(within, writing)).await;
        streams
    }
}

/// Forwards TCP connections to a target from another address. Returns the port.
pub async fn relay(source: Ipv4Addr, target: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                let socket = TcpSocket::new_v4().unwrap();
                // A node dials from its own port on any address, which fails if this socket has that port alone.
                socket.set_reuseport(true).unwrap();
                socket.bind((source, 0).into()).unwrap();
                if let Ok(mut far) = socket.connect(target).await {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    port
}

/// First packets of QUIC connections. The victim answers them and then waits for more.
pub async fn quic_initials(count: usize) -> Vec<Vec<u8>> {
    let sink = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address: Multiaddr =
        format!("/ip4/127.0.0.1/udp/{}/quic-v1", sink.local_addr().unwrap().port()).parse().unwrap();
    let mut packets = Vec::new();
    for _ in 0..count {
        let mut transport = transport(&Keypair::generate_ed25519(), true);
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dial = transport.dial(address.clone(), options).unwrap();
        let mut packet = vec![0; 2_000];
        let length = tokio::select! {
            _ = dial => panic!("nothing answers"),
            received = sink.recv(&mut packet) => received.unwrap(),
        };
        packet.truncate(length);
        packets.push(packet);
    }
    packets
}

#[test]
#[ignore = "other tests run it as a process of its own"]
fn be_the_victim() {
    let mut victim = config(1, &[]);
    victim.config.listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned(), "/ip4/127.0.0.1/udp/0/quic-v1".to_owned()];
    be_a_victim(victim.config);
}

/// Runs a node as a victim until standard input ends.
fn be_a_victim(config: p2p::Config) {
    use p2p_proto::{Command, Event, Response, Verdict};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (handle, mut events) = p2p::Network::start(config).unwrap();
        let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::stdin().lines().next();
            drop(stop);
        });
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                _ = &mut stopped => return,
            };
            match event {
                Some(Event::Listening(address)) => println!("\nlistening {address}"),
                Some(Event::Gossip { token, .. }) => {
                    handle.send(Command::Verdict { token, verdict: Verdict::Ignore }).await.unwrap();
                }
                Some(Event::Request { token, .. }) => {
                    handle.send(Command::Reply { token, response: Response::Pending(Vec::new()) }).await.unwrap();
                }
                Some(_) => {}
                None => return,
            }
        }
    });
}

/// A node in a process of its own, so that its memory can be measured.
pub struct Victim {
    child: Child,
    /// Its TCP and QUIC addresses.
    pub tcp: String,
    pub quic: String,
}

impl Victim {
    /// Runs the ignored test `be_the_victim` of this program.
    pub fn start() -> Self {
        let mut child = Program::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "attacker::be_the_victim"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addresses =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("listening ").map(str::to_owned));
        let addresses: Vec<String> = addresses.take(2).collect();
        let find = |part: &str| addresses.iter().find(|address| address.contains(part)).unwrap().clone();
        Self { tcp: find("/tcp/"), quic: find("/quic-v1"), child }
    }

    /// Its listening address for TCP.
    pub fn socket(&self) -> SocketAddr {
        let parts: Vec<_> = self.tcp.split('/').collect();
        format!("{}:{}", parts[2], parts[4]).parse().unwrap()
    }

    /// A value from the kernel, in bytes.
    fn status(&self, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Memory in use, in bytes.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS")
    }

    /// Resets the peak.
    pub fn reset_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    /// Peak of the memory in use since the last reset, in bytes.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM")
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Polls a future in the background forever, for attackers that only keep their connections.
pub fn hold(mut attacker: Attacker) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { attacker.run(std::future::pending::<()>()).await })
}
