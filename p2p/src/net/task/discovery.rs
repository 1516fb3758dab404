//! Executes the decisions of [`Discovery`](p2p_proto::discovery::Discovery), and reports events to it.

use std::time::SystemTime;

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, identify};
use tokio::sync::oneshot;

use super::Task;
use crate::net::address::{in_record, without_peer};
use crate::net::api::DiscoveryInfo;
use crate::net::proxy::Proxy;
use crate::net::seeds;
use p2p_proto::discovery::{DialId, Now, Output, OwnSource, Seed};
use p2p_proto::message::{Failure, Request, RequestKind, Response};
use p2p_proto::record::{Address, Place, Scope, Transport};
use p2p_proto::sync::RequestId;
use p2p_proto::{PeerId, ReplyToken};

/// Id of requests that are not the caller's.
const OWN_REQUEST: RequestId = RequestId(u64::MAX);

/// True if the swarm has a transport for the address.
fn has_transport(address: &Address, proxy: Option<Proxy>) -> bool {
    match (address.place, proxy) {
        (Place::Onion(_), proxy) => proxy.is_some(),
        (_, Some(Proxy { only: true, .. })) => address.transport == Transport::Tcp && address.relay.is_none(),
        _ => true,
    }
}

impl Task {
    pub(super) fn both_clocks(&self) -> Now {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Now { at: self.now(), unix_s: since_1970.map_or(0, |since| since.as_secs()) }
    }

    /// Executes the next decisions of discovery.
    pub(super) fn discover(&mut self) {
        let now = self.both_clocks();
        self.note_own_addresses();
        let (gate, proxy) = (&self.swarm.behaviour().gate, self.proxy);
        self.discovery.tick(now, &|peer, address| has_transport(address, proxy) && gate.may_dial(peer, address.ip()));
        while let Some(output) = self.discovery.poll_output() {
            match output {
                Output::Dial { id, peer, address, .. } => self.dial_found(id, peer, &address),
                Output::Disconnect(peer) => self.disconnect(peer),
                Output::Ask(peer) => self.ask_for_records(peer, Request::Records),
                Output::Tell(peer, records) => self.ask_for_records(peer, Request::NewRecords(records)),
                Output::LookUpSeeds => self.look_up_seeds(),
            }
        }
    }

    fn dial_found(&mut self, id: DialId, peer: Option<PeerId>, address: &str) {
        let options = address.parse::<Multiaddr>().map(|address| Self::dial_options(address, peer));
        let dialed = options.map_err(|error| error.to_string()).and_then(|options| {
            let connection = options.connection_id();
            self.swarm.dial(options).map(|()| connection).map_err(|error| error.to_string())
        });
        match dialed {
            Ok(connection) => {
                self.found_dials.insert(connection, id);
            }
            Err(error) => {
                tracing::debug!(address, error, "cannot dial");
                self.discovery.dial_failed(id);
            }
        }
    }

    /// Records that a dial of discovery has led to a connection.
    pub(super) fn on_dialed(&mut self, connection: ConnectionId, peer: PeerId) {
        if let Some(id) = self.found_dials.remove(&connection) {
            self.discovery.dialed(id, peer);
        }
    }

    /// Records that a dial of discovery has failed.
    pub(super) fn on_found_dial_failed(&mut self, connection: ConnectionId) {
        if let Some(id) = self.found_dials.remove(&connection) {
            self.discovery.dial_failed(id);
        }
    }

    fn ask_for_records(&mut self, peer: PeerId, request: Request) {
        if self.endpoint.may_ask() {
            self.send_request(peer, OWN_REQUEST, request);
        } else {
            self.discovery.not_answered(peer, self.both_clocks());
        }
    }

    /// Answers a request for node records.
    pub(super) fn answer_records(&mut self, peer: PeerId, token: ReplyToken, request: Request) {
        let now = self.both_clocks();
        let response = match request {
            Request::NewRecords(records) => {
                if let Some(misbehaviour) = self.discovery.told(peer, records, false, now) {
                    self.punish(peer, misbehaviour);
                }
                Response::NewRecords
            }
            _ => Response::Records(self.discovery.answer(peer, now)),
        };
        self.reply(token, response);
    }

    /// Handles the result of a request of discovery.
    pub(super) fn take_records(&mut self, peer: PeerId, result: Result<Response, Failure>) {
        let now = self.both_clocks();
        match result {
            Ok(Response::Records(records)) => {
                if let Some(misbehaviour) = self.discovery.told(peer, records, true, now) {
                    self.punish(peer, misbehaviour);
                }
            }
            // The request for records goes out with the next tick.
            Ok(Response::NewRecords) => self.discovery.heard(peer),
            Ok(_) => {}
            Err(_) => self.discovery.not_answered(peer, now),
        }
    }

    fn look_up_seeds(&self) {
        for name in self.dns_seeds.clone() {
            let found = self.seeds_in.clone();
            tokio::spawn(async move {
                match seeds::look_up(&name).await {
                    Ok(seeds) if seeds.is_empty() => tracing::warn!(name, "the DNS seed names no nodes"),
                    // An error means that the network has stopped.
                    Ok(seeds) => drop(found.send(seeds).await),
                    Err(error) => tracing::warn!(name, %error, "the DNS seed does not answer"),
                }
            });
        }
    }

    pub(super) fn on_seeds_found(&mut self, found: Vec<Seed>) {
        tracing::info!(count = found.len(), "a DNS seed has named nodes");
        self.discovery.seeds_found(found);
    }

    /// Records where a peer sees this node.
    pub(super) fn on_observed(&mut self, peer: PeerId, info: &identify::Info) {
        let seen = in_record(&info.observed_addr).filter(|address| address.relay.is_none());
        if let Some(ip) = seen.and_then(|address| address.ip()) {
            self.discovery.observed(ip, peer);
        }
    }

    /// Records own addresses that other nodes reported, for this node's record.
    fn note_own_addresses(&mut self) {
        let own = self.discovery.own_mut();
        for (source, addresses) in self.tracker.for_record() {
            own.set(source, addresses);
        }
    }

    /// Records that this node listens at an address, or no longer does. The onion service's local address is not for
    /// others.
    pub(super) fn on_listening(&mut self, address: &Multiaddr, listens: bool) {
        if self.onion.as_ref() == Some(&without_peer(address)) {
            return;
        }
        let Some(address) = in_record(address) else { return };
        if listens {
            self.discovery.own_mut().add(OwnSource::Listening, address);
        } else {
            self.discovery.own_mut().remove(OwnSource::Listening, &address);
        }
    }

    /// Tells the caller about discovery. An error means that it no longer waits.
    pub(super) fn show_discovery(&mut self, reply: oneshot::Sender<DiscoveryInfo>) {
        let own = self.discovery.own_mut().list(&[Scope::Public]);
        let info = DiscoveryInfo {
            numbers: self.discovery.numbers(),
            generation: self.discovery.book().generation(),
            own_addresses: own.iter().map(ToString::to_string).collect(),
        };
        let _ = reply.send(info);
    }
}

/// True if a request is about node records, which the network answers itself.
pub(super) const fn is_about_records(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Records | RequestKind::NewRecords)
}

#[cfg(test)]
mod tests {
    use super::{Proxy, has_transport};
    use p2p_proto::record::Address;

    #[test]
    fn only_what_can_be_dialed_is_tried() {
        let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
        let address = "127.0.0.1:9050".parse().unwrap();
        let [some, all] = [false, true].map(|only| Some(Proxy { address, only }));
        let cases = [
            ("/ip4/45.1.1.1/tcp/3381".to_owned(), [true, true, true]),
            ("/ip4/45.1.1.1/udp/3381/quic-v1".to_owned(), [true, true, false]),
            (format!("/ip4/45.1.1.1/tcp/3381/p2p/{peer}/p2p-circuit"), [true, true, false]),
            ("/onion3/2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid:3381".to_owned(), [false, true, true]),
        ];
        for (text, expected) in cases {
            let address = Address::parse(&text).unwrap().0;
            assert_eq!([None, some, all].map(|proxy| has_transport(&address, proxy)), expected, "{text}");
        }
    }
}
