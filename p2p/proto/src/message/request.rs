//! Requests.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use sharechain::{Height, ShareId};

use super::WireError;
use super::block::{put_positions, read_positions};
use super::kinds::{
    BEGINNING, BLOCK_PIECE, HEADERS, LINK_HEADERS, NEW_RECORDS, PENDING, PROOFS, RECORDS, ROWS, TIP, TRANSACTIONS,
};
use crate::limits::{HEADERS_WANTED_MAX, LINK_HEADERS_MAX, LOCATOR_MAX, PROOFS_MAX, RECORDS_TOLD_MAX, ROWS_MAX};
use crate::record::{Record, put_records, read_records};
use crate::wire::{Reader, put_block_hashes, put_count, put_ids};

/// A request to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Status of the peer.
    Tip,
    /// Proofs of the links of the peer's main chain after the newest one in the locator that is on it, without their
    /// lists.
    LinkHeaders {
        /// Ids of known links, newest first, at most [`LOCATOR_MAX`]. Genesis is implied.
        locator: Vec<ShareId>,
        /// Maximum number of links in the response, at most [`LINK_HEADERS_MAX`].
        limit: u32,
    },
    /// Proofs with these ids, and the lists of those that are links.
    Proofs {
        /// Ids of the proofs, at most [`PROOFS_MAX`].
        ids: Vec<ShareId>,
    },
    /// Bitcoin headers that lead from a known header to each wanted one.
    Headers {
        /// Hashes of the missing headers, at most [`HEADERS_WANTED_MAX`].
        wanted: Vec<BlockHash>,
        /// Hashes of known headers, newest first, at most [`LOCATOR_MAX`].
        locator: Vec<BlockHash>,
    },
    /// Ids of valid proofs that no link of the peer's main chain lists yet, by height, then id.
    Pending,
    /// The state that the lowest link shown by the peer continues.
    Beginning,
    /// Links of the peer's main chain with their credits.
    Rows {
        /// Height of the first link.
        first: Height,
        /// Maximum number of links in the response, at most [`ROWS_MAX`].
        limit: u32,
    },
    /// Transactions of a recent Bitcoin block of the pool.
    Transactions {
        /// Hash of the block.
        block: BlockHash,
        /// Positions of the transactions, ascending, counted from 0 after the coinbase; below
        /// [`BLOCK_TRANSACTIONS_MAX`](crate::limits::BLOCK_TRANSACTIONS_MAX).
        wanted: Vec<u16>,
    },
    /// A piece of a recent Bitcoin block of the pool, at most
    /// [`BLOCK_PIECE_BYTES_MAX`](crate::limits::BLOCK_PIECE_BYTES_MAX).
    BlockPiece {
        /// Hash of the block.
        block: BlockHash,
        /// Where the piece begins in the serialized block, bytes.
        offset: u32,
    },
    /// Records of some nodes that the peer knows.
    Records,
    /// Records that are new to the sender, which forwards them to a few peers, unasked.
    NewRecords(
        /// At most [`RECORDS_TOLD_MAX`].
        Vec<Record>,
    ),
}

/// Kind of a request. Each kind has its own rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// [`Request::Tip`].
    Tip,
    /// [`Request::LinkHeaders`].
    LinkHeaders,
    /// [`Request::Proofs`].
    Proofs,
    /// [`Request::Headers`].
    Headers,
    /// [`Request::Pending`].
    Pending,
    /// [`Request::Beginning`].
    Beginning,
    /// [`Request::Rows`].
    Rows,
    /// [`Request::Transactions`].
    Transactions,
    /// [`Request::BlockPiece`].
    BlockPiece,
    /// [`Request::Records`].
    Records,
    /// [`Request::NewRecords`].
    NewRecords,
}

impl Request {
    /// Kind of the request.
    #[must_use]
    pub const fn kind(&self) -> RequestKind {
        match self {
            Self::Tip => RequestKind::Tip,
            Self::LinkHeaders { .. } => RequestKind::LinkHeaders,
            Self::Proofs { .. } => RequestKind::Proofs,
            Self::Headers { .. } => RequestKind::Headers,
            Self::Pending => RequestKind::Pending,
            Self::Beginning => RequestKind::Beginning,
            Self::Rows { .. } => RequestKind::Rows,
            Self::Transactions { .. } => RequestKind::Transactions,
            Self::BlockPiece { .. } => RequestKind::BlockPiece,
            Self::Records => RequestKind::Records,
            Self::NewRecords(_) => RequestKind::NewRecords,
        }
    }

    /// Canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Tip => out.push(TIP),
            Self::LinkHeaders { locator, limit } => {
                out.push(LINK_HEADERS);
                put_ids(&mut out, locator);
                put_count(&mut out, usize::try_from(*limit).unwrap_or(usize::MAX));
            }
            Self::Proofs { ids } => {
                out.push(PROOFS);
                put_ids(&mut out, ids);
            }
            Self::Headers { wanted, locator } => {
                out.push(HEADERS);
                put_block_hashes(&mut out, wanted);
                put_block_hashes(&mut out, locator);
            }
            Self::Pending => out.push(PENDING),
            Self::Beginning => out.push(BEGINNING),
            Self::Rows { first, limit } => {
                out.push(ROWS);
                out.extend_from_slice(&first.0.to_le_bytes());
                put_count(&mut out, usize::try_from(*limit).unwrap_or(usize::MAX));
            }
            Self::Transactions { block, wanted } => {
                out.push(TRANSACTIONS);
                out.extend_from_slice(block.as_byte_array());
                put_positions(&mut out, wanted);
            }
            Self::BlockPiece { block, offset } => {
                out.push(BLOCK_PIECE);
                out.extend_from_slice(block.as_byte_array());
                out.extend_from_slice(&offset.to_le_bytes());
            }
            Self::Records => out.push(RECORDS),
            Self::NewRecords(records) => {
                out.push(NEW_RECORDS);
                put_records(&mut out, records.iter());
            }
        }
        out
    }

    /// Decodes a request that takes up all of `bytes`.
    ///
    /// # Errors
    /// [`WireError`] if `bytes` is not the canonical encoding of a request.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader(bytes);
        let request = match reader.u8()? {
            TIP => Self::Tip,
            LINK_HEADERS => Self::LinkHeaders {
                locator: reader.ids(LOCATOR_MAX)?,
                limit: u32::try_from(reader.count(LINK_HEADERS_MAX)?).unwrap_or(u32::MAX),
            },
            PROOFS => Self::Proofs { ids: reader.ids(PROOFS_MAX)? },
            HEADERS => Self::Headers {
                wanted: reader.block_hashes(HEADERS_WANTED_MAX)?,
                locator: reader.block_hashes(LOCATOR_MAX)?,
            },
            PENDING => Self::Pending,
            BEGINNING => Self::Beginning,
            ROWS => Self::Rows {
                first: Height(reader.u32()?),
                limit: u32::try_from(reader.count(ROWS_MAX)?).unwrap_or(u32::MAX),
            },
            TRANSACTIONS => Self::Transactions {
                block: BlockHash::from_byte_array(reader.array()?),
                wanted: read_positions(&mut reader)?,
            },
            BLOCK_PIECE => {
                Self::BlockPiece { block: BlockHash::from_byte_array(reader.array()?), offset: reader.u32()? }
            }
            RECORDS => Self::Records,
            NEW_RECORDS => Self::NewRecords(read_records(&mut reader, RECORDS_TOLD_MAX)?),
            other => return Err(WireError::Kind(other)),
        };
        reader.end()?;
        Ok(request)
    }
}
