//! Header chains of peers: link proofs, verified as they arrive. They prove their work before any other data of the
//! links arrives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec::IntoIter;

use p2p_proto::limits::{LINK_HEADERS_ASKED, LOCATOR_MAX};
use p2p_proto::sync::{self, Begins, Headers, Outcome as Taken, Shown};
use p2p_proto::{Misbehaviour, PeerId};
use sharechain::chain::{Chain, ListState, Missing};
use sharechain::limits::NEWCOMER_DEPTH;
use sharechain::link_headers::{Beginning, HeaderError, LinkHeaders};
use sharechain::{Height, Proof, ShareId, U256, Work};
use tracing::debug;

use super::wants::distances;
use super::{Exchange, Now, Turn};
use crate::journal::Journal;
use crate::limits::{FRESH_BITCOIN_BLOCKS, HEADER_LINKS_MAX, ITEMS_A_TURN, WORK_BITCOIN_BLOCKS};

/// The verified links of one peer's chain.
#[derive(Clone, Debug)]
pub(super) struct HeaderChain {
    pub(super) headers: LinkHeaders,
    /// True if it begins at a link of this node's own chain, rather than at a peer's claimed beginning.
    pub(super) on_own_chain: bool,
    /// Height up to which this node's chain has the lists of its links.
    pub(super) completed: Height,
    /// The proofs of its links, encoded, if it does not begin on this node's own chain: a newcomer needs them to serve
    /// other newcomers. Chains of several peers share them.
    proofs: Vec<Arc<[u8]>>,
}

impl HeaderChain {
    fn on_own_chain(chain: &Chain, parent: &ShareId) -> Option<Self> {
        let link = chain.link(parent).filter(|link| chain.judges_above(link.height))?;
        let is_genesis = link.height == Height(0);
        if !is_genesis && link.complete().is_none() {
            return None;
        }
        let headers = LinkHeaders::on(chain, parent)?;
        Some(Self { completed: link.height, headers, on_own_chain: true, proofs: Vec::new() })
    }

    pub(super) fn at_beginning(chain: &Chain, beginning: Beginning) -> Self {
        let headers = LinkHeaders::new(chain.params().clone(), beginning);
        let completed = headers.first_height().below(1);
        Self { completed, headers, on_own_chain: false, proofs: Vec::new() }
    }

    /// The part of this chain up to a link of it.
    fn up_to(&self, id: &ShareId) -> Option<Self> {
        let height = self.headers.height_of(id)?;
        let mut part = self.clone();
        part.truncate(height);
        Some(part)
    }

    fn truncate(&mut self, height: Height) {
        self.headers.truncate(height);
        self.completed = self.completed.min(height);
        let count = height.child().above(self.headers.first_height());
        self.proofs.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    }

    /// The links with their proofs, ascending.
    pub(super) fn proofs(&self) -> impl Iterator<Item = (ShareId, &Arc<[u8]>)> {
        self.headers.links().iter().map(|link| link.facts.id).zip(&self.proofs)
    }

    /// Ids from the newest link down, at growing distances.
    fn locator(&self) -> Vec<ShareId> {
        let (tip, height, _) = self.headers.tip();
        let lowest = self.headers.first_height();
        let below = distances().map(|depth| height.0.saturating_sub(depth)).take_while(|height| *height >= lowest.0);
        let ids = below.filter_map(|height| Some(self.headers.at(Height(height))?.facts.id));
        let mut locator: Vec<_> = ids.take(LOCATOR_MAX - 1).collect();
        if locator.is_empty() {
            locator.push(tip);
        }
        locator
    }

    /// Height of the last link whose rows are needed to start from this chain.
    pub(super) fn rows_to(&self) -> Height {
        self.headers.tip().1.below(NEWCOMER_DEPTH).child()
    }

    /// Work of its links since a Bitcoin block, and of the part of this node's own chain that they continue.
    fn recent_work(&self, since: U256, own: &Chain) -> Work {
        let below = self.headers.first_height().below(1);
        let work = self.headers.work_since(since);
        if self.on_own_chain { own_work_since(own, since, below).plus(work) } else { work }
    }

    fn shown(&self, own: &Chain) -> Shown {
        let (_, height, chain_work) = self.headers.tip();
        let begins = if self.on_own_chain {
            Begins::OnOwnChain
        } else {
            Begins::AtBeginning { first: self.headers.first_height(), rows_to: self.rows_to() }
        };
        let recent_work = self.recent_work(counts_since(own), own);
        Shown { begins, height, chain_work, recent_work, locator: self.locator() }
    }

    /// Updates the link up to which this node's chain has the lists. True if that is higher than before.
    pub(super) fn note_completed(&mut self, chain: &Chain) -> bool {
        let before = self.completed;
        let is_complete = |link: &ShareId| chain.link(link).is_some_and(|link| link.complete().is_some());
        while self.headers.at(self.completed.child()).is_some_and(|next| is_complete(&next.facts.id)) {
            self.completed = self.completed.child();
        }
        self.completed > before
    }
}

/// A response with link headers that is partly verified.
#[derive(Debug)]
pub(super) struct Verifying {
    pub(super) left: IntoIter<Proof>,
    /// The chain so far; none before the first proof.
    pub(super) chain: Option<HeaderChain>,
    pub(super) more: bool,
}

/// Chain work of the first Bitcoin block for which the work of header chains counts: see [`WORK_BITCOIN_BLOCKS`].
pub(super) fn counts_since(chain: &Chain) -> U256 {
    bitcoin_work_at(chain, WORK_BITCOIN_BLOCKS)
}

fn bitcoin_work_at(chain: &Chain, depth: u32) -> U256 {
    let best = chain.bitcoin().best();
    let height = best.height.saturating_sub(depth);
    chain.bitcoin().work_at(&best.header.block_hash(), height).unwrap_or(U256::ZERO)
}

/// Work of this node's own main chain since a Bitcoin block, up to a height.
fn own_work_since(chain: &Chain, bitcoin_work: U256, to: Height) -> Work {
    let link_at = |height: u32| chain.main_at(Height(height)).and_then(|id| chain.link(&id));
    let (mut low, mut high) = (chain.bottom().0.max(1), to.0.saturating_add(1));
    // Bitcoin work never falls along a branch (SC-208).
    while low < high {
        let middle = low.midpoint(high);
        if link_at(middle).is_some_and(|link| link.position.bitcoin_work < bitcoin_work) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    match (link_at(low).filter(|_| low <= to.0), link_at(to.0)) {
        (Some(first), Some(last)) => {
            let between = last.chain_work.0.saturating_sub(first.chain_work.0);
            Work(between).plus(Work::of_target(first.target))
        }
        _ => Work::default(),
    }
}

impl Exchange {
    /// Starts to verify a response with link headers.
    pub(super) fn begin_headers(
        &mut self,
        peer: PeerId,
        asked: u32,
        proofs: Vec<Proof>,
        more: bool,
        chain: &Chain,
    ) -> Result<Verifying, Taken> {
        let count = u32::try_from(proofs.len()).unwrap_or(u32::MAX);
        if count > asked {
            return Err(Taken::Invalid(Misbehaviour::Unsolicited));
        }
        // A response always has room for as many as requested. A peer that sent fewer would hold its place for long.
        if more && count > 0 && count < asked.min(LINK_HEADERS_ASKED) {
            return Err(Taken::Invalid(Misbehaviour::Useless));
        }
        let known = self.shown.remove(&peer);
        let Some(first) = proofs.first() else {
            return match known {
                _ if more => Err(Taken::Headers(Headers::NotShown)),
                Some(chain) => Ok(Verifying { left: proofs.into_iter(), chain: Some(chain), more }),
                None => Err(Taken::Headers(Headers::Refuted)),
            };
        };
        let parent = first.share.parent;
        let continued = known.and_then(|mut known| {
            known.truncate(known.headers.height_of(&parent)?);
            Some(known)
        });
        let begun = continued.or_else(|| HeaderChain::on_own_chain(chain, &parent)).or_else(|| self.shared(&parent));
        match begun {
            Some(begun) => Ok(Verifying { left: proofs.into_iter(), chain: Some(begun), more }),
            // It leaves this node's own chain too deep to be judged on it. Nothing was settled, so the node may have
            // started from the wrong chain.
            None if chain.link(&parent).is_some() && (self.trusted(chain).is_none() || self.looked_for().is_some()) => {
                Err(Taken::Headers(Headers::NotShown))
            }
            None => Err(Taken::Headers(Headers::Refuted)),
        }
    }

    /// The part of another peer's chain up to a link.
    fn shared(&self, id: &ShareId) -> Option<HeaderChain> {
        self.shown.values().find_map(|chain| chain.up_to(id))
    }

    /// Verifies the next proofs of a response. Returns the outcome after the last one.
    pub(super) fn verify_some<J: Journal>(
        &mut self,
        peer: PeerId,
        verifying: &mut Verifying,
        turn: &Turn<'_, J>,
    ) -> Option<Taken> {
        let trusted = self.trusted(turn.engine.chain());
        let chain = verifying.chain.as_mut()?;
        let mut waits = false;
        for proof in verifying.left.by_ref().take(ITEMS_A_TURN) {
            let height = chain.headers.tip().1.child();
            let bytes = (!chain.on_own_chain).then(|| shared_proof(&self.shown, height, &proof));
            match chain.headers.push(proof, turn.engine.chain().bitcoin(), turn.now.time) {
                Ok(()) => chain.proofs.extend(bytes),
                Err(HeaderError::UnknownBlock(hash)) => {
                    self.want(Missing::BitcoinHeader(hash), Some(peer), turn.now);
                    waits = true;
                }
                Err(HeaderError::TooEarly) => waits = true,
                Err(error @ (HeaderError::NotNext | HeaderError::NotALink | HeaderError::Rule(_))) => {
                    debug!(%peer, %error, "a peer shows a link header that breaks a rule");
                    return Some(Taken::Invalid(Misbehaviour::InvalidItem));
                }
            }
            if waits {
                break;
            }
        }
        let is_other = !chain.on_own_chain && !contains(&chain.headers, trusted);
        if is_other || chain.headers.links().len() > HEADER_LINKS_MAX {
            return Some(Taken::Headers(Headers::Refuted));
        }
        if !waits && !verifying.left.as_slice().is_empty() {
            return None;
        }
        let (chain, more) = (verifying.chain.take()?, verifying.more);
        Some(self.note_shown(peer, chain, more, waits, turn.engine.chain()))
    }

    fn note_shown(&mut self, peer: PeerId, mut chain: HeaderChain, more: bool, waits: bool, own: &Chain) -> Taken {
        chain.note_completed(own);
        let is_at_end = !more && !waits;
        if is_at_end && !self.shows_trusted(&chain.headers) {
            return Taken::Headers(Headers::Refuted);
        }
        if is_at_end && !chain.on_own_chain && !self.is_candidate(&chain, own) {
            return Taken::Headers(Headers::Refuted);
        }
        let shown = chain.shown(own);
        self.shown.insert(peer, chain);
        Taken::Headers(Headers::Verified { shown, more, waits })
    }

    /// True if a node may start over from this chain: it is alive, has more work than this node's own, and contains the
    /// link that this node trusts.
    fn is_candidate(&self, chain: &HeaderChain, own: &Chain) -> bool {
        let (headers, since) = (&chain.headers, counts_since(own));
        let fresh = bitcoin_work_at(own, FRESH_BITCOIN_BLOCKS);
        let is_fresh = headers.links().last().is_some_and(|link| link.facts.bitcoin_work >= fresh);
        let is_long = chain.rows_to() > headers.first_height();
        is_fresh
            && is_long
            && headers.work_since(since) > own_work_since(own, since, own.height())
            && self.trusted(own).is_none_or(|(_, height)| height <= headers.tip().1)
            && contains(headers, self.trusted(own))
    }

    /// Processes a peer's beginning.
    pub(super) fn take_beginning(&mut self, peer: PeerId, first: Height, bytes: &[u8], chain: &Chain) -> Taken {
        let Ok(beginning) = Beginning::decode(bytes) else { return Taken::Invalid(Misbehaviour::Garbage) };
        let begun = HeaderChain::at_beginning(chain, beginning);
        if begun.headers.first_height() != first {
            return Taken::Invalid(Misbehaviour::Garbage);
        }
        let shown = begun.shown(chain);
        self.shown.insert(peer, begun);
        Taken::Headers(Headers::Verified { shown, more: true, waits: false })
    }

    /// Updates for which peers' chains lists have arrived, and drops the chains that are no longer followed. True if
    /// lists of the leading one arrived.
    pub(super) fn note_lists(&mut self, chain: &Chain, now: Now) -> bool {
        let sync = &self.sync;
        self.shown.retain(|peer, _| sync.follows(*peer));
        let leader = self.sync.leader();
        let mut leads_on = false;
        let mut void = Vec::new();
        for (peer, shown) in self.shown.iter_mut().filter(|(_, shown)| shown.on_own_chain) {
            leads_on |= shown.note_completed(chain) && Some(*peer) == leader;
            let next = shown.headers.at(shown.completed.child()).and_then(|next| chain.link(&next.facts.id));
            if next.is_some_and(|next| matches!(next.list, ListState::Invalid(_))) {
                void.push(*peer);
            }
        }
        for peer in void {
            self.tell_sync(sync::Input::Failed(peer), now);
        }
        if let Some(leader) = leader.filter(|_| leads_on) {
            self.tell_sync(sync::Input::Advanced(leader), now);
        }
        leads_on
    }
}

/// True if the chain contains a link, or does not reach its height.
fn contains(headers: &LinkHeaders, trusted: Option<(ShareId, Height)>) -> bool {
    let at = |height| headers.at(height).map(|link| link.facts.id);
    trusted.is_none_or(|(id, height)| at(height).is_none_or(|known| known == id))
}

/// The encoded proof, shared with another chain that has it.
fn shared_proof(shown: &BTreeMap<PeerId, HeaderChain>, height: Height, proof: &Proof) -> Arc<[u8]> {
    let bytes = proof.encode();
    let index = |chain: &HeaderChain| usize::try_from(height.0.checked_sub(chain.headers.first_height().0)?).ok();
    let same = shown.values().find_map(|chain| chain.proofs.get(index(chain)?).filter(|known| ***known == *bytes));
    same.map_or_else(|| bytes.into(), Arc::clone)
}
