//! This node's shares that other miners' links leave out.
//!
//! A share has had a *chance* when another miner's link came that had room for it, although its parent came here more
//! than 30 s after the share. Honest miners hardly ever miss one chance; after [`CHANCES`] of them, the share is left out.

use std::collections::{BTreeMap, VecDeque};

use p2p_proto::Millis;
use sharechain::limits::OMISSION_SECONDS;
use sharechain::{Height, ShareId};

use super::OwnFacts;
use crate::limits::{CHANCES, OWN_SHARES_MAX};

/// Number of links whose arrival is remembered: a link's parent is nearly always the one before it.
const ARRIVALS: usize = 16;

/// A link that entered the main chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenLink<'a> {
    /// Its id.
    pub(super) id: ShareId,
    /// Its parent.
    pub(super) parent: ShareId,
    /// Its height.
    pub(super) height: Height,
    /// Ids that it lists.
    pub(super) list: &'a [ShareId],
    /// True if it had room for more.
    pub(super) had_room: bool,
    /// True if the node was in sync when the link arrived, and had peers that could have delivered it.
    pub(super) live: bool,
}

#[derive(Clone, Copy, Debug)]
struct Own {
    found: Millis,
    chances: u32,
    /// The link of the main chain that lists it, if one does.
    listed_by: Option<ShareId>,
}

/// This node's shares that can still be listed, and the outcomes of earlier ones.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnShares {
    /// Listed shares stay here, since their link may leave the main chain.
    shares: BTreeMap<ShareId, Own>,
    /// Their ids, oldest first.
    sequence: VecDeque<ShareId>,
    /// Other miners' links that listed one, their heights, ascending, and how many.
    listed: VecDeque<(ShareId, Height, u32)>,
    /// Last links, and when they arrived.
    arrivals: VecDeque<(ShareId, Millis)>,
    /// This node's links among the last shares.
    links: VecDeque<ShareId>,
    /// Since when this node has had peers; none while it has none.
    heard_since: Option<Millis>,
}

impl OwnShares {
    /// Records a valid share of this node's miners that was sent to peers.
    pub(super) fn found(&mut self, id: ShareId, is_link: bool, now: Millis) {
        if is_link {
            self.links.push_back(id);
            if self.links.len() > OWN_SHARES_MAX {
                self.links.pop_front();
            }
        }
        if self.shares.insert(id, Own { found: now, chances: 0, listed_by: None }).is_none() {
            self.sequence.push_back(id);
        }
        // Shares that can no longer be listed stay here until they are the oldest.
        while self.sequence.len() > OWN_SHARES_MAX {
            if let Some(oldest) = self.sequence.pop_front() {
                self.shares.remove(&oldest);
            }
        }
    }

    /// Records whether this node has peers now.
    pub(super) fn heard(&mut self, has_peers: bool, now: Millis) {
        self.heard_since = if has_peers { self.heard_since.or(Some(now)) } else { None };
    }

    /// Records a link that entered the main chain. `can_list` says whether a link on that chain can list the share at all.
    pub(super) fn link(
        &mut self,
        link: SeenLink<'_>,
        listing_depth: u32,
        can_list: impl Fn(&ShareId) -> bool,
        now: Millis,
    ) {
        let by_own = self.links.contains(&link.id);
        let mut count = 0_u32;
        for id in link.list.iter().chain([&link.id]) {
            if let Some(own) = self.shares.get_mut(id) {
                own.listed_by = Some(link.id);
                count = count.saturating_add(1);
            }
        }
        if !by_own && count > 0 {
            self.listed.push_back((link.id, link.height, count));
        }
        let lowest = link.height.0.saturating_sub(listing_depth);
        while self.listed.front().is_some_and(|(_, height, _)| height.0 < lowest) {
            self.listed.pop_front();
        }
        self.shares.retain(|id, _| can_list(id));
        if let Some(known_by) = self.known_by(link).filter(|_| !by_own) {
            for own in self.shares.values_mut().filter(|own| own.listed_by.is_none() && own.found < known_by) {
                own.chances = own.chances.saturating_add(1);
            }
        }
        self.arrivals.push_back((link.id, now));
        if self.arrivals.len() > ARRIVALS {
            self.arrivals.pop_front();
        }
    }

    /// Records a link that left the main chain. Shares that it listed become unlisted: links that leave out this node's
    /// shares also leave out its links, which list them.
    pub(super) fn unlink(&mut self, id: &ShareId) {
        self.listed.retain(|(link, ..)| link != id);
        for own in self.shares.values_mut().filter(|own| own.listed_by == Some(*id)) {
            own.listed_by = None;
        }
    }

    /// Shares found before this time must have been known to the link's miner; none if the link shows nothing.
    fn known_by(&self, link: SeenLink<'_>) -> Option<Millis> {
        let grace_ms = u64::from(OMISSION_SECONDS) * 1_000;
        let (_, parent_came) = self.arrivals.iter().rev().find(|(id, _)| *id == link.parent)?;
        let heard_since = self.heard_since.filter(|_| link.live && link.had_room)?;
        let known_by = Millis(parent_came.0.checked_sub(grace_ms)?);
        // Shares found without peers were sent when peers connected.
        (heard_since <= known_by).then_some(known_by)
    }

    /// Shares of the last `listing_depth` links that were judged, and those that were left out.
    pub(super) fn facts(&self) -> OwnFacts {
        let is_left_out = |own: &&Own| own.listed_by.is_none() && own.chances >= CHANCES;
        let left_out = u32::try_from(self.shares.values().filter(is_left_out).count()).unwrap_or(u32::MAX);
        let listed = self.listed.iter().fold(0_u32, |sum, (.., count)| sum.saturating_add(*count));
        OwnFacts { judged: left_out.saturating_add(listed), left_out }
    }
}
