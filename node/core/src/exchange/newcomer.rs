//! A node that starts over: rows of the chosen header chain, verified as they arrive, then the lists of its last links.

use std::collections::BTreeMap;
use std::sync::Arc;

use p2p_proto::sync::{self, Outcome as Taken};
use p2p_proto::{Misbehaviour, PeerId};
use sharechain::base::Chunk;
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::check::list::check_root;
use sharechain::link_headers::{LinkHeader, RowsError, VerifiedRows};
use sharechain::{Chain, Height, ShareId};
use tracing::{info, warn};

use super::headers::HeaderChain;
use super::{Exchange, Turn};
use crate::journal::Journal;

/// The fetched part of the chain from which the node will start.
#[derive(Debug)]
pub(super) struct Newcomer {
    /// Peer that sent the newest part.
    peer: PeerId,
    rows: VerifiedRows,
    /// Height of the last link whose rows are needed. It stays while the peer's chain grows.
    rows_to: Height,
    /// Id of the last link whose rows are verified.
    last: Option<ShareId>,
    /// Lists of the last links, by link.
    lists: BTreeMap<ShareId, Vec<ShareId>>,
}

impl Newcomer {
    fn new(peer: PeerId, chain: &HeaderChain, bitcoin: &BitcoinHeaders) -> Option<Self> {
        let rows = VerifiedRows::new(&chain.headers, bitcoin)?;
        Some(Self { peer, rows, rows_to: chain.rows_to(), last: None, lists: BTreeMap::new() })
    }

    /// True if the verified part also belongs to this chain.
    fn fits(&self, chain: &HeaderChain) -> bool {
        self.last.is_some() && chain.headers.at(self.rows.height()).map(|link| link.facts.id) == self.last
    }

    /// A peer that shows the chain, once all rows have arrived, and its verified part.
    fn source<'a>(&self, shown: &'a BTreeMap<PeerId, HeaderChain>) -> Option<(PeerId, &'a HeaderChain)> {
        let first = shown.get_key_value(&self.peer);
        let fitting = first.into_iter().chain(shown).find(|(_, chain)| !chain.on_own_chain && self.fits(chain));
        fitting.filter(|_| self.has_rows()).map(|(peer, chain)| (*peer, chain))
    }

    /// True if all rows have arrived.
    fn has_rows(&self) -> bool {
        self.rows.height() >= self.rows_to
    }

    /// Height of the last link of the start. Only the next one's state root commits to all of it.
    fn base(&self) -> Height {
        self.rows.height().below(1)
    }

    /// The links whose lists are needed: those that later lists are checked against, up to the base.
    fn listing<'a>(&self, chain: &'a HeaderChain, own: &Chain) -> Vec<&'a LinkHeader> {
        let base = self.base();
        let lowest = base.below(own.params().listing_depth.saturating_add(2)).max(chain.headers.first_height());
        (lowest.0..=base.0).filter_map(|height| chain.headers.at(Height(height))).collect()
    }
}

impl Exchange {
    /// Verifies rows of the chain that the peer shows.
    pub(super) fn take_rows<J: Journal>(&mut self, peer: PeerId, bytes: &[u8], turn: &Turn<'_, J>) -> Taken {
        let Some(chain) = self.shown.get(&peer) else { return Taken::Items { useful: 1 } };
        let Ok(chunk) = Chunk::decode(bytes) else { return Taken::Invalid(Misbehaviour::Useless) };
        let fits = self.newcomer.as_ref().is_some_and(|newcomer| newcomer.fits(chain));
        if !fits {
            self.newcomer = Newcomer::new(peer, chain, turn.engine.chain().bitcoin());
        }
        let Some(newcomer) = &mut self.newcomer else { return Taken::Invalid(Misbehaviour::InvalidItem) };
        newcomer.peer = peer;
        let verified = newcomer.rows.height();
        let sent = (chunk.start.height.child().0..).zip(chunk.links);
        for (_, link) in sent.skip_while(|(height, _)| Height(*height) <= verified) {
            if newcomer.has_rows() {
                break;
            }
            let id = link.facts.id;
            match newcomer.rows.push(&chain.headers, link) {
                Ok(()) => newcomer.last = Some(id),
                // The chain was changed meanwhile, or the peer sends other links: ask again.
                Err(RowsError::NotNext(_)) => break,
                Err(error) => {
                    warn!(%peer, %error, "a peer sent rows that no link committed to");
                    self.newcomer = None;
                    return Taken::Invalid(Misbehaviour::InvalidItem);
                }
            }
        }
        let (next, done) = (newcomer.rows.height().child(), newcomer.has_rows());
        if done {
            self.want_base_lists(turn);
        }
        Taken::Rows { next, done }
    }

    /// Requests the lists that are still needed to start from the base.
    pub(super) fn want_base_lists<J: Journal>(&mut self, turn: &Turn<'_, J>) {
        let Some(newcomer) = &mut self.newcomer else { return };
        let Some((peer, chain)) = newcomer.source(&self.shown) else { return };
        let mut wanted = Vec::new();
        for link in newcomer.listing(chain, turn.engine.chain()) {
            if check_root(link.shares_count, &link.shares_root, &[]).is_ok() {
                newcomer.lists.insert(link.facts.id, Vec::new());
            } else if !newcomer.lists.contains_key(&link.facts.id) {
                wanted.push(link.facts.id);
            }
        }
        let from = Some(peer);
        for id in wanted {
            self.tell_sync(sync::Input::Want { want: sync::Want::List(id), from }, turn.now);
        }
    }

    /// Handles the list of one of the last links below the base. Returns false if the link is not one of them.
    pub(super) fn take_base_list<J: Journal>(&mut self, id: ShareId, list: &[ShareId], turn: &Turn<'_, J>) -> bool {
        let Some(newcomer) = &mut self.newcomer else { return false };
        let Some((peer, chain)) = newcomer.source(&self.shown) else { return false };
        let listing = newcomer.listing(chain, turn.engine.chain());
        let Some(link) = listing.into_iter().find(|link| link.facts.id == id) else { return false };
        if check_root(link.shares_count, &link.shares_root, list).is_ok() {
            newcomer.lists.insert(id, list.to_vec());
            self.tell_sync(sync::Input::Advanced(peer), turn.now);
        }
        true
    }

    /// Starts over once all rows and lists have arrived, and the newcomer no longer waits for a better chain.
    pub(super) fn start_if_whole<J: Journal>(&mut self, turn: &mut Turn<'_, J>) {
        let Some(newcomer) = self.newcomer.as_ref().filter(|_| self.sync.may_start()) else { return };
        let Some((peer, chain)) = newcomer.source(&self.shown) else { return };
        let listing = newcomer.listing(chain, turn.engine.chain());
        if !listing.iter().all(|link| newcomer.lists.contains_key(&link.facts.id)) {
            return;
        }
        let Some(newcomer) = self.newcomer.take() else { return };
        let base = newcomer.base();
        let proofs = self.proofs_up_to(base, peer);
        self.shown.clear();
        let chain = newcomer.rows.into_chain(turn.engine.chain().bitcoin().clone());
        turn.engine.start_from(chain, newcomer.lists.into_iter().collect(), proofs);
        info!(height = base.0, "the node starts from verified work; everything above is judged in full");
        self.tell_local(turn);
        self.tell_sync(sync::Input::Based, turn.now);
    }

    /// Proofs of the links up to `base`, encoded, from all peers' chains that share this peer's links up to there.
    fn proofs_up_to(&self, base: Height, peer: PeerId) -> Vec<(ShareId, Arc<[u8]>)> {
        let at_base = |chain: &HeaderChain| chain.headers.at(base).map(|link| link.facts.id);
        let last = self.shown.get(&peer).and_then(at_base);
        let same = self.shown.values().filter(|chain| at_base(chain) == last);
        let mut proofs = BTreeMap::new();
        for chain in same {
            let count = usize::try_from(base.child().above(chain.headers.first_height())).unwrap_or(usize::MAX);
            for (id, bytes) in chain.proofs().take(count) {
                proofs.entry(id).or_insert_with(|| Arc::clone(bytes));
            }
        }
        proofs.into_iter().collect()
    }
}
