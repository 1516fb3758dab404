//! Bans of peers and of address ranges, each with its end and its reason.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::limits::{BANS_MAX, OPERATOR_BANS_MAX, REASON_CHARS_MAX};
use crate::prefix::Prefix;
use crate::{Millis, PeerId};

/// The scope of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Banned {
    /// A peer, wherever it connects from.
    Peer(PeerId),
    /// All peers at these addresses.
    Range(Prefix),
}

/// The text names neither a peer nor a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a peer id like 12D3KooW..., an IP address like 203.0.113.7, or a range like 203.0.113.0/24")]
pub struct ParseBannedError;

impl FromStr for Banned {
    type Err = ParseBannedError;

    fn from_str(text: &str) -> Result<Self, ParseBannedError> {
        let peer = text.parse().map(Self::Peer).ok();
        peer.or_else(|| text.parse().map(Self::Range).ok()).ok_or(ParseBannedError)
    }
}

impl fmt::Display for Banned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(peer) => peer.fmt(f),
            Self::Range(range) => range.fmt(f),
        }
    }
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// What it covers.
    pub what: Banned,
    /// When it ends.
    pub until: Millis,
    /// True if the operator decided it.
    pub by_operator: bool,
    /// Why, in a few words.
    pub reason: String,
}

/// Error: the operator's list of bans is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {OPERATOR_BANS_MAX} bans by the operator already; lift some, or ban a range of addresses instead")]
pub struct TooManyBans;

/// All bans in force, at most [`BANS_MAX`] of this node's and [`OPERATOR_BANS_MAX`] of the operator's.
#[derive(Clone, Debug, Default)]
pub struct Bans {
    by_subject: BTreeMap<Banned, Ban>,
}

impl Bans {
    /// Adds a ban. This node's own ban never shortens or replaces an existing one; if there are too many, it takes the
    /// place of the one that ends first. Returns false if it changes nothing.
    ///
    /// # Errors
    /// [`TooManyBans`] for one of the operator's bans. Nothing has changed then.
    pub fn add(&mut self, mut ban: Ban) -> Result<bool, TooManyBans> {
        let old = self.by_subject.get(&ban.what);
        if old.is_some_and(|old| !ban.by_operator && (old.by_operator || old.until >= ban.until)) {
            return Ok(false);
        }
        let alike = |other: &&Ban| other.by_operator == ban.by_operator && other.what != ban.what;
        let count = self.by_subject.values().filter(alike).count();
        if ban.by_operator && count >= OPERATOR_BANS_MAX {
            return Err(TooManyBans);
        }
        if !ban.by_operator && count >= BANS_MAX {
            let first = self.by_subject.values().filter(alike).min_by_key(|other| other.until).map(|other| other.what);
            first.map(|first| self.by_subject.remove(&first));
        }
        ban.reason = ban.reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
        self.by_subject.insert(ban.what, ban);
        Ok(true)
    }

    /// Lifts a ban. Returns it if there was one.
    pub fn lift(&mut self, what: &Banned) -> Option<Ban> {
        self.by_subject.remove(what)
    }

    /// Removes and returns the bans that are over.
    pub fn expire(&mut self, now: Millis) -> Vec<Ban> {
        self.by_subject.extract_if(.., |_, ban| ban.until <= now).map(|(_, ban)| ban).collect()
    }

    /// The ban of a peer, if there is one.
    #[must_use]
    pub fn of_peer(&self, peer: PeerId) -> Option<&Ban> {
        self.by_subject.get(&Banned::Peer(peer))
    }

    /// A ban of a range that contains the address, if there is one.
    #[must_use]
    pub fn of_ip(&self, ip: IpAddr) -> Option<&Ban> {
        Prefix::around(ip).find_map(|range| self.by_subject.get(&Banned::Range(range)))
    }

    /// All bans, sorted by what they cover.
    pub fn iter(&self) -> impl Iterator<Item = &Ban> {
        self.by_subject.values()
    }
}

#[cfg(test)]
mod tests;
