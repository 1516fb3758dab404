//! Bounds inbound connections in handshake, by host, netgroup and time.
//!
//! libp2p can only deny a newcomer while a handshake runs, so the bound is here, around the transport: the connection
//! that gives way ends its handshake with an error.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::{Multiaddr, PeerId, Transport};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::defenses::Defense;
use super::slots::host_of;
use super::traffic::Traffic;
use p2p_proto::half_open::{HalfOpen, HalfOpenId};
use p2p_proto::limits::HANDSHAKE_TIMEOUT_MS;

type Output = (PeerId, StreamMuxerBox);

/// Connections in handshake over one transport, and how to end each.
#[derive(Debug, Default)]
struct Doors {
    half_open: HalfOpen,
    ends: HashMap<HalfOpenId, oneshot::Sender<()>>,
}

/// Place of one connection in handshake; dropping it frees the place.
struct Place {
    doors: Arc<Mutex<Doors>>,
    id: HalfOpenId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        doors.half_open.close(self.id);
        doors.ends.remove(&self.id);
    }
}

/// A transport whose inbound handshakes are bounded.
pub(super) struct Handshakes {
    inner: Boxed<Output>,
    doors: Arc<Mutex<Doors>>,
    traffic: Traffic,
}

impl Handshakes {
    pub(super) fn new(inner: Boxed<Output>, traffic: Traffic) -> Self {
        Self { inner, doors: Arc::default(), traffic }
    }

    /// Takes a place for a connection. The receiver resolves when the connection must give way.
    fn enter(&self, from: &Multiaddr) -> (Place, oneshot::Receiver<()>) {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, gives_way) = doors.half_open.open(host_of(from));
        if let Some(end) = gives_way.and_then(|id| doors.ends.remove(&id)) {
            // An error means that its handshake has just ended.
            let _ = end.send(());
            self.traffic.count_defense(Defense::HalfOpen);
        }
        let (end, ended) = oneshot::channel();
        doors.ends.insert(id, end);
        (Place { doors: self.doors.clone(), id }, ended)
    }

    /// Runs a handshake until it succeeds, fails, takes too long, or gives way.
    fn admit(
        &self,
        from: &Multiaddr,
        handshake: BoxFuture<'static, io::Result<Output>>,
    ) -> BoxFuture<'static, io::Result<Output>> {
        let (place, ended) = self.enter(from);
        async move {
            let _place = place;
            tokio::select! {
                biased;
                Ok(()) = ended => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "gave way to a newer connection")),
                result = timeout(Duration::from_millis(HANDSHAKE_TIMEOUT_MS), handshake) => match result {
                    Ok(result) => result,
                    Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long")),
                },
            }
        }
        .boxed()
    }
}

impl Transport for Handshakes {
    type Output = Output;
    type Error = io::Error;
    type ListenerUpgrade = BoxFuture<'static, io::Result<Output>>;
    type Dial = BoxFuture<'static, io::Result<Output>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        self.inner.dial(address, options).map(FutureExt::boxed)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Pin::new(&mut self.inner).poll(cx).map(|event| match event {
            TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr } => {
                let upgrade = self.admit(&send_back_addr, upgrade.boxed());
                TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr }
            }
            other => other.map_upgrade(FutureExt::boxed),
        })
    }
}
