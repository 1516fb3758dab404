//! Peers: incoming messages, and the commands of the exchange.

use std::sync::Arc;

use node_core::exchange::Input;
use p2p_proto::sync::RequestId;
use p2p_proto::{Command, Failure, Gossip, Misbehaviour, ReplyToken, Response, Verdict, VerdictToken};
use sharechain::ShareId;

use super::{Context, SimNode};
use crate::full::endpoint::{node_of, peer_id};
use crate::full::ledger::Ban;
use crate::full::strategist::Glance;
use crate::full::wire::{Message, SpreadId};
use crate::ids::NodeId;
use crate::plant::Plant;

impl SimNode {
    fn send(peer: NodeId, message: Message, context: &mut Context<'_>) {
        let size_bytes = message.size_bytes();
        context.schedule.send(context.id, peer, Arc::new(message), size_bytes);
    }

    /// Opens a connection with a peer.
    pub(super) fn open(&mut self, peer: NodeId, context: &mut Context<'_>) {
        let Some(alive) = &mut self.alive else { return };
        if alive.endpoint.is_banned(peer) {
            return Self::send(peer, Message::Close, context);
        }
        if alive.endpoint.mesh.is_connected(peer) {
            return;
        }
        if alive.endpoint.mesh.connect(peer) {
            Self::send(peer, Message::Graft, context);
        }
        // The direction does not matter here, and addresses are not used.
        let event = p2p_proto::Event::PeerConnected { peer: peer_id(peer), addr: String::new(), inbound: false };
        self.hear(Input::Network(event));
    }

    /// Closes a connection with a peer.
    pub(super) fn close(&mut self, peer: NodeId) {
        let Some(alive) = &mut self.alive else { return };
        if !alive.endpoint.mesh.disconnect(peer) {
            return;
        }
        let lost = alive.endpoint.lost(peer);
        self.hear(Input::Network(p2p_proto::Event::PeerDisconnected { peer: peer_id(peer) }));
        for id in lost {
            self.fail(peer, id, Failure::Disconnected);
        }
    }

    fn fail(&mut self, peer: NodeId, id: RequestId, failure: Failure) {
        self.hear(Input::Network(p2p_proto::Event::Response { peer: peer_id(peer), id, result: Err(failure) }));
    }

    /// Runs once per second.
    pub(super) fn on_second(&mut self, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let present = self.present(now);
        let Some(alive) = &mut self.alive else { return };
        let messages = alive.endpoint.mesh.heartbeat(now, &mut self.rng);
        let (late, released) = alive.endpoint.second(present.millis);
        for (peer, message) in messages {
            Self::send(peer, message, context);
        }
        for (peer, id) in late {
            self.fail(peer, id, Failure::Timeout);
        }
        for peer in released {
            if self.lines.contains(&peer) {
                Self::send(peer, Message::Reopen, context);
                self.open(peer, context);
            }
        }
        self.consult(context);
    }

    /// Lets the strategy act, once per second.
    fn consult(&mut self, context: &mut Context<'_>) {
        let (now, time) = (context.schedule.now(), self.time(context.schedule.now()));
        let (Some(alive), Some(device)) = (&self.alive, self.devices.first()) else { return };
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.bitcoin_tips, script: &device.script };
        let (released, flood) =
            self.strategist.ask(glance, |strategy, view| (strategy.second(view), strategy.flood(view)));
        self.release(&released, context);
        for message in flood {
            self.publish(message, context);
        }
        self.set_power(context);
    }

    /// Handles incoming gossip.
    fn on_gossip(&mut self, from: NodeId, id: SpreadId, message: &Gossip, size_bytes: u32, context: &mut Context<'_>) {
        let present = self.present(context.schedule.now());
        let Some(alive) = &mut self.alive else { return };
        if !alive.endpoint.mesh.is_connected(from) || !context.environment.spreads.take(id, context.id) {
            return;
        }
        let (peer, bytes) = (peer_id(from), size_bytes as usize);
        if let Err(misbehaviour) = alive.endpoint.net.admit_gossip(peer, bytes, present.millis) {
            return self.punish(from, misbehaviour, context);
        }
        if let Ok(token) = alive.endpoint.net.wait_for_verdict(id, peer, bytes, present.millis) {
            let message = message.clone();
            self.hear(Input::Network(p2p_proto::Event::Gossip { token, peer, message }));
        }
    }

    /// Handles an incoming message.
    pub(super) fn on_message(&mut self, from: NodeId, message: &Message, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let present = self.present(now);
        if self.plant == Some(Plant::Deaf) && now >= Plant::DEAF_FROM {
            return;
        }
        let Some(alive) = &mut self.alive else { return };
        match message {
            Message::Gossip { id, message, size_bytes } => self.on_gossip(from, *id, message, *size_bytes, context),
            Message::Request { id, request } => {
                if !alive.endpoint.mesh.is_connected(from) {
                    return;
                }
                let (peer, kind) = (peer_id(from), request.kind());
                match alive.endpoint.net.on_request(peer, kind, (from, *id), present.millis) {
                    Ok(token) if self.strategist.strategy().serves(request) => {
                        let request = request.clone();
                        self.hear(Input::Network(p2p_proto::Event::Request { token, peer, request }));
                    }
                    refused => {
                        Self::send(from, Message::Response { id: *id, result: Err(Failure::Refused) }, context);
                        if let Err(Some(misbehaviour)) = refused {
                            self.punish(from, misbehaviour, context);
                        }
                    }
                }
            }
            Message::Response { id, result } => self.on_response(from, *id, result.clone(), context),
            Message::Close => self.close(from),
            Message::Reopen => {
                if self.lines.contains(&from) {
                    self.open(from, context);
                }
            }
            Message::Graft | Message::Prune => {
                if let Some(answer) = alive.endpoint.mesh.hear(from, message, now) {
                    Self::send(from, answer, context);
                }
            }
        }
    }

    fn on_response(
        &mut self,
        from: NodeId,
        id: RequestId,
        result: Result<Response, Failure>,
        context: &mut Context<'_>,
    ) {
        let Some(alive) = &mut self.alive else { return };
        let Some((_, result)) = alive.endpoint.net.answered(&id, Some(peer_id(from)), result) else { return };
        let garbage = result == Err(Failure::Garbage);
        self.hear(Input::Network(p2p_proto::Event::Response { peer: peer_id(from), id, result }));
        if garbage {
            self.punish(from, Misbehaviour::Garbage, context);
        }
    }

    /// Executes a command of the exchange.
    pub(super) fn on_command(&mut self, command: Command, context: &mut Context<'_>) {
        let present = self.present(context.schedule.now());
        let Some(alive) = &mut self.alive else { return };
        match command {
            Command::Publish(message) => {
                if let Some(message) = self.strategist.keep(message) {
                    self.publish(message, context);
                }
            }
            Command::Request { peer, id, request } => {
                let node = node_of(&peer);
                if alive.endpoint.mesh.is_connected(node) {
                    alive.endpoint.net.ask(id, peer, id, request.kind(), present.millis);
                    Self::send(node, Message::Request { id, request }, context);
                } else {
                    self.fail(node, id, Failure::Disconnected);
                }
            }
            Command::Reply { token, response } => {
                if let Some((asker, id)) = alive.endpoint.net.reply(token) {
                    if self.plant == Some(Plant::Leak) {
                        // Three extra copies for one reply, so that the limit of 256 is exceeded and not just reached.
                        for copy in 1..=3_u64 {
                            alive.endpoint.net.keep_reply(ReplyToken(token.0 ^ copy << 60), (asker, id));
                        }
                    }
                    let result = self.strategist.censor(response).ok_or(Failure::Refused);
                    Self::send(asker, Message::Response { id, result }, context);
                }
            }
            Command::Busy(token) => {
                if let Some((asker, id)) = alive.endpoint.net.reply(token) {
                    Self::send(asker, Message::Response { id, result: Err(Failure::Busy) }, context);
                }
            }
            Command::Verdict { token, verdict } => self.on_verdict(token, verdict, context),
            Command::Punish { peer, misbehaviour } => self.punish(node_of(&peer), misbehaviour, context),
            Command::Dial(_) | Command::Block(_) | Command::Unblock(_) => {}
        }
    }

    pub(super) fn on_verdict(&mut self, token: VerdictToken, verdict: Verdict, context: &mut Context<'_>) {
        let Some(alive) = &mut self.alive else { return };
        let Some(judged) = alive.endpoint.net.judged(token) else { return };
        let from = node_of(&judged.peer);
        match verdict {
            Verdict::Accept => {
                alive.endpoint.net.give_back(&judged);
                let forwards = context
                    .environment
                    .spreads
                    .proof_id(judged.key)
                    .is_none_or(|id| self.strategist.strategy().forwards(&id));
                if forwards {
                    for peer in alive.endpoint.mesh.peers().filter(|peer| *peer != from) {
                        context.environment.spreads.send(judged.key, context.id, peer, context.schedule);
                    }
                }
            }
            Verdict::Ignore => {}
            Verdict::Reject(misbehaviour) => self.punish(from, misbehaviour, context),
        }
    }

    /// [`Plant::HeldInvalid`]: rejects gossip that has no verdict yet.
    pub(super) fn reject_undecided(&mut self, context: &mut Context<'_>) {
        let tokens: Vec<_> = self.alive.iter().flat_map(|alive| alive.endpoint.net.undecided()).collect();
        for token in tokens {
            self.on_verdict(token, Verdict::Reject(Misbehaviour::InvalidItem), context);
        }
    }

    /// Sends a message to all peers, like gossipsub's flood publishing.
    pub(super) fn publish(&mut self, message: Gossip, context: &mut Context<'_>) {
        let Some(alive) = &self.alive else { return };
        let id = context.environment.spreads.begin(message, context.id, context.schedule.now());
        for peer in alive.endpoint.mesh.connected() {
            context.environment.spreads.send(id, context.id, peer, context.schedule);
        }
    }

    /// Publishes withheld proofs.
    pub(super) fn release(&mut self, ids: &[ShareId], context: &mut Context<'_>) {
        for id in ids {
            let Some(alive) = &self.alive else { return };
            if let Some(message) = self.strategist.release(*id, alive.engine.chain()) {
                self.publish(message, context);
            }
        }
    }

    fn punish(&mut self, peer: NodeId, misbehaviour: Misbehaviour, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let present = self.present(now);
        let Some(alive) = &mut self.alive else { return };
        if alive.endpoint.punish(peer, misbehaviour, present.millis) {
            let ban = Ban { at: now, by: context.id, whom: peer, why: misbehaviour };
            context.environment.ledger.bans.push(ban);
            self.hear(Input::Network(p2p_proto::Event::PeerBanned { peer: peer_id(peer) }));
            self.close(peer);
            Self::send(peer, Message::Close, context);
        }
    }
}
