//! Commands and queries of the caller.

use libp2p::gossipsub::{MessageAcceptance, MessageId, PublishError};

use super::{Task, Waiting, theirs};
use crate::net::api::Call;
use crate::net::lease::Answer;
use p2p_proto::limits::BLOCKED_MAX;
use p2p_proto::message::{Failure, Gossip, Request, Response, Topic};
use p2p_proto::sync::RequestId;
use p2p_proto::{Command, Event, Millis, PeerId, ReplyToken, Verdict, VerdictToken};

impl Task {
    pub(super) fn on_call(&mut self, call: Call) {
        match call {
            Call::Command(command) => self.on_command(command),
            Call::Discovery(reply) => self.show_discovery(reply),
            Call::Book(reply) => {
                let _ = reply.send(self.discovery.book().clone());
            }
            Call::Stale(is_stale) => self.discovery.set_stale(is_stale),
            Call::Peers(reply) => {
                let now = self.now();
                // An error means that the caller no longer waits.
                let _ = reply.send(self.peers.snapshot(now, |peer| self.scores_of(*peer, now)));
            }
            Call::Ban(ban, reply) => {
                let ban = self.dated(ban);
                let result = self.ban(ban);
                self.publish_bans();
                let _ = reply.send(result);
            }
            Call::Unban(what, reply) => {
                let lifted = self.unban(&what);
                self.publish_bans();
                let _ = reply.send(lifted);
            }
            Call::Reachability(reply) => {
                // An error means that the caller no longer waits.
                let _ = reply.send(self.tracker.shown(self.is_relay));
            }
            Call::Onion(address) => self.on_onion(&address),
            // An error means that the caller no longer waits.
            Call::AddPeer(address, reply) => drop(reply.send(self.add_explicit(&address))),
            Call::RemovePeer(address, reply) => drop(reply.send(self.remove_explicit(&address))),
            Call::ManualPeers(reply) => drop(reply.send(self.explicit())),
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Publish(message) => self.publish(&message),
            Command::Request { peer, id, request } => self.ask(peer, id, request),
            Command::Reply { token, response } => self.reply(token, response),
            Command::Busy(token) => {
                if let Some(waiting) = self.endpoint.reply(token) {
                    self.refuse(waiting.channel);
                }
            }
            Command::Verdict { token, verdict } => self.on_verdict(token, verdict),
            Command::Punish { peer, misbehaviour } => self.punish(peer, misbehaviour),
            Command::Dial(address) => {
                if let Err(error) = self.add_explicit(&address) {
                    tracing::warn!(address, %error, "not dialed");
                }
            }
            Command::Block(peer) => {
                if self.gate().blocked.len() < BLOCKED_MAX {
                    self.gate().blocked.insert(peer);
                    self.disconnect(peer);
                }
            }
            Command::Unblock(peer) => {
                let now = self.now();
                self.gate().blocked.remove(&peer);
                self.redial.hasten(peer, now);
            }
        }
    }

    /// Sends a response, unless too many bytes are already in flight.
    pub(super) fn reply(&mut self, token: ReplyToken, response: Response) {
        let Some(Waiting { peer, id, channel, lease }) = self.endpoint.reply(token) else { return };
        let Some(host) = self.swarm.behaviour().slots.host(&peer) else { return };
        if !self.replies.send(id, host, response.encode().len()) {
            tracing::debug!(%peer, "too many bytes in flight for a response");
            return self.refuse(channel);
        }
        if self.swarm.behaviour_mut().sync.send_response(channel, Answer::new(response, lease)).is_err() {
            // The peer is gone.
            self.replies.ended(id);
        }
    }

    /// A peer's points, and its score in gossipsub.
    fn scores_of(&self, peer: PeerId, now: Millis) -> (u32, i32) {
        let score = theirs(peer).and_then(|peer| self.swarm.behaviour().gossip.peer_score(&peer)).unwrap_or_default();
        // Scores are rounded for people, and saturate.
        #[allow(clippy::cast_possible_truncation, reason = "it saturates")]
        (self.endpoint.points(&peer, now), score.round() as i32)
    }

    fn publish(&mut self, message: &Gossip) {
        let topic = self.names.publish_on(message.topic());
        let bytes = message.encode();
        let size_bytes = bytes.len();
        match self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
            Ok(_) => {
                self.count_gossip(message.topic(), size_bytes, true);
                tracing::trace!(topic = message.topic().name(), size_bytes, "published");
            }
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
            Some(_) => return self.send_request(peer, id, request),
        };
        self.tell(Event::Response { peer, id, result: Err(refusal) });
    }

    /// Sends a request to a connected peer.
    pub(super) fn send_request(&mut self, peer: PeerId, id: RequestId, request: Request) {
        let Some(to) = theirs(peer) else { return };
        let kind = request.kind();
        let outbound = self.swarm.behaviour_mut().sync.send_request(&to, request);
        let now = self.now();
        self.endpoint.ask(outbound, peer, id, kind, now);
    }

    fn on_verdict(&mut self, token: VerdictToken, verdict: Verdict) {
        let Some(judged) = self.endpoint.judged(token) else { return };
        let size_bytes = judged.size_bytes();
        let host = self.peers.host(judged.peer);
        if verdict == Verdict::Accept {
            self.endpoint.give_back(&judged);
            self.budgets.give_back(host, size_bytes);
            let now = self.both_clocks();
            self.discovery.useful(judged.peer, now);
        }
        let (id, source, topic) = judged.key;
        match verdict {
            Verdict::Accept => {
                self.swarm.behaviour_mut().slots.delivered(&source, topic);
                self.judge(&id, &source, MessageAcceptance::Accept);
                self.count_gossip(topic, size_bytes, false);
                if topic == Topic::Shares {
                    self.pace.count();
                }
            }
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
}
