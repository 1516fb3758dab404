//! Requests.

use bitcoin::BlockHash;
use sharechain::ShareId;

use super::WireError;
use crate::limits::{HEADERS_WANTED_MAX, LINKS_MAX, LOCATOR_MAX, PROOFS_MAX};
use crate::wire::{Reader, put_block_hashes, put_count, put_ids};

const TIP: u8 = 1;
const LINKS: u8 = 2;
const PROOFS: u8 = 3;
const HEADERS: u8 = 4;
const PENDING: u8 = 5;

/// A request to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Status of the peer.
    Tip,
    /// Links of the peer's main chain after the newest one in the locator that is on it.
    Links {
        /// Ids of known links, newest first, at most [`LOCATOR_MAX`]. Genesis is implied.
        locator: Vec<ShareId>,
        /// Maximum number of links in the response, at most [`LINKS_MAX`].
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
}

/// Kind of a request. Each kind has its own rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// [`Request::Tip`].
    Tip,
    /// [`Request::Links`].
    Links,
    /// [`Request::Proofs`].
    Proofs,
    /// [`Request::Headers`].
    Headers,
    /// [`Request::Pending`].
    Pending,
}

impl Request {
    /// Kind of the request.
    #[must_use]
    pub const fn kind(&self) -> RequestKind {
        match self {
            Self::Tip => RequestKind::Tip,
            Self::Links { .. } => RequestKind::Links,
            Self::Proofs { .. } => RequestKind::Proofs,
            Self::Headers { .. } => RequestKind::Headers,
            Self::Pending => RequestKind::Pending,
        }
    }

    /// Canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Tip => out.push(TIP),
            Self::Links { locator, limit } => {
                out.push(LINKS);
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
            LINKS => Self::Links {
                locator: reader.ids(LOCATOR_MAX)?,
                limit: u32::try_from(reader.count(LINKS_MAX)?).unwrap_or(u32::MAX),
            },
            PROOFS => Self::Proofs { ids: reader.ids(PROOFS_MAX)? },
            HEADERS => Self::Headers {
                wanted: reader.block_hashes(HEADERS_WANTED_MAX)?,
                locator: reader.block_hashes(LOCATOR_MAX)?,
            },
            PENDING => Self::Pending,
            other => return Err(WireError::Kind(other)),
        };
        reader.end()?;
        Ok(request)
    }
}
