//! Values of the rows. Sums and shares have a fixed binary form, since there are many; the rest is JSON.

use serde::{Deserialize, Serialize};
use sharechain::ShareId;

use super::keys::{self, PayeeKey};

/// What was found in one time step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Number of valid shares, links included.
    pub shares: u32,
    /// Number of links.
    pub links: u32,
    /// Number of distinct payout scripts; 1 in the row of a payee.
    pub miners: u32,
    /// Expected hashes to find these shares.
    pub hashes: u128,
}

impl Step {
    pub(super) fn add(&mut self, hashes: u128, is_link: bool) {
        self.shares = self.shares.saturating_add(1);
        self.links = self.links.saturating_add(u32::from(is_link));
        self.hashes = self.hashes.saturating_add(hashes);
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let counts = [self.shares, self.links, self.miners].map(u32::to_be_bytes);
        [counts.as_flattened(), &self.hashes.to_be_bytes()].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (counts, hashes) = bytes.split_first_chunk::<12>()?;
        let (counts, _) = counts.as_chunks::<4>();
        let [shares, links, miners] = *counts else { return None };
        let [shares, links, miners] = [shares, links, miners].map(u32::from_be_bytes);
        Some(Self { shares, links, miners, hashes: u128::from_be_bytes(hashes.try_into().ok()?) })
    }
}

/// A valid share of a payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShareEntry {
    pub id: ShareId,
    /// By the clock of the finder's node, seconds since 1970.
    pub time: u32,
    pub is_link: bool,
    pub is_block: bool,
    pub hashes: u128,
}

impl ShareEntry {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let flags = u8::from(self.is_link) | u8::from(self.is_block) << 1;
        [&self.id.0[..], &self.time.to_be_bytes(), &[flags], &self.hashes.to_be_bytes()].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<32>()?;
        let (time, rest) = rest.split_first_chunk::<4>()?;
        let (flags, hashes) = rest.split_first()?;
        Some(Self {
            id: ShareId(*id),
            time: u32::from_be_bytes(*time),
            is_link: flags & 1 != 0,
            is_block: flags & 2 != 0,
            hashes: u128::from_be_bytes(hashes.try_into().ok()?),
        })
    }
}

/// A link that lists a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListedEntry {
    /// Payee of the share, if the chain knew it.
    pub payee: Option<PayeeKey>,
    /// Height of the link.
    pub height: u32,
}

impl ListedEntry {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let payee = self.payee.as_ref().map_or(&[][..], |payee| payee);
        [payee, &self.height.to_be_bytes()].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (payee, _) = bytes.split_last_chunk::<4>()?;
        Some(Self { payee: payee.try_into().ok(), height: keys::last_u32(bytes)? })
    }
}

/// What was removed so far, and where the next step begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Removed {
    /// Time of the oldest link whose rows of other miners are kept, seconds since 1970.
    pub since: u32,
    /// Height of that link.
    pub height: u32,
    /// Time of the newest link, seconds since 1970.
    pub newest: u32,
    /// Key at which the next step begins.
    pub next: Vec<u8>,
}

/// The indexer's position in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Version of the rows; a different one makes the indexer rebuild them.
    pub version: u32,
    /// Sequence number of the last record in the rows.
    pub sequence: u64,
    /// Total weight of all shares so far, units of 2^-64 expected Bitcoin block.
    pub weight: u128,
    /// Time since which the rows are complete if this node started from verified rows of its peers, seconds since 1970;
    /// none if they begin with the first share of all.
    #[serde(default)]
    pub begins: Option<u32>,
}

/// The pool's total work when it found a Bitcoin block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Total weight of all shares up to and including the block, by arrival at this node, units of 2^-64 expected
    /// Bitcoin block.
    pub weight: u128,
    /// The block's time, seconds since 1970.
    pub time: u32,
    /// Whether the block is in the chain with the most work, recorded while Bitcoin's headers of that height are kept.
    #[serde(default)]
    pub in_chain: Option<bool>,
}

/// A payout of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payment {
    pub value_sat: u64,
    pub time: u32,
    /// True for a lottery payout; none in records of older versions.
    pub drawn: Option<bool>,
    /// True if the block pays its finder alone; none in records of older versions.
    pub finder_alone: Option<bool>,
}

pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("structs of strings and numbers are JSON")
}

pub(super) fn from_json<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}
