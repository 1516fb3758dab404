//! Scores: points for a peer's misbehavior. Points add up, expire with time, and ban the peer at [`BAN_POINTS`].
//!
//! A peer gets points only for errors that it could have detected, never for items that this node cannot judge yet.

use std::collections::BTreeMap;

use crate::limits::{BAN_DOUBLINGS_MAX, BAN_MS, BAN_POINTS, FORGIVE_POINT_MS, SCORES_MAX};
use crate::{Millis, PeerId};

/// Kind of misbehavior of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Misbehaviour {
    /// Bytes that are not a message, or not the expected one. No honest program sends them.
    Garbage,
    /// An item that breaks a rule. A peer that forwards it without judging it is as much at fault as its author.
    InvalidItem,
    /// A response with items that were not requested.
    Unsolicited,
    /// A useless response: it has nothing of what the peer claims to have.
    Useless,
    /// No response within [`REQUEST_TIMEOUT_MS`](crate::limits::REQUEST_TIMEOUT_MS).
    Timeout,
    /// More messages or requests than the rate limits allow.
    TooFast,
}

impl Misbehaviour {
    /// Points that it adds.
    #[must_use]
    pub const fn cost(self) -> u32 {
        match self {
            Self::Garbage => 50,
            Self::InvalidItem => 34,
            Self::Unsolicited => 20,
            Self::Useless => 5,
            Self::Timeout => 3,
            Self::TooFast => 1,
        }
    }

    /// True if the bytes themselves prove it, so that it also counts against the peer's address. Slow lines and full
    /// buckets do not, since others behind the same address are not at fault.
    #[must_use]
    pub const fn is_proven(self) -> bool {
        matches!(self, Self::Garbage | Self::InvalidItem | Self::Unsolicited)
    }

    /// The misbehavior, as the reason for a ban.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Garbage => "bytes that are not a message",
            Self::InvalidItem => "invalid shares, links or blocks",
            Self::Unsolicited => "items that this node did not request",
            Self::Useless => "useless responses",
            Self::Timeout => "no responses",
            Self::TooFast => "too many messages",
        }
    }
}

/// Consequence of a misbehavior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sentence {
    /// The peer is not newly banned.
    Tolerated,
    /// The peer is banned from now on.
    Banned {
        /// When the ban ends.
        until: Millis,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Score {
    points: u32,
    /// Time up to which expired points are deducted.
    at: Millis,
    /// When the current ban ends.
    banned_until: Option<Millis>,
    bans: u32,
}

impl Score {
    fn forgive(&mut self, now: Millis) {
        let forgiven = now.since(self.at) / FORGIVE_POINT_MS;
        self.points = self.points.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
        // The remaining fraction of a point counts next time.
        self.at = if self.points == 0 { now } else { self.at.plus(forgiven * FORGIVE_POINT_MS) };
    }
}

/// Points of all peers, connected or not, so that reconnecting does not reset them; or of other keys.
#[derive(Clone, Debug)]
pub struct Scores<K = PeerId> {
    by_peer: BTreeMap<K, Score>,
}

impl<K> Default for Scores<K> {
    fn default() -> Self {
        Self { by_peer: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Scores<K> {
    /// Adds the points of a misbehavior, and bans the peer at [`BAN_POINTS`].
    pub fn punish(&mut self, peer: K, misbehaviour: Misbehaviour, now: Millis) -> Sentence {
        self.punish_at(BAN_POINTS, peer, misbehaviour, now)
    }

    /// Adds the points of a misbehavior, and bans the key at this many points.
    pub fn punish_at(&mut self, ban_points: u32, peer: K, misbehaviour: Misbehaviour, now: Millis) -> Sentence {
        if !self.by_peer.contains_key(&peer) && self.by_peer.len() >= SCORES_MAX {
            self.forget_one(now);
        }
        let score = self.by_peer.entry(peer).or_insert(Score { at: now, ..Score::default() });
        score.forgive(now);
        score.points = score.points.saturating_add(misbehaviour.cost());
        if score.points < ban_points || score.banned_until.is_some() {
            return Sentence::Tolerated;
        }
        let until = now.plus(BAN_MS << score.bans.min(BAN_DOUBLINGS_MAX));
        *score = Score { points: 0, at: now, banned_until: Some(until), bans: score.bans.saturating_add(1) };
        Sentence::Banned { until }
    }

    /// Points of the peer, 0 to [`BAN_POINTS`].
    #[must_use]
    pub fn points(&self, peer: &K, now: Millis) -> u32 {
        let Some(mut score) = self.by_peer.get(peer).copied() else { return 0 };
        score.forgive(now);
        if score.banned_until.is_some() { BAN_POINTS } else { score.points }
    }

    /// True if the peer is banned.
    #[must_use]
    pub fn is_banned(&self, peer: &K) -> bool {
        self.by_peer.get(peer).is_some_and(|score| score.banned_until.is_some())
    }

    /// Keys with points.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.by_peer.keys()
    }

    /// Keys that are banned.
    pub fn banned(&self) -> impl Iterator<Item = &K> {
        self.by_peer.iter().filter(|(_, score)| score.banned_until.is_some()).map(|(key, _)| key)
    }

    /// Forgets points and ban of a key, but not how often it was banned.
    pub fn pardon(&mut self, peer: &K) {
        if let Some(score) = self.by_peer.get_mut(peer) {
            (score.points, score.banned_until) = (0, None);
        }
    }

    /// Ends the bans that are over, and returns their peers.
    pub fn release(&mut self, now: Millis) -> Vec<K> {
        let over = |score: &Score| score.banned_until.is_some_and(|until| until <= now);
        let mut released = Vec::new();
        for (peer, score) in self.by_peer.iter_mut().filter(|(_, score)| over(score)) {
            score.banned_until = None;
            released.push(*peer);
        }
        released
    }

    /// Removes one peer to make room: an unbanned one with the fewest bans and points, or else the one whose ban ends
    /// first.
    fn forget_one(&mut self, now: Millis) {
        let worth = |score: &Score| {
            let mut score = *score;
            score.forgive(now);
            (score.banned_until, score.bans, score.points)
        };
        let least = self.by_peer.iter().min_by_key(|(_, score)| worth(score)).map(|(peer, _)| *peer);
        if let Some(peer) = least {
            self.by_peer.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests;
