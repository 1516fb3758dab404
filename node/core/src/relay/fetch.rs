//! One block being fetched: its announcements, and the parts received.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use p2p_proto::message::{Announcement, ShortIds};
use p2p_proto::{Millis, PeerId, VerdictToken};

use super::build::{Id, Material};
use super::whole::{Frame, WholeBlock};
use crate::limits::{BLOCK_RETRY_MS, BLOCK_RETRY_MS_MAX, FETCH_BYTES_MAX, VARIANTS_MAX};

/// An announcement from a peer.
#[derive(Debug)]
pub(crate) struct Announced {
    /// Identifies the message until its verdict.
    pub token: VerdictToken,
    /// The peer that sent or forwarded it.
    pub peer: PeerId,
    /// The announcement.
    pub announcement: Announcement,
}

/// Short ids that a peer announced. Only the block itself shows whether they are true.
#[derive(Debug)]
struct Variant {
    peer: PeerId,
    /// Its message, if that has no verdict yet.
    token: Option<VerdictToken>,
    nonce: u64,
    ids: Arc<[Id]>,
}

/// Stage of a block.
#[derive(Debug)]
pub(super) enum Stage {
    /// It is being built.
    Building {
        attempt: u64,
        /// The peer that sent all of it, if one did.
        sender: Option<PeerId>,
    },
    /// Transactions at these positions of the current announcement are missing.
    Transactions(Vec<u16>),
    /// No announcement helps: the block comes in pieces, from one peer.
    Pieces { from: Option<PeerId>, bytes: Vec<u8> },
    /// It is complete, or given up.
    Over,
}

/// A block.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) frame: Arc<Frame>,
    pub(super) since: Millis,
    pub(super) stage: Stage,
    /// Peers that were asked and are not asked again before [`Tracked::resting_until`].
    pub(super) tried: BTreeSet<PeerId>,
    pub(super) resting_until: Millis,
    /// Length of the next rest, milliseconds.
    rest_ms: u64,
    /// True if a true announcement was forwarded.
    pub(super) told: bool,
    /// How many announcements each peer sent.
    heard: BTreeMap<PeerId, u8>,
    variants: Vec<Variant>,
    /// Index of the announcement in use; the ones before it did not help.
    current: usize,
    sent: BTreeMap<u16, Arc<[u8]>>,
    sent_bytes: usize,
}

impl Tracked {
    /// A block of which only the share is known.
    pub(super) fn new(frame: Frame, since: Millis) -> Self {
        Self {
            frame: Arc::new(frame),
            since,
            stage: Stage::Pieces { from: None, bytes: Vec::new() },
            tried: BTreeSet::new(),
            resting_until: since,
            rest_ms: BLOCK_RETRY_MS,
            told: false,
            heard: BTreeMap::new(),
            variants: Vec::new(),
            current: 0,
            sent: BTreeMap::new(),
            sent_bytes: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Counts an announcement of a peer. Returns how many it has sent.
    pub(super) fn hear(&mut self, peer: PeerId) -> u8 {
        let count = self.heard.entry(peer).or_default();
        *count = count.saturating_add(1);
        *count
    }

    pub(super) fn was_announced_by(&self, peer: &PeerId) -> bool {
        self.heard.contains_key(peer)
    }

    /// True until the first announcement.
    pub(super) fn is_new(&self) -> bool {
        self.variants.is_empty()
    }

    /// Adds an announcement; its message waits for its verdict unless it is the first. Returns false if there is no room,
    /// or if it is known.
    pub(super) fn add(&mut self, announced: Announced) -> bool {
        let Announced { token, peer, announcement: Announcement { nonce, ids, .. } } = announced;
        let is_known = self.variants.iter().any(|known| known.nonce == nonce && *known.ids == *ids);
        if is_known || self.variants.len() >= VARIANTS_MAX {
            return false;
        }
        let token = Some(token).filter(|_| !self.variants.is_empty());
        self.variants.push(Variant { peer, token, nonce, ids: ids.into() });
        true
    }

    /// Records that all peers were asked. They are asked again after a pause that doubles each time.
    pub(super) fn rest(&mut self, now: Millis) {
        self.tried.clear();
        self.resting_until = now.plus(self.rest_ms);
        self.rest_ms = self.rest_ms.saturating_mul(2).min(BLOCK_RETRY_MS_MAX);
    }

    /// Number of the current announcement.
    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// Number of ids in the current announcement.
    pub(super) fn ids_count(&self) -> usize {
        self.variants.get(self.current).map_or(0, |variant| variant.ids.len())
    }

    /// The material of the block: the current announcement, and the transactions that peers sent for it.
    pub(super) fn material(&self) -> Option<Material> {
        let variant = self.variants.get(self.current)?;
        Some(Material::Ids { nonce: variant.nonce, ids: Arc::clone(&variant.ids), sent: self.sent.clone() })
    }

    /// Turns to the next announcement.
    pub(super) fn pass(&mut self) {
        self.current = self.current.saturating_add(1).min(self.variants.len());
        self.sent.clear();
        self.sent_bytes = 0;
        self.tried.clear();
    }

    /// Adds transactions from a peer. Returns false if they exceed a block.
    pub(super) fn take(&mut self, transactions: impl IntoIterator<Item = (u16, Vec<u8>)>) -> bool {
        for (position, raw) in transactions {
            self.sent_bytes += raw.len();
            let before = self.sent.insert(position, raw.into());
            self.sent_bytes -= before.map_or(0, |before| before.len());
        }
        self.sent_bytes <= FETCH_BYTES_MAX
    }

    /// Peers that announced the block, those of the current announcement first.
    pub(super) fn announcers(&self) -> impl Iterator<Item = PeerId> + '_ {
        let (before, rest) = self.variants.split_at(self.current.min(self.variants.len()));
        rest.iter().chain(before).map(|variant| variant.peer)
    }

    /// Ends the fetch. Returns the messages that wait, each with true if it is the one to forward: the first true one,
    /// unless the first of all was true.
    pub(super) fn end(&mut self, block: Option<&WholeBlock>) -> Vec<(VerdictToken, bool)> {
        self.stage = Stage::Over;
        let mut verdicts = Vec::new();
        for variant in std::mem::take(&mut self.variants) {
            let forward =
                !self.told && block.is_some_and(|block| is_true(&self.frame, variant.nonce, &variant.ids, block));
            self.told |= forward;
            verdicts.extend(variant.token.map(|token| (token, forward)));
        }
        self.sent.clear();
        verdicts
    }
}

/// True if these are the short ids of the block.
pub(super) fn is_true(frame: &Frame, nonce: u64, ids: &[Id], block: &WholeBlock) -> bool {
    let short = ShortIds::new(&frame.proof.header, nonce);
    ids.len() == block.wtxids().len() && ids.iter().zip(block.wtxids()).all(|(id, wtxid)| *id == short.of(wtxid))
}
