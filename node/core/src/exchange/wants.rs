//! What the chain waits for, and where it comes from: Bitcoin headers from the own bitcoind first, everything else from
//! peers.

use bitcoin::BlockHash;
use p2p_proto::PeerId;
use p2p_proto::limits::{LOCATOR_MAX, WANTS_MAX};
use p2p_proto::sync::{self, Local, Want};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::{Chain, Fate, Missing};
use sharechain::change_set::ChangeSet;

use super::{Exchange, Now, Output, Turn};
use crate::journal::Journal;
use crate::limits::HEADER_LOOKUPS_MAX;

impl Exchange {
    /// Asks for everything that the chain waits for, whoever has it. The peer that just answered is not named as one: it
    /// would be asked at once again for what it does not have.
    pub(super) fn want_missing<J: Journal>(&mut self, turn: &Turn<'_, J>) {
        let chain = turn.engine.chain();
        for missing in chain.missing().filter(|missing| !is_here(missing, chain)).take(WANTS_MAX) {
            self.want(missing, None, turn.now);
        }
    }

    /// Asks for what a proof of a peer waits for, unless that is here and waits itself: what it waits for
    /// was asked for when it came.
    pub(super) fn want_for_held<J: Journal>(&mut self, missing: Missing, peer: PeerId, turn: &Turn<'_, J>) {
        if !is_here(&missing, turn.engine.chain()) {
            self.want(missing, Some(peer), turn.now);
        }
    }

    /// Asks for what the lists that a peer brought name and nobody has brought yet: the peer has it.
    pub(super) fn want_listed<J: Journal>(&mut self, changes: &ChangeSet, peer: PeerId, turn: &Turn<'_, J>) {
        for id in changes.lists.iter().flat_map(|(_, list)| list) {
            if turn.engine.chain().fate(id) == Fate::Unknown {
                self.want(Missing::Proof(*id), Some(peer), turn.now);
            }
        }
    }

    /// Asks for one thing: a Bitcoin header at the own bitcoind first, everything else at peers.
    pub(super) fn want(&mut self, missing: Missing, from: Option<PeerId>, now: Now) {
        let want = match missing {
            Missing::Proof(id) => Want::Proof(id),
            Missing::List(id) => Want::List(id),
            Missing::BitcoinHeader(hash) => return self.look_up(hash, from),
            Missing::Time(_) => return,
        };
        self.tell_sync(sync::Input::Want { want, from }, now);
    }

    /// Asks bitcoind for a header, unless it is being looked up or [`HEADER_LOOKUPS_MAX`] others are; what still misses
    /// it is wanted again.
    fn look_up(&mut self, hash: BlockHash, from: Option<PeerId>) {
        if self.looked_up.len() < HEADER_LOOKUPS_MAX && self.looked_up.insert(hash) {
            self.outputs.push_back(Output::LookUp { hash, from });
        }
    }

    /// Asks peers for a header that the own bitcoind does not have.
    pub(super) fn on_looked_up(&mut self, hash: BlockHash, from: Option<PeerId>, found: bool, now: Now) {
        self.looked_up.remove(&hash);
        let want = Want::Header(hash);
        let input = if found { sync::Input::Got(want) } else { sync::Input::Want { want, from } };
        self.tell_sync(input, now);
    }
}

/// Whether what is missing has come, and is held.
fn is_here(missing: &Missing, chain: &Chain) -> bool {
    matches!(missing, Missing::Proof(id) if matches!(chain.fate(id), Fate::Held(_)))
}

/// Where this node is, as the sync machine wants to know it.
pub(super) fn local(chain: &Chain) -> Local {
    let work = chain.link(&chain.tip()).map(|link| link.chain_work).unwrap_or_default();
    let bitcoin_locator = bitcoin_locator(chain.bitcoin());
    Local { height: chain.height(), work, locator: chain.locator(), bitcoin_locator }
}

/// Hashes of known Bitcoin headers from the best down, at growing distances.
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
