//! Bookkeeping of one node, whatever its transport: rates, scores, gossip without a verdict, requests in flight.
//!
//! The owner of the transport calls the endpoint before it passes anything on, and acts on the result. `K` identifies a
//! gossip message to the transport, `C` is the channel of a reply, and `Q` identifies an outbound request to the
//! transport.

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

/// An outbound request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Id of the request in [`crate::sync`].
    pub id: RequestId,
    /// Peer that was asked.
    pub peer: PeerId,
    kind: RequestKind,
    since: Millis,
}

impl Asked {
    /// Kind of the request.
    #[must_use]
    pub const fn kind(&self) -> RequestKind {
        self.kind
    }
}

/// A gossip message whose verdict has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<K> {
    /// Key of the message in the transport.
    pub key: K,
    /// Peer that sent or forwarded it.
    pub peer: PeerId,
    size_bytes: usize,
}

impl<K> Judged<K> {
    /// Length of the message, bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

/// Bookkeeping of one node.
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
    /// Checks a gossip message against the peer's rate limit. This is the first check of a message, because it is the
    /// cheapest.
    ///
    /// # Errors
    /// [`Misbehaviour::TooFast`] if the peer exceeds its limit.
    pub fn admit_gossip(&mut self, peer: PeerId, size_bytes: usize, now: Millis) -> Result<(), Misbehaviour> {
        if self.rates.gossip(peer, size_bytes, now) { Ok(()) } else { Err(Misbehaviour::TooFast) }
    }

    /// Adds a message that awaits its verdict, and returns its token.
    ///
    /// # Errors
    /// Returns the key if too many messages wait. The owner then ignores the message.
    pub fn wait_for_verdict(
        &mut self,
        key: K,
        peer: PeerId,
        size_bytes: usize,
        now: Millis,
    ) -> Result<VerdictToken, K> {
        self.verdicts.wait((key, peer), size_bytes, now).map_err(|(key, _)| key)
    }

    /// Removes and returns the message of a token. Each token works once.
    pub fn judged(&mut self, token: VerdictToken) -> Option<Judged<K>> {
        let ((key, peer), size_bytes) = self.verdicts.take(token)?;
        Some(Judged { key, peer, size_bytes })
    }

    /// Returns the rate tokens of a valid gossip message to its sender.
    pub fn give_back(&mut self, judged: &Judged<K>) {
        self.rates.give_back(judged.peer, judged.size_bytes);
    }

    /// Tokens of the messages that await a verdict, oldest first.
    pub fn undecided(&self) -> impl Iterator<Item = VerdictToken> + '_ {
        self.verdicts.tokens()
    }

    /// Checks a peer's request against the limits, and returns a token for the reply.
    ///
    /// # Errors
    /// `Some` misbehavior to punish if the peer exceeds its rate limit. `None` if [`REPLIES_MAX`] requests already
    /// wait.
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
        if self.is_full() {
            return Err(None);
        }
        let token = ReplyToken(self.next_reply);
        self.next_reply = self.next_reply.wrapping_add(1);
        self.replies.insert(token, channel);
        Ok(token)
    }

    /// True if [`REPLIES_MAX`] requests wait for a reply.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.replies.len() >= REPLIES_MAX
    }

    /// Removes and returns the channel of a reply. Each token works once.
    pub fn reply(&mut self, token: ReplyToken) -> Option<C> {
        self.replies.remove(&token)
    }

    /// Puts back a channel that [`Endpoint::reply`] removed.
    pub fn keep_reply(&mut self, token: ReplyToken, channel: C) {
        self.replies.insert(token, channel);
    }

    /// Drops requests whose channel does not satisfy `keep`: the peer is gone.
    pub fn retain_replies(&mut self, mut keep: impl FnMut(&C) -> bool) {
        self.replies.retain(|_, channel| keep(channel));
    }

    /// True if fewer than [`REQUESTS_MAX`] outbound requests are in flight.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        self.asked.len() < REQUESTS_MAX
    }

    /// Records an outbound request.
    pub fn ask(&mut self, key: Q, peer: PeerId, id: RequestId, kind: RequestKind, now: Millis) {
        self.asked.insert(key, Asked { id, peer, kind, since: now });
    }

    /// Ends an outbound request, and returns it with its result. A response of another kind than the request becomes
    /// [`Failure::Garbage`]. Returns `None` if there is no such request, or if it did not go to `by`, where known.
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

    /// Removes and returns the outbound requests to a peer that disconnected.
    pub fn lost(&mut self, peer: PeerId) -> Vec<Asked> {
        self.asked.extract_if(.., |_, asked| asked.peer == peer).map(|(_, asked)| asked).collect()
    }

    /// Removes and returns the outbound requests that have taken [`REQUEST_TIMEOUT_MS`] or longer.
    pub fn overdue(&mut self, now: Millis) -> Vec<Asked> {
        self.asked
            .extract_if(.., |_, asked| now.since(asked.since) >= REQUEST_TIMEOUT_MS)
            .map(|(_, asked)| asked)
            .collect()
    }

    /// Adds the points of a misbehavior. Returns the end of the ban if it bans the peer.
    pub fn punish(&mut self, peer: PeerId, misbehaviour: Misbehaviour, now: Millis) -> Option<Millis> {
        match self.scores.punish(peer, misbehaviour, now) {
            Sentence::Banned { until } => Some(until),
            _ => None,
        }
    }

    /// True if the peer is banned.
    #[must_use]
    pub fn is_banned(&self, peer: &PeerId) -> bool {
        self.scores.is_banned(peer)
    }

    /// Forgets a peer's points and ban.
    pub fn pardon(&mut self, peer: &PeerId) {
        self.scores.pardon(peer);
    }

    /// A peer's points, 0 to [`crate::limits::BAN_POINTS`].
    #[must_use]
    pub fn points(&self, peer: &PeerId, now: Millis) -> u32 {
        self.scores.points(peer, now)
    }

    /// Ends the bans that are over, and returns their peers.
    pub fn released(&mut self, now: Millis) -> Vec<PeerId> {
        self.scores.release(now)
    }

    /// Removes the messages that waited too long for their verdict, and returns their keys. The owner ignores these
    /// messages.
    pub fn late_verdicts(&mut self, now: Millis) -> Vec<K> {
        self.verdicts.take_late(now).into_iter().map(|(key, _)| key).collect()
    }

    /// Drops the rate limits of disconnected peers whose allowance is full again.
    pub fn forget_rates(&mut self, now: Millis, is_connected: impl Fn(&PeerId) -> bool) {
        self.rates.forget(now, is_connected);
    }

    /// Numbers of gossip messages without a verdict, outbound requests in flight, and requests to answer.
    #[must_use]
    pub fn sizes(&self) -> [usize; 3] {
        [self.verdicts.len(), self.asked.len(), self.replies.len()]
    }
}
