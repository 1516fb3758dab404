//! Decides which Bitcoin headers of this node's bitcoind the share-chain accepts, and in which order to request them.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use sharechain::bitcoin_headers::BitcoinHeaders;

use crate::limits::STALE_HEADER_DEPTH;

/// True if a header at `height` counts although it is not on bitcoind's active chain, whose tip is at `own_height`. Two
/// blocks or more below that tip, headers alone decide.
#[must_use]
pub const fn is_settled(height: u32, own_height: u32) -> bool {
    height.saturating_add(STALE_HEADER_DEPTH) <= own_height
}

/// True if bitcoind's header at `height` may enter the share-chain: it is on bitcoind's active chain, or
/// [`is_settled`].
#[must_use]
pub const fn counts(is_active: bool, height: u32, own_height: u32) -> bool {
    is_active || is_settled(height, own_height)
}

/// A walk from a block down to one that the share-chain knows. Fetch [`HeaderWalk::next`] and pass it to
/// [`HeaderWalk::push`] until there is none. [`HeaderWalk::into_headers`] then returns the headers in the
/// order in which to insert them.
#[derive(Debug)]
pub struct HeaderWalk {
    at: BlockHash,
    /// Highest first.
    unknown: Vec<Header>,
}

impl HeaderWalk {
    /// A walk that starts at `tip`.
    #[must_use]
    pub const fn new(tip: BlockHash) -> Self {
        Self { at: tip, unknown: Vec::new() }
    }

    /// The next header to fetch from bitcoind; none once the share-chain knows it.
    #[must_use]
    pub fn next(&self, known: &BitcoinHeaders) -> Option<BlockHash> {
        known.get(&self.at).is_none().then_some(self.at)
    }

    /// Adds the fetched header.
    pub fn push(&mut self, header: Header) {
        self.at = header.prev_blockhash;
        self.unknown.push(header);
    }

    /// Number of headers fetched so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.unknown.len()
    }

    /// True if no header was fetched.
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
