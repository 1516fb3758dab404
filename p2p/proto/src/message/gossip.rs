//! What goes to everybody.

use sharechain::{Proof, ShareId};

use super::WireError;
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_GOSSIP_BYTES_MAX, LINK_GOSSIP_BYTES_MAX, SHARE_GOSSIP_BYTES_MAX};
use crate::wire::{Reader, put_bytes, put_list, put_proof};

const SHARE: u8 = 1;
const LINK: u8 = 2;
const BITCOIN_BLOCK: u8 = 3;

/// A message for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gossip {
    /// A share.
    Share(Box<Proof>),
    /// A link and the ids it lists.
    Link {
        /// The link.
        proof: Box<Proof>,
        /// What it lists.
        list: Vec<ShareId>,
    },
    /// A Bitcoin block that the pool found, serialized as on Bitcoin's network: whoever sees it submits it.
    BitcoinBlock(Vec<u8>),
}

/// The three channels of gossip, so that a peer short of one kind of message does not wait behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// [`Gossip::Share`].
    Shares,
    /// [`Gossip::Link`].
    Links,
    /// [`Gossip::BitcoinBlock`].
    BitcoinBlocks,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Shares, Self::Links, Self::BitcoinBlocks];

    /// The last part of its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shares => "shares",
            Self::Links => "links",
            Self::BitcoinBlocks => "blocks",
        }
    }

    /// Bytes that a message on it has at most.
    #[must_use]
    pub const fn bytes_max(self) -> usize {
        match self {
            Self::Shares => SHARE_GOSSIP_BYTES_MAX,
            Self::Links => LINK_GOSSIP_BYTES_MAX,
            Self::BitcoinBlocks => BLOCK_GOSSIP_BYTES_MAX,
        }
    }
}

impl Gossip {
    /// The topic it belongs to; on another it is garbage.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Share(_) => Topic::Shares,
            Self::Link { .. } => Topic::Links,
            Self::BitcoinBlock(_) => Topic::BitcoinBlocks,
        }
    }

    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Share(proof) => {
                out.push(SHARE);
                put_proof(&mut out, proof);
            }
            Self::Link { proof, list } => {
                out.push(LINK);
                put_proof(&mut out, proof);
                put_list(&mut out, list);
            }
            Self::BitcoinBlock(block) => {
                out.push(BITCOIN_BLOCK);
                put_bytes(&mut out, block);
            }
        }
        out
    }

    /// Reads a message that fills `bytes` exactly.
    ///
    /// # Errors
    /// When the bytes are not the canonical encoding of any message.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader(bytes);
        let message = match reader.u8()? {
            SHARE => Self::Share(Box::new(reader.proof()?)),
            LINK => Self::Link { proof: Box::new(reader.proof()?), list: reader.list()? },
            BITCOIN_BLOCK => Self::BitcoinBlock(reader.bytes(BLOCK_BYTES_MAX)?.to_vec()),
            other => return Err(WireError::Kind(other)),
        };
        reader.end()?;
        Ok(message)
    }
}
