//! Commands and queries of the caller.

use libp2p::gossipsub::{MessageAcceptance, MessageId, PublishError};

use super::{Task, peer_in, theirs};
use crate::net::api::Call;
use crate::net::parse_address;
use crate::net::redial::Source;
use p2p_proto::limits::BLOCKED_MAX;
use p2p_proto::message::{Failure, Gossip, Request};
use p2p_proto::sync::RequestId;
use p2p_proto::{Command, Event, PeerId, Verdict, VerdictToken};

impl Task {
    pub(super) fn on_call(&mut self, call: Call) {
        match call {
            Call::Command(command) => self.on_command(command),
            Call::Peers(reply) => {
                let now = self.now();
                // An error means that the caller no longer waits.
                let _ = reply.send(self.peers.snapshot(now, |peer| self.endpoint.points(peer, now)));
            }
            Call::Reachability(reply) => {
                // An error means that the caller no longer waits.
                let _ = reply.send(self.tracker.shown(self.is_relay));
            }
            Call::Onion(address) => self.on_onion(&address),
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Publish(message) => self.publish(&message),
            Command::Request { peer, id, request } => self.ask(peer, id, request),
            Command::Reply { token, response } => {
                if let Some(channel) = self.endpoint.reply(token) {
                    // An error returns the response: the peer is gone.
                    let _ = self.swarm.behaviour_mut().sync.send_response(channel, response);
                }
            }
            Command::Verdict { token, verdict } => self.on_verdict(token, verdict),
            Command::Punish { peer, misbehaviour } => self.punish(peer, misbehaviour),
            Command::Dial(address) => self.add_explicit(&address),
            Command::Block(peer) => {
                if self.blocked.len() < BLOCKED_MAX {
                    self.blocked.insert(peer);
                    self.enforce(peer);
                }
            }
            Command::Unblock(peer) => {
                self.blocked.remove(&peer);
                self.enforce(peer);
            }
        }
    }

    fn publish(&mut self, message: &Gossip) {
        let topic = self.names.publish_on(message.topic());
        let bytes = message.encode();
        let size_bytes = bytes.len();
        match self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
            Ok(_) => tracing::trace!(topic = message.topic().name(), size_bytes, "published"),
            // The message is already known, or no peer is subscribed. The exchange of unlisted shares makes up for it.
            Err(error @ (PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic)) => {
                tracing::debug!(topic = message.topic().name(), %error, "not published");
            }
            Err(error) => tracing::warn!(topic = message.topic().name(), size_bytes, %error, "not published"),
        }
    }

    fn ask(&mut self, peer: PeerId, id: RequestId, request: Request) {
        let refusal = match theirs(peer).filter(|_| self.peers.is_connected(peer)) {
            None => Failure::Disconnected,
            Some(_) if !self.endpoint.may_ask() => Failure::Busy,
            Some(to) => {
                let kind = request.kind();
                let outbound = self.swarm.behaviour_mut().sync.send_request(&to, request);
                let now = self.now();
                self.endpoint.ask(outbound, peer, id, kind, now);
                return;
            }
        };
        self.tell(Event::Response { peer, id, result: Err(refusal) });
    }

    fn on_verdict(&mut self, token: VerdictToken, verdict: Verdict) {
        let Some(judged) = self.endpoint.judged(token) else { return };
        if verdict == Verdict::Accept {
            self.endpoint.give_back(&judged);
        }
        let (id, source) = judged.key;
        match verdict {
            Verdict::Accept => self.judge(&id, &source, MessageAcceptance::Accept),
            Verdict::Ignore => self.judge(&id, &source, MessageAcceptance::Ignore),
            Verdict::Reject(misbehaviour) => {
                self.judge(&id, &source, MessageAcceptance::Reject);
                self.punish(judged.peer, misbehaviour);
            }
        }
    }

    /// Reports a verdict to gossipsub. If the message has already left gossipsub's cache, it is not forwarded, which is
    /// harmless.
    pub(super) fn judge(&mut self, id: &MessageId, source: &libp2p::PeerId, acceptance: MessageAcceptance) {
        self.swarm.behaviour_mut().gossip.report_message_validation_result(id, source, acceptance);
    }

    fn add_explicit(&mut self, text: &str) {
        let now = self.now();
        match parse_address(text) {
            Err(error) => tracing::warn!(%error, "not dialed"),
            Ok(address) => {
                let peer = peer_in(&address);
                if !self.redial.add(address, peer, Source::Explicit, now) {
                    tracing::warn!(address = text, "not dialed: too many explicit peers");
                }
            }
        }
    }
}
