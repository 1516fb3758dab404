//! Which Bitcoin headers the share-chain takes from this node's bitcoind, and in which order they are asked for.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use sharechain::bitcoin_headers::BitcoinHeaders;

use crate::limits::STALE_HEADER_DEPTH;

/// Whether a header at `height` counts though it is not on bitcoind's active chain, whose tip is at `own_height`: from two
/// blocks below it on headers alone decide.
#[must_use]
pub const fn is_settled(height: u32, own_height: u32) -> bool {
    height.saturating_add(STALE_HEADER_DEPTH) <= own_height
}

/// Whether a header that bitcoind has at `height` may be given to the share-chain: it is on bitcoind's active chain, or
/// [`is_settled`].
#[must_use]
pub const fn counts(is_active: bool, height: u32, own_height: u32) -> bool {
    is_active || is_settled(height, own_height)
}

/// The way from a block down to one that the share-chain knows. Ask for [`HeaderWalk::next`] and give it to
/// [`HeaderWalk::push`] until there is none; [`HeaderWalk::into_headers`] then has them in the order to insert.
#[derive(Debug)]
pub struct HeaderWalk {
    at: BlockHash,
    /// Highest first.
    unknown: Vec<Header>,
}

impl HeaderWalk {
    /// The way from `tip`.
    #[must_use]
    pub const fn new(tip: BlockHash) -> Self {
        Self { at: tip, unknown: Vec::new() }
    }

    /// The header to ask bitcoind for; none when the share-chain knows it.
    #[must_use]
    pub fn next(&self, known: &BitcoinHeaders) -> Option<BlockHash> {
        known.get(&self.at).is_none().then_some(self.at)
    }

    /// Takes the header that was asked for.
    pub fn push(&mut self, header: Header) {
        self.at = header.prev_blockhash;
        self.unknown.push(header);
    }

    /// Headers taken so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.unknown.len()
    }

    /// Whether none was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unknown.is_empty()
    }

    /// The headers, lowest first.
    #[must_use]
    pub fn into_headers(mut self) -> Vec<Header> {
        self.unknown.reverse();
        self.unknown
    }
}
