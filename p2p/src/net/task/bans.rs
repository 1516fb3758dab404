//! Punishment, bans, budgets, and scores.

use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::request_response::ResponseChannel;

use super::{Task, theirs};
use crate::net::api::BanView;
use crate::net::defenses::Defense;
use crate::net::lease::Answer;
use crate::net::scores;
use p2p_proto::bans::{Ban, Banned, TooManyBans};
use p2p_proto::faults::Consequence;
use p2p_proto::message::Topic;
use p2p_proto::netgroup::{Host, Netgroup};
use p2p_proto::prefix::Prefix;
use p2p_proto::{Event, Millis, Misbehaviour, PeerId};

impl Task {
    /// Adds points to a peer and to its host, and bans those with too many.
    pub(super) fn punish(&mut self, peer: PeerId, misbehaviour: Misbehaviour) {
        let now = self.now();
        tracing::debug!(%peer, ?misbehaviour, cost = misbehaviour.cost(), "peer misbehaved");
        let host = self.peers.host(peer);
        if let Some(id) = theirs(peer) {
            self.swarm.behaviour_mut().slots.misbehaved(&id, misbehaviour);
        }
        if let Some(until) = self.endpoint.punish(peer, misbehaviour, now) {
            let explicit = self.redial.is_explicit(peer);
            let ban_s = until.since(now) / 1_000;
            tracing::warn!(%peer, explicit, ban_s, "a peer is banned: {}", misbehaviour.words());
            self.traffic.count_defense(Defense::PeerBan);
            self.ban_by_itself(Banned::Peer(peer), until, misbehaviour);
            self.tell(Event::PeerBanned { peer });
        }
        if let Some(host) = host {
            self.punish_host(host, misbehaviour, now);
        }
    }

    fn punish_host(&mut self, host: Host, misbehaviour: Misbehaviour, now: Millis) {
        let (range, until) = match self.faults.punish(host, misbehaviour, now) {
            Consequence::None => return,
            Consequence::LoopbackPause { until } => {
                tracing::warn!("too much invalid work from loopback; it may open no connections for a while");
                self.loopback_paused_until = Some(until);
                self.gate().loopback_paused = true;
                return;
            }
            Consequence::Host { until } => (Prefix::of_host(host), until),
            Consequence::Netgroup { until } => (Prefix::of_netgroup(host.netgroup()), until),
        };
        let is_netgroup = range == Prefix::of_netgroup(host.netgroup());
        let Some(range) = range else { return };
        if let Some(explicit) = self.explicit_in(range) {
            tracing::warn!(%range, %explicit, "invalid work from the address of a configured peer; it is not banned");
            return;
        }
        let ban_s = until.since(now) / 1_000;
        tracing::warn!(%range, ban_s, "an address is banned: {}", misbehaviour.words());
        self.traffic.count_defense(if is_netgroup { Defense::NetgroupBan } else { Defense::HostBan });
        self.ban_by_itself(Banned::Range(range), until, misbehaviour);
    }

    /// Adds a ban of this node's own.
    fn ban_by_itself(&mut self, what: Banned, until: Millis, misbehaviour: Misbehaviour) {
        let ban = Ban { what, until, by_operator: false, reason: misbehaviour.words().to_owned() };
        // Only the operator's bans can be too many.
        let _ = self.ban(ban);
    }

    /// Adds a ban, and ends the connections that it covers.
    pub(super) fn ban(&mut self, ban: Ban) -> Result<(), TooManyBans> {
        let what = ban.what;
        if self.gate().bans.add(ban)? {
            self.bans_changed = true;
            let covered = match what {
                Banned::Peer(peer) => vec![peer],
                Banned::Range(range) => self.peers.within(range),
            };
            for peer in covered {
                self.disconnect(peer);
            }
        }
        Ok(())
    }

    /// Lifts a ban. Returns false if there was none.
    pub(super) fn unban(&mut self, what: &Banned) -> bool {
        let lifted = self.gate().bans.lift(what).is_some();
        if lifted {
            self.on_lifted(*what);
        }
        lifted
    }

    /// Ends the bans that are over, and a pause of loopback.
    pub(super) fn expire_bans(&mut self, now: Millis) {
        let _ = self.endpoint.released(now);
        let over = self.gate().bans.expire(now);
        for ban in &over {
            tracing::info!(what = %ban.what, "a ban is over");
            self.on_lifted(ban.what);
        }
        if core::mem::take(&mut self.bans_changed) {
            self.publish_bans();
        }
        if self.loopback_paused_until.is_some_and(|until| until <= now) {
            self.loopback_paused_until = None;
            self.gate().loopback_paused = false;
        }
    }

    fn on_lifted(&mut self, what: Banned) {
        let now = self.now();
        self.bans_changed = true;
        match what {
            Banned::Peer(peer) => {
                self.endpoint.pardon(&peer);
                self.redial.hasten(peer, now);
            }
            Banned::Range(range) => self.faults.pardon(range),
        }
    }

    /// Publishes all bans.
    pub(super) fn publish_bans(&mut self) {
        let started = self.started;
        let view = |ban: &Ban| BanView {
            what: ban.what,
            until: started.checked_add(Duration::from_millis(ban.until.0)).unwrap_or(started),
            by_operator: ban.by_operator,
            reason: ban.reason.clone(),
        };
        let list: Vec<_> = self.gate().bans.iter().map(view).collect();
        self.bans.send_replace(Arc::new(list));
    }

    /// Converts a ban of the caller to this task's clock.
    pub(super) fn dated(&self, ban: BanView) -> Ban {
        let until = ban.until.saturating_duration_since(Instant::now());
        let until = self.now().plus(u64::try_from(until.as_millis()).unwrap_or(u64::MAX));
        Ban { what: ban.what, until, by_operator: ban.by_operator, reason: ban.reason }
    }

    /// A configured peer within a range, if there is one: by its configured address, or by that of its connection.
    fn explicit_in(&self, range: Prefix) -> Option<String> {
        let within = self.peers.within(range);
        let connected = within.into_iter().find(|peer| self.redial.is_explicit(*peer));
        connected.map(|peer| peer.to_string()).or_else(|| self.redial.explicit_in(range))
    }

    /// Answers a peer that this node is too busy for its request.
    pub(super) fn refuse(&mut self, channel: ResponseChannel<Answer>) {
        // An error means that the peer is gone.
        let _ = self.swarm.behaviour_mut().sync.send_response(channel, Answer::BUSY);
    }

    /// Settles the upload of responses that were sent or dropped.
    pub(super) fn settle(&mut self) {
        let now = self.now();
        for (grant, sent_bytes) in self.ledger.take() {
            self.budgets.settle(grant, sent_bytes, now);
        }
    }

    /// Counts sent gossip, to peers of the mesh or to all. libp2p's other traffic is smaller.
    pub(super) fn count_gossip(&mut self, topic: Topic, size_bytes: usize, to_all: bool) {
        let hash = self.names.publish_on(topic).hash();
        let gossip = &self.swarm.behaviour().gossip;
        let copies = if to_all {
            gossip.all_peers().filter(|(_, topics)| topics.contains(&&hash)).count()
        } else {
            // The peer that it came from gets no copy.
            gossip.mesh_peers(&hash).count().saturating_sub(1)
        };
        let bytes = u64::try_from(copies.saturating_mul(size_bytes)).unwrap_or(u64::MAX);
        let now = self.now();
        self.budgets.sent_gossip(bytes, now);
    }

    /// Reports each peer's points and neighbors to gossipsub, and adapts its expectations to the pace of the topic.
    pub(super) fn update_scores(&mut self, now: Millis) {
        for (peer, host) in self.peers.hosts() {
            let local = host.is_none_or(|host| host.netgroup() == Netgroup::Local || matches!(host, Host::Onion(_)));
            let neighbors = host.filter(|_| !local).map(|host| self.peers.at(host));
            let score = scores::application(self.endpoint.points(&peer, now), neighbors);
            if let Some(id) = theirs(peer) {
                self.swarm.behaviour_mut().gossip.set_application_score(&id, score);
            }
        }
        if let Some(per_s) = self.pace.due(now) {
            let topic = self.names.publish_on(Topic::Shares);
            // Fails only without scores.
            let _ = self.swarm.behaviour_mut().gossip.set_topic_params(topic, scores::topic(per_s));
        }
    }
}
