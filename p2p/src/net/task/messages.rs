//! Messages from peers: gossip, requests and responses.

use libp2p::gossipsub::{self, MessageAcceptance};
use libp2p::request_response::{self, InboundFailure, OutboundFailure, OutboundRequestId};

use super::discovery::is_about_records;
use super::{Task, Waiting, ours};
use crate::net::codec::is_garbage;
use crate::net::lease::Answer;
use crate::net::traffic::TrafficKind;
use p2p_proto::limits::OUTBOX_DROP;
use p2p_proto::message::{Failure, Gossip, Request, Response};
use p2p_proto::score::Misbehaviour;
use p2p_proto::{Event, PeerId};

impl Task {
    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source, message_id, message } = event else { return };
        let Some(peer) = ours(&propagation_source) else { return };
        self.traffic.count_received(TrafficKind::Gossip, message.data.len());
        match self.admit(peer, &message) {
            Ok(decoded) => self.pass_on(peer, propagation_source, message_id, message.data.len(), decoded),
            Err(refusal) => {
                let acceptance = match refusal {
                    Some(Misbehaviour::Garbage) => MessageAcceptance::Reject,
                    _ => MessageAcceptance::Ignore,
                };
                self.judge(&message_id, &propagation_source, acceptance);
                if let Some(misbehaviour) = refusal {
                    self.punish(peer, misbehaviour);
                }
            }
        }
    }

    /// Checks a gossip message, cheap checks first: room, rate, size, form. The error is the misbehavior to punish, if
    /// any.
    fn admit(&mut self, peer: PeerId, message: &gossipsub::Message) -> Result<Gossip, Option<Misbehaviour>> {
        if self.outbox.len() >= OUTBOX_DROP {
            return Err(None);
        }
        let now = self.now();
        self.endpoint.admit_gossip(peer, message.data.len(), now).map_err(Some)?;
        if let Err(used_up) = self.budgets.gossip(self.peers.host(peer), message.data.len(), now) {
            tracing::debug!(%peer, ?used_up, "gossip beyond a shared budget");
            self.traffic.count_defense(used_up.into());
            return Err(None);
        }
        let topic = self.names.topic(&message.topic).ok_or(Some(Misbehaviour::Garbage))?;
        if message.data.len() > topic.bytes_max() {
            return Err(Some(Misbehaviour::Garbage));
        }
        let decoded = Gossip::decode(&message.data).map_err(|error| {
            tracing::debug!(%peer, %error, "gossip is garbage");
            Some(Misbehaviour::Garbage)
        })?;
        if decoded.topic() == topic { Ok(decoded) } else { Err(Some(Misbehaviour::Garbage)) }
    }

    fn pass_on(
        &mut self,
        peer: PeerId,
        source: libp2p::PeerId,
        id: gossipsub::MessageId,
        size_bytes: usize,
        message: Gossip,
    ) {
        let now = self.now();
        match self.endpoint.wait_for_verdict((id, source, message.topic()), peer, size_bytes, now) {
            Ok(token) => {
                self.announce(peer);
                self.tell(Event::Gossip { token, peer, message });
            }
            Err((id, source, _)) => self.judge(&id, &source, MessageAcceptance::Ignore),
        }
    }

    pub(super) fn on_sync(&mut self, event: request_response::Event<Request, Answer>) {
        match event {
            request_response::Event::Message { peer: from, message, .. } => match message {
                request_response::Message::Request { request_id, request, channel } => {
                    self.on_request(Waiting { peer: from, id: request_id, channel, lease: None }, request);
                }
                request_response::Message::Response { request_id, response } => {
                    self.on_response(request_id, response.response.ok_or(Failure::Busy));
                }
            },
            request_response::Event::OutboundFailure { request_id, error, .. } => {
                let failure = match error {
                    OutboundFailure::Timeout => Failure::Timeout,
                    OutboundFailure::DialFailure | OutboundFailure::ConnectionClosed => Failure::Disconnected,
                    OutboundFailure::Io(error) if is_garbage(&error) => Failure::Garbage,
                    OutboundFailure::UnsupportedProtocols | OutboundFailure::Io(_) => Failure::Refused,
                };
                self.on_response(request_id, Err(failure));
            }
            request_response::Event::InboundFailure { peer, request_id, error, .. } => {
                self.replies.ended(request_id);
                if let InboundFailure::Io(error) = error
                    && is_garbage(&error)
                    && let Some(peer) = ours(&peer)
                {
                    tracing::debug!(%peer, %error, "request is garbage");
                    self.punish(peer, Misbehaviour::Garbage);
                }
            }
            request_response::Event::ResponseSent { request_id, .. } => self.replies.ended(request_id),
        }
    }

    fn on_request(&mut self, waiting: Waiting, request: Request) {
        let Some(peer) = ours(&waiting.peer) else { return };
        let now = self.now();
        let kind = request.kind();
        if self.outbox.len() >= OUTBOX_DROP || self.endpoint.is_full() {
            tracing::debug!(%peer, ?kind, "too busy for a request");
            return self.refuse(waiting.channel);
        }
        // Dropping the channel rejects the request.
        let token = match self.endpoint.on_request(peer, kind, waiting, now) {
            Ok(token) => token,
            Err(misbehaviour) => return misbehaviour.map_or((), |misbehaviour| self.punish(peer, misbehaviour)),
        };
        self.settle();
        let Some(waiting) = self.endpoint.reply(token) else { return };
        let grant = match self.budgets.request(self.peers.host(peer), kind, now) {
            Ok(grant) => grant,
            Err(used_up) => {
                tracing::debug!(%peer, ?kind, ?used_up, "request beyond a shared budget");
                self.traffic.count_defense(used_up.into());
                return self.refuse(waiting.channel);
            }
        };
        self.endpoint.keep_reply(token, Waiting { lease: Some(self.ledger.lease(grant)), ..waiting });
        self.announce(peer);
        if is_about_records(kind) {
            return self.answer_records(peer, token, request);
        }
        self.tell(Event::Request { token, peer, request });
    }

    fn on_response(&mut self, request_id: OutboundRequestId, result: Result<Response, Failure>) {
        let Some((asked, result)) = self.endpoint.answered(&request_id, None, result) else { return };
        let garbage = result == Err(Failure::Garbage);
        if is_about_records(asked.kind()) {
            self.take_records(asked.peer, result);
        } else {
            self.tell(Event::Response { peer: asked.peer, id: asked.id, result });
        }
        if garbage {
            self.punish(asked.peer, Misbehaviour::Garbage);
        }
    }
}
