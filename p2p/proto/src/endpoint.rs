//! One node's side of a network, whatever its lines are: rates, scores, gossip without a verdict, requests on their way.
//!
//! The owner of the lines calls it before it passes anything on, and does what it returns. `K` names a gossip message to the
//! lines, `C` is what a reply is sent through, `Q` names a request of this node's own to the lines.

use std::collections::BTreeMap;

use crate::event::{ReplyToken, VerdictToken};
use crate::limits::{REPLIES_MAX, REQUEST_TIMEOUT_MS, REQUESTS_MAX};
use crate::message::{Failure, RequestKind, Response};
use crate::peer::PeerId;
use crate::rate::Rates;
use crate::score::{Misbehaviour, Scores, Sentence};
use crate::sync::RequestId;
use crate::time::Millis;
use crate::verdicts::Verdicts;

/// A request of this node's own on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What [`crate::sync`] calls it.
    pub id: RequestId,
    /// The peer that was asked.
    pub peer: PeerId,
    kind: RequestKind,
    since: Millis,
}

/// A gossip message that is to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<K> {
    /// Its name on the lines.
    pub key: K,
    /// Who sent or forwarded it.
    pub peer: PeerId,
    size_bytes: usize,
}

/// The bookkeeping of one node.
#[derive(Debug)]
pub struct Endpoint<K, C, Q: Ord> {
    scores: Scores,
    rates: Rates,
    verdicts: Verdicts<(K, PeerId)>,
    asked: BTreeMap<Q, Asked>,
    replies: BTreeMap<ReplyToken, C>,
    next_reply: u64,
}

impl<K, C, Q: Ord> Default for Endpoint<K, C, Q> {
    fn default() -> Self {
        Self {
            scores: Scores::default(),
            rates: Rates::default(),
            verdicts: Verdicts::default(),
            asked: BTreeMap::new(),
            replies: BTreeMap::new(),
            next_reply: 0,
        }
    }
}

impl<K, C, Q: Ord + Clone> Endpoint<K, C, Q> {
    /// Whether a peer may send this much gossip now. The first check of a message: it costs nothing.
    ///
    /// # Errors
    /// What the message costs its sender.
    pub fn admit_gossip(&mut self, peer: PeerId, size_bytes: usize, now: Millis) -> Result<(), Misbehaviour> {
        if self.rates.gossip(peer, size_bytes, now) { Ok(()) } else { Err(Misbehaviour::TooFast) }
    }

    /// Keeps a message until its verdict.
    ///
    /// # Errors
    /// Its key, when too many wait: it is ignored.
    pub fn wait_for_verdict(
        &mut self,
        key: K,
        peer: PeerId,
        size_bytes: usize,
        now: Millis,
    ) -> Result<VerdictToken, K> {
        self.verdicts.wait((key, peer), size_bytes, now).map_err(|(key, _)| key)
    }

    /// The message behind a token, which is used once.
    pub fn judged(&mut self, token: VerdictToken) -> Option<Judged<K>> {
        let ((key, peer), size_bytes) = self.verdicts.take(token)?;
        Some(Judged { key, peer, size_bytes })
    }

    /// Gives the sender of valid gossip back what it cost.
    pub fn give_back(&mut self, judged: &Judged<K>) {
        self.rates.give_back(judged.peer, judged.size_bytes);
    }

    /// Tokens of the messages without a verdict, oldest first.
    pub fn undecided(&self) -> impl Iterator<Item = VerdictToken> + '_ {
        self.verdicts.tokens()
    }

    /// A peer asks: a token for the reply, if the request may be answered.
    ///
    /// # Errors
    /// What the request costs the peer, if anything.
    pub fn on_request(
        &mut self,
        peer: PeerId,
        kind: RequestKind,
        channel: C,
        now: Millis,
    ) -> Result<ReplyToken, Option<Misbehaviour>> {
        if !self.rates.request(peer, kind, now) {
            return Err(Some(Misbehaviour::TooFast));
        }
        if self.replies.len() >= REPLIES_MAX {
            return Err(None);
        }
        let token = ReplyToken(self.next_reply);
        self.next_reply = self.next_reply.wrapping_add(1);
        self.replies.insert(token, channel);
        Ok(token)
    }

    /// What a reply is sent through, once.
    pub fn reply(&mut self, token: ReplyToken) -> Option<C> {
        self.replies.remove(&token)
    }

    /// Puts back what [`Endpoint::reply`] took. For the simulator's planted bugs.
    pub fn keep_reply(&mut self, token: ReplyToken, channel: C) {
        self.replies.insert(token, channel);
    }

    /// Forgets askers that are gone.
    pub fn retain_replies(&mut self, mut keep: impl FnMut(&C) -> bool) {
        self.replies.retain(|_, channel| keep(channel));
    }

    /// Whether another request of this node's own may be sent.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        self.asked.len() < REQUESTS_MAX
    }

    /// Notes a request of this node's own that was sent.
    pub fn ask(&mut self, key: Q, peer: PeerId, id: RequestId, kind: RequestKind, now: Millis) {
        self.asked.insert(key, Asked { id, peer, kind, since: now });
    }

    /// The end of a request: what to tell the caller. A response of another kind than the request is garbage. None for what
    /// was not asked, or not asked of `by` when that is known.
    pub fn answered(
        &mut self,
        key: &Q,
        by: Option<PeerId>,
        result: Result<Response, Failure>,
    ) -> Option<(Asked, Result<Response, Failure>)> {
        let asked = *self.asked.get(key).filter(|asked| by.is_none_or(|by| by == asked.peer))?;
        self.asked.remove(key);
        let result = result
            .and_then(|response| if response.kind() == asked.kind { Ok(response) } else { Err(Failure::Garbage) });
        Some((asked, result))
    }

    /// Requests to a peer that is gone, which are forgotten.
    pub fn lost(&mut self, peer: PeerId) -> Vec<Asked> {
        self.asked.extract_if(.., |_, asked| asked.peer == peer).map(|(_, asked)| asked).collect()
    }

    /// Requests that took longer than [`REQUEST_TIMEOUT_MS`], which are forgotten.
    pub fn overdue(&mut self, now: Millis) -> Vec<Asked> {
        self.asked
            .extract_if(.., |_, asked| now.since(asked.since) >= REQUEST_TIMEOUT_MS)
            .map(|(_, asked)| asked)
            .collect()
    }

    /// Adds what a misbehavior costs. The end of the ban when the peer is banned from now on.
    pub fn punish(&mut self, peer: PeerId, misbehaviour: Misbehaviour, now: Millis) -> Option<Millis> {
        match self.scores.punish(peer, misbehaviour, now) {
            Sentence::Banned { until } => Some(until),
            _ => None,
        }
    }

    /// Whether a peer is banned.
    #[must_use]
    pub fn is_banned(&self, peer: &PeerId) -> bool {
        self.scores.is_banned(peer)
    }

    /// A peer's points, 0 to [`crate::limits::BAN_POINTS`].
    #[must_use]
    pub fn points(&self, peer: &PeerId, now: Millis) -> u32 {
        self.scores.points(peer, now)
    }

    /// Peers whose ban is over.
    pub fn released(&mut self, now: Millis) -> Vec<PeerId> {
        self.scores.release(now)
    }

    /// Messages that waited too long for their verdict: they are ignored.
    pub fn late_verdicts(&mut self, now: Millis) -> Vec<K> {
        self.verdicts.take_late(now).into_iter().map(|(key, _)| key).collect()
    }

    /// Forgets the rates of peers that are gone.
    pub fn forget_rates(&mut self, now: Millis, is_connected: impl Fn(&PeerId) -> bool) {
        self.rates.forget(now, is_connected);
    }

    /// Gossip without a verdict, own requests on their way, and requests to answer.
    #[must_use]
    pub fn sizes(&self) -> [usize; 3] {
        [self.verdicts.len(), self.asked.len(), self.replies.len()]
    }
}
