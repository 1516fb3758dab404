//! The switch between the devices: it drops, delays and paces packets.
//!
//! A packet waits for the sender's line, gets lost or not, travels for the latency, and waits for the receiver's line. The
//! switch runs on a thread of its own, so that nothing else in this process delays packets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, watch};

use super::LinkError;
use super::options::{Loss, Rate};
use super::shape::Pacer;
use crate::limits::{LINK_FLYING_BYTES_MAX, LINK_READ_QUEUE_PACKETS};

/// Longest IPv4 packet, bytes.
const PACKET_BYTES_MAX: usize = 65_535;

/// Offset of the destination in an IPv4 header.
const DESTINATION: std::ops::Range<usize> = 16..20;

/// A host's place at the switch.
#[derive(Debug)]
pub struct Port {
    /// The other end of its device.
    pub device: File,
    /// Its addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Latency of its line.
    pub latency: Duration,
    /// Rate of its line, in each direction.
    pub rate: Option<Rate>,
}

/// Counters of the switch. They only grow.
#[derive(Debug)]
pub struct Traffic {
    hosts: usize,
    /// Delivered bytes by sender and receiver.
    bytes: Vec<AtomicU64>,
    /// Delivered packets by sender and receiver.
    packets: Vec<AtomicU64>,
    lost: AtomicU64,
    overflowed: AtomicU64,
    delivered: AtomicU64,
}

impl Traffic {
    fn new(hosts: usize) -> Self {
        let [bytes, packets] = [0; 2].map(|_| (0..hosts * hosts).map(|_| AtomicU64::new(0)).collect());
        Self {
            hosts,
            bytes,
            packets,
            lost: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
        }
    }

    /// Returns the bytes that one host sent to another and that arrived.
    pub fn bytes(&self, from: usize, to: usize) -> u64 {
        self.bytes.get(from * self.hosts + to).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Returns the number of packets that one host sent to another and that arrived.
    pub fn packets(&self, from: usize, to: usize) -> u64 {
        self.packets.get(from * self.hosts + to).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Returns the number of packets that arrived.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Returns the number of packets lost by chance.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Returns the number of packets that found no room in a queue.
    pub fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }
}

/// A running switch. It stops when dropped.
#[derive(Debug)]
pub struct Switch {
    traffic: Arc<Traffic>,
    groups: Arc<[AtomicUsize]>,
    _stop: watch::Sender<()>,
}

impl Switch {
    /// Starts a switch between these hosts.
    ///
    /// # Errors
    /// [`LinkError::Tun`] if a device cannot be read.
    pub fn start(ports: Vec<Port>, loss: Loss, seed: u64) -> Result<Self, LinkError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LinkError::Tun)?;
        let traffic = Arc::new(Traffic::new(ports.len()));
        let groups: Arc<[AtomicUsize]> = ports.iter().map(|_| AtomicUsize::new(0)).collect();
        let (stop, mut stopped) = watch::channel(());
        let mut core = Core::new(ports.len(), loss, seed, Arc::clone(&traffic), Arc::clone(&groups));
        let devices = {
            let _inside = runtime.enter();
            ports.into_iter().map(|port| core.attach(port)).collect::<io::Result<Vec<_>>>().map_err(LinkError::Tun)?
        };
        std::thread::Builder::new()
            .name("switch".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let (packets, queue) = mpsc::channel(LINK_READ_QUEUE_PACKETS);
                    for (from, device) in devices.into_iter().enumerate() {
                        tokio::spawn(read(device, from, packets.clone()));
                    }
                    drop(packets);
                    tokio::select! {
                        () = core.run(queue) => {}
                        _ = stopped.changed() => {}
                    }
                });
            })
            .map_err(LinkError::Tun)?;
        Ok(Self { traffic, groups, _stop: stop })
    }

    /// Cuts every path between hosts of different groups, and restores all others. Hosts in no group form one more.
    pub fn partition(&self, groups: &[Vec<usize>]) {
        for (host, group) in self.groups.iter().enumerate() {
            let number = groups.iter().position(|members| members.contains(&host)).map_or(0, |place| place + 1);
            group.store(number, Ordering::Relaxed);
        }
    }

    /// Returns the counters so far.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}

/// Reads a device until it or the switch is gone.
async fn read(device: Arc<AsyncFd<File>>, from: usize, packets: mpsc::Sender<(usize, Vec<u8>)>) {
    let mut buffer = vec![0; PACKET_BYTES_MAX];
    loop {
        let Ok(mut ready) = device.readable().await else { return };
        match ready.try_io(|device| device.get_ref().read(&mut buffer)) {
            Ok(Ok(length)) => {
                let packet = buffer.get(..length).unwrap_or_default().to_vec();
                if packets.send((from, packet)).await.is_err() {
                    return;
                }
            }
            // The namespace is gone.
            Ok(Err(_)) => return,
            Err(_would_block) => {}
        }
    }
}

/// A host as the switch sees it.
#[derive(Debug)]
struct Attached {
    device: Arc<AsyncFd<File>>,
    latency: Duration,
    up: Pacer,
    down: Pacer,
}

/// A packet in flight.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    due: Instant,
    /// Keeps packets of one instant in order.
    number: u64,
    /// Whether it still has to wait for the receiver's line.
    arrives: bool,
    from: usize,
    to: usize,
    packet: Vec<u8>,
}

struct Core {
    hosts: Vec<Attached>,
    routes: BTreeMap<Ipv4Addr, usize>,
    groups: Arc<[AtomicUsize]>,
    traffic: Arc<Traffic>,
    loss: Loss,
    rng: ChaCha8Rng,
    flights: BinaryHeap<Reverse<Flight>>,
    flying_bytes: usize,
    number: u64,
}

impl Core {
    fn new(hosts: usize, loss: Loss, seed: u64, traffic: Arc<Traffic>, groups: Arc<[AtomicUsize]>) -> Self {
        Self {
            hosts: Vec::with_capacity(hosts),
            routes: BTreeMap::new(),
            groups,
            traffic,
            loss,
            rng: ChaCha8Rng::seed_from_u64(seed),
            flights: BinaryHeap::new(),
            flying_bytes: 0,
            number: 0,
        }
    }

    /// Adds a host. Call it inside the runtime.
    fn attach(&mut self, port: Port) -> io::Result<Arc<AsyncFd<File>>> {
        #[expect(
            deprecated,
            reason = "its successor is unsafe code; a `File` is neither replaced nor closed while it is registered"
        )]
        let device = Arc::new(AsyncFd::new(port.device)?);
        let (place, now) = (self.hosts.len(), Instant::now());
        self.routes.extend(port.addresses.into_iter().map(|address| (address, place)));
        let line = Pacer::new(port.rate, now);
        self.hosts.push(Attached { device: Arc::clone(&device), latency: port.latency, up: line, down: line });
        Ok(device)
    }

    async fn run(&mut self, mut queue: mpsc::Receiver<(usize, Vec<u8>)>) {
        loop {
            let next = self.flights.peek().map(|Reverse(flight)| tokio::time::Instant::from_std(flight.due));
            tokio::select! {
                packet = queue.recv() => match packet {
                    Some((from, packet)) => self.sent(from, packet),
                    None => return,
                },
                () = tokio::time::sleep_until(next.unwrap_or_else(tokio::time::Instant::now)), if next.is_some() => {}
            }
            self.deliver(Instant::now());
        }
    }

    /// A host sent a packet.
    fn sent(&mut self, from: usize, packet: Vec<u8>) {
        let Some(to) = self.route(&packet) else { return };
        let group = |host: usize| self.groups.get(host).map(|group| group.load(Ordering::Relaxed));
        if group(from) != group(to) {
            return;
        }
        let (bytes, now) = (packet.len(), Instant::now());
        let latency = self.hosts[from].latency.max(self.hosts[to].latency);
        if self.flying_bytes + bytes > LINK_FLYING_BYTES_MAX {
            self.traffic.overflowed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Some(left) = self.hosts[from].up.take(now, bytes) else {
            self.traffic.overflowed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        // A lost packet took its time on the sender's line.
        if self.loss > Loss(0) && self.rng.random_range(0..1_000_000) < self.loss.0 {
            self.traffic.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.fly(Flight { due: left + latency, number: self.number, arrives: true, from, to, packet });
    }

    /// Returns the receiver of an IPv4 packet.
    fn route(&self, packet: &[u8]) -> Option<usize> {
        let is_version_4 = packet.first().is_some_and(|first| first >> 4 == 4);
        let destination: [u8; 4] = packet.get(DESTINATION)?.try_into().ok()?;
        is_version_4.then(|| self.routes.get(&Ipv4Addr::from(destination)).copied())?
    }

    fn fly(&mut self, flight: Flight) {
        self.number += 1;
        self.flying_bytes += flight.packet.len();
        self.flights.push(Reverse(flight));
    }

    /// Forwards every packet whose time has come.
    fn deliver(&mut self, now: Instant) {
        while self.flights.peek().is_some_and(|Reverse(flight)| flight.due <= now) {
            let Some(Reverse(flight)) = self.flights.pop() else { return };
            self.flying_bytes -= flight.packet.len();
            let host = &mut self.hosts[flight.to];
            if !flight.arrives {
                self.write(&flight);
                continue;
            }
            match host.down.take(flight.due, flight.packet.len()) {
                Some(left) if left <= now => self.write(&flight),
                Some(left) => self.fly(Flight { due: left, number: self.number, arrives: false, ..flight }),
                None => {
                    self.traffic.overflowed.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn write(&self, flight: &Flight) {
        // A write to a device does not block; if its namespace is gone, so is the receiver.
        if self.hosts[flight.to].device.get_ref().write(&flight.packet).is_ok() {
            self.traffic.delivered.fetch_add(1, Ordering::Relaxed);
            let place = flight.from * self.traffic.hosts + flight.to;
            for (counts, more) in [(&self.traffic.bytes, flight.packet.len() as u64), (&self.traffic.packets, 1)] {
                if let Some(count) = counts.get(place) {
                    count.fetch_add(more, Ordering::Relaxed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
