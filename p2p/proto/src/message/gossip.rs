//! Gossip: messages to all peers.

use sharechain::{Proof, ShareId};

use super::{Announcement, WireError};
use crate::limits::{BLOCK_GOSSIP_BYTES_MAX, LINK_GOSSIP_BYTES_MAX, SHARE_GOSSIP_BYTES_MAX};
use crate::wire::{Reader, put_list, put_proof};

const SHARE: u8 = 1;
const LINK: u8 = 2;
const BITCOIN_BLOCK: u8 = 3;

/// A message to all peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gossip {
    /// Proof of a share.
    Share(Box<Proof>),
    /// A link and its list.
    Link {
        /// Proof of the link.
        proof: Box<Proof>,
        /// Ids that the link lists.
        list: Vec<ShareId>,
    },
    /// A Bitcoin block that the pool found. Every node builds it and submits it to its bitcoind.
    BitcoinBlock(Announcement),
}

/// Gossip topics. Each kind of message has its own, so that no kind delays another.
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
    /// All topics.
    pub const ALL: [Self; 3] = [Self::Shares, Self::Links, Self::BitcoinBlocks];

    /// Last part of the topic's name before its version.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shares => "shares",
            Self::Links => "links",
            Self::BitcoinBlocks => "blocks",
        }
    }

    /// Maximum length of a message on this topic, bytes.
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
    /// Topic of the message. On any other topic it is garbage.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Share(_) => Topic::Shares,
            Self::Link { .. } => Topic::Links,
            Self::BitcoinBlock(_) => Topic::BitcoinBlocks,
        }
    }

    /// Canonical encoding.
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
                block.encode_into(&mut out);
            }
        }
        out
    }

    /// Decodes a message that takes up all of `bytes`.
    ///
    /// # Errors
    /// [`WireError`] if `bytes` is not the canonical encoding of a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader(bytes);
        let message = match reader.u8()? {
            SHARE => Self::Share(Box::new(reader.proof()?)),
            LINK => Self::Link { proof: Box::new(reader.proof()?), list: reader.list()? },
            BITCOIN_BLOCK => Self::BitcoinBlock(Announcement::read(&mut reader)?),
            other => return Err(WireError::Kind(other)),
        };
        reader.end()?;
        Ok(message)
    }
}
