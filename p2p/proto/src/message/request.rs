//! What one peer asks another.

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

/// A question to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Where are you?
    Tip,
    /// Which links of your branch come after the newest of these that is on it?
    Links {
        /// Ids of known links, newest first; genesis is understood. At most [`LOCATOR_MAX`].
        locator: Vec<ShareId>,
        /// How many links at most, at most [`LINKS_MAX`].
        limit: u32,
    },
    /// These proofs, and the lists of those that are links.
    Proofs {
        /// At most [`PROOFS_MAX`].
        ids: Vec<ShareId>,
    },
    /// The Bitcoin headers that lead from a known one to each of these.
    Headers {
        /// Hashes of the headers that are missing, at most [`HEADERS_WANTED_MAX`].
        wanted: Vec<BlockHash>,
        /// Hashes of known headers, newest first. At most [`LOCATOR_MAX`].
        locator: Vec<BlockHash>,
    },
    /// The ids of valid shares that no link of your branch lists yet, by height, then id.
    Pending,
}

/// A request without its content: what rates are limited by.
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
    /// Which question it is.
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

    /// The canonical bytes.
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

    /// Reads a request that fills `bytes` exactly.
    ///
    /// # Errors
    /// When the bytes are not the canonical encoding of any request.
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
