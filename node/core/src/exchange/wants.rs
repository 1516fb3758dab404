//! Requests what the chain is missing: Bitcoin headers from this node's bitcoind first, everything else from peers.

use bitcoin::BlockHash;
use p2p_proto::PeerId;
use p2p_proto::limits::{LOCATOR_MAX, WANTS_MAX};
use p2p_proto::sync::{self, Local, Want};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::{Chain, Fate, ListState, Missing};
use sharechain::change_set::ChangeSet;
use sharechain::{Height, ShareId, Work};

use super::{Exchange, Now, Output, Turn};
use crate::journal::Journal;
use crate::limits::HEADER_LOOKUPS_MAX;

impl Exchange {
    /// Requests everything that the chain is missing, from any peer. The peer that just answered is not named as a
    /// source: it would immediately be asked again for items that it lacks.
    pub(super) fn want_missing<J: Journal>(&mut self, turn: &Turn<'_, J>) {
        let chain = turn.engine.chain();
        for missing in chain.missing().filter(|missing| !is_here(missing, chain)).take(WANTS_MAX) {
            self.want(missing, None, turn.now);
        }
    }

    /// Requests the next links of the heaviest header chain, with their lists and the listed proofs, as far as they can
    /// be judged immediately: up to there, anchors' lists are complete. Links are requested in halves of that distance,
    /// so that requests are few and large.
    pub(super) fn want_next_links<J: Journal>(&mut self, turn: &Turn<'_, J>) {
        let Some(peer) = self.sync.leader() else { return };
        let Some(shown) = self.shown.get(&peer) else { return };
        let chain = turn.engine.chain();
        let half = (chain.params().anchor_depth / 2).max(1);
        let end = (shown.completed.0 / half).saturating_add(2).saturating_mul(half);
        let mut missing = Vec::new();
        for height in shown.completed.child().0..=end {
            let Some(link) = shown.headers.at(Height(height)) else { break };
            match chain.link(&link.facts.id).map(|known| &known.list) {
                None => missing.push(Missing::Proof(link.facts.id)),
                Some(ListState::Missing) => missing.push(Missing::List(link.facts.id)),
                Some(ListState::Waiting(list)) => {
                    let unknown = list.iter().filter(|id| chain.fate(id) == Fate::Unknown);
                    missing.extend(unknown.map(|id| Missing::Proof(*id)));
                }
                Some(ListState::Complete(_) | ListState::Invalid(_)) => {}
            }
        }
        for missing in missing.into_iter().filter(|missing| !is_here(missing, chain)).take(WANTS_MAX) {
            self.want(missing, Some(peer), turn.now);
        }
    }

    /// Requests the item that a peer's proof is waiting for, unless that item has arrived and is held itself: its own
    /// dependencies were requested when it arrived.
    pub(super) fn want_for_held<J: Journal>(&mut self, missing: Missing, peer: PeerId, turn: &Turn<'_, J>) {
        if !is_here(&missing, turn.engine.chain()) {
            self.want(missing, Some(peer), turn.now);
        }
    }

    /// Requests the unknown proofs named by the lists that a peer sent. That peer has them.
    pub(super) fn want_listed<J: Journal>(&mut self, changes: &ChangeSet, peer: PeerId, turn: &Turn<'_, J>) {
        for id in changes.lists.iter().flat_map(|(_, list)| list) {
            if turn.engine.chain().fate(id) == Fate::Unknown {
                self.want(Missing::Proof(*id), Some(peer), turn.now);
            }
        }
    }

    /// Requests one item: a Bitcoin header from this node's bitcoind first, everything else from peers.
    pub(super) fn want(&mut self, missing: Missing, from: Option<PeerId>, now: Now) {
        let want = match missing {
            Missing::Proof(id) => Want::Proof(id),
            Missing::List(id) => Want::List(id),
            Missing::BitcoinHeader(hash) => return self.look_up(hash, from),
            Missing::Time(_) => return,
        };
        self.tell_sync(sync::Input::Want { want, from }, now);
    }

    /// Asks bitcoind for a header, unless it is already being looked up or [`HEADER_LOOKUPS_MAX`] others are. A header
    /// that is still missing is requested again later.
    fn look_up(&mut self, hash: BlockHash, from: Option<PeerId>) {
        if self.looked_up.len() < HEADER_LOOKUPS_MAX && self.looked_up.insert(hash) {
            self.outputs.push_back(Output::LookUp { hash, from });
        }
    }

    /// Requests a header from peers if this node's bitcoind does not have it.
    pub(super) fn on_looked_up(&mut self, hash: BlockHash, from: Option<PeerId>, found: bool, now: Now) {
        self.looked_up.remove(&hash);
        let want = Want::Header(hash);
        let input = if found { sync::Input::Got(want) } else { sync::Input::Want { want, from } };
        self.tell_sync(input, now);
    }
}

/// True if the missing proof has arrived and is held.
fn is_here(missing: &Missing, chain: &Chain) -> bool {
    matches!(missing, Missing::Proof(id) if matches!(chain.fate(id), Fate::Held(_)))
}

/// This node's position in the chain, for the sync machine: that of the heaviest branch that it has.
pub(super) fn local(chain: &Chain) -> Local {
    let newest = newest(chain);
    let (height, work) =
        chain.link(&newest).map_or((chain.height(), Work::default()), |link| (link.height, link.chain_work));
    Local { height, work, locator: locator(chain, newest), bitcoin_locator: bitcoin_locator(chain.bitcoin()) }
}

/// Newest link of the heaviest branch that this node has: the tip, unless a heavier branch is in conflict. Peers on that
/// branch are not ahead of this node, although it does not follow them.
pub(super) fn newest(chain: &Chain) -> ShareId {
    chain.conflict().unwrap_or_else(|| chain.tip())
}

/// Ids of a branch from its newest link down, at growing distances above the main chain, and again on it.
fn locator(chain: &Chain, newest: ShareId) -> Vec<ShareId> {
    let mut side = Vec::new();
    let mut at = newest;
    while let Some(link) = chain.link(&at).filter(|link| chain.main_at(link.height) != Some(at)) {
        side.push(at);
        at = link.parent;
    }
    if side.is_empty() {
        return chain.locator();
    }
    let fork = chain.link(&at).map_or(0, |link| link.height.0);
    let above = distances().map_while(|depth| side.get(usize::try_from(depth).ok()?).copied());
    let below = distances().map_while(|depth| fork.checked_sub(depth).filter(|height| *height > 0));
    let below = below.filter_map(|height| chain.main_at(Height(height)));
    above.chain(below).take(LOCATOR_MAX - 1).chain([chain.params().genesis_id()]).collect()
}

/// Distances from the newest entry of a locator: 0 to 9, then each further than the last by twice as much.
pub(super) fn distances() -> impl Iterator<Item = u32> {
    const DENSE: u32 = 10;
    (0..DENSE).chain((2..u32::BITS).map(|power| DENSE - 3 + (1 << power)))
}

/// Hashes of known Bitcoin headers from the best one down, at growing distances.
fn bitcoin_locator(bitcoin: &BitcoinHeaders) -> Vec<BlockHash> {
    const DENSE: usize = 10;
    let best = bitcoin.best();
    let (tip, mut height, mut step) = (best.header.block_hash(), best.height, 1_u32);
    let mut locator = Vec::new();
    while let Some(hash) = bitcoin.ancestor(&tip, height) {
        locator.push(hash);
        if height == 0 || locator.len() == LOCATOR_MAX {
            break;
        }
        if locator.len() >= DENSE {
            step = step.saturating_mul(2);
        }
        height = height.saturating_sub(step);
    }
    locator
}
