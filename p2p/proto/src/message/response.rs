//! Responses. Their size is bounded, so a response may hold less than the request asked for.

use bitcoin::block::Header;
use sharechain::{Height, Proof, ShareId, U256, Work};

use super::kinds::{
    BEGINNING, BLOCK_PIECE, HEADERS, LINK_HEADERS, NEW_RECORDS, PENDING, PROOFS, RECORDS, ROWS, TIP, TRANSACTIONS,
};
use super::{RequestKind, WireError};
use crate::limits::{
    BEGINNING_BYTES_MAX, BLOCK_PIECE_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, HEADERS_MAX, LINK_HEADERS_MAX, PENDING_MAX,
    PROOFS_MAX, RECORDS_MAX, RESPONSE_BYTES_MAX, ROWS_BYTES_MAX, USER_AGENT_BYTES_MAX,
};
use crate::record::{Record, put_records, read_records};
use crate::wire::{Reader, put_bytes, put_count, put_headers, put_ids, put_list, put_proof};

/// Status of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipInfo {
    /// Tip of its main chain, or genesis.
    pub tip: ShareId,
    /// Height of the tip.
    pub height: Height,
    /// Cumulative link work of its main chain.
    pub work: Work,
    /// Lowest height from which it shows all links and their credits.
    pub lowest_shown: Height,
    /// Height of its Bitcoin tip.
    pub bitcoin_height: u32,
    /// Name and version of its program: printable ASCII, at most [`USER_AGENT_BYTES_MAX`] bytes.
    pub user_agent: String,
}

/// A proof, with its list if it is a link and the sender has the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Proof of the share or link.
    pub proof: Proof,
    /// Ids that it lists, if known.
    pub list: Option<Vec<ShareId>>,
}

/// A response to the [`super::Request`] of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Status of the sender.
    Tip(TipInfo),
    /// Proofs of links in ascending order, without their lists.
    LinkHeaders {
        /// Links of the branch, at most as many as requested.
        proofs: Vec<Proof>,
        /// True if the branch continues after the last link. If there are no proofs, the sender does not show what
        /// follows.
        more: bool,
    },
    /// The requested proofs that the sender has, in the order of the request.
    Proofs(Vec<Item>),
    /// Bitcoin headers, each after its previous header.
    Headers(Vec<Header>),
    /// Ids of valid proofs that no link of the sender's main chain lists yet.
    Pending(Vec<ShareId>),
    /// The state that the lowest link shown by the sender continues.
    Beginning {
        /// Height of that link.
        first: Height,
        /// A [`sharechain::link_headers::Beginning`], encoded. Empty if the sender has no such link.
        bytes: Vec<u8>,
    },
    /// Links with their credits: a [`sharechain::base::Chunk`], encoded. Empty if the sender does not show the first.
    Rows(Vec<u8>),
    /// The first of the requested transactions that fit, in the order of the request. None if the sender does not have the
    /// block.
    Transactions(Vec<Vec<u8>>),
    /// A piece of a Bitcoin block.
    BlockPiece {
        /// Length of the serialized block, bytes; 0 if the sender does not have it.
        size: u32,
        /// The piece.
        bytes: Vec<u8>,
    },
    /// Records of nodes, at most [`RECORDS_MAX`].
    Records(Vec<Record>),
    /// The records arrived.
    NewRecords,
}

impl Item {
    /// Size of the item in a response, bytes.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        let list_bytes = self.list.as_ref().map_or(0, |list| 4 + 2 + 32 * list.len());
        4 + self.proof.encode().len() + 1 + list_bytes
    }
}

/// Maximum total size of the items in a response, bytes. The rest is for the kind, the count and the flag.
const ITEMS_BYTES_MAX: usize = RESPONSE_BYTES_MAX - 16;

/// Takes items until one does not fit into the response. The flag is true if items are left over.
fn fitting<T>(items: impl Iterator<Item = T>, count_max: usize, bytes: impl Fn(&T) -> usize) -> (Vec<T>, bool) {
    let mut room_bytes = ITEMS_BYTES_MAX;
    let mut taken = Vec::new();
    for item in items {
        match room_bytes.checked_sub(bytes(&item)) {
            Some(rest) if taken.len() < count_max => room_bytes = rest,
            _ => return (taken, true),
        }
        taken.push(item);
    }
    (taken, false)
}

impl Response {
    /// Creates a response with as many link proofs as fit, at most `limit`. It does not read `proofs` further than
    /// needed.
    #[must_use]
    pub fn link_headers(proofs: impl IntoIterator<Item = Proof>, limit: u32) -> Self {
        let count_max = usize::try_from(limit).unwrap_or(LINK_HEADERS_MAX).min(LINK_HEADERS_MAX);
        let (proofs, more) = fitting(proofs.into_iter(), count_max, |proof| 4 + proof.encode().len());
        Self::LinkHeaders { proofs, more }
    }

    /// Creates a response with as many proofs as fit. It does not read `items` further than needed.
    #[must_use]
    pub fn proofs(items: impl IntoIterator<Item = Item>) -> Self {
        Self::Proofs(fitting(items.into_iter(), PROOFS_MAX, Item::encoded_bytes).0)
    }

    /// Creates a response with as many transactions as fit.
    #[must_use]
    pub fn transactions(transactions: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let bytes = |transaction: &Vec<u8>| 4 + transaction.len();
        Self::Transactions(fitting(transactions.into_iter(), BLOCK_TRANSACTIONS_MAX, bytes).0)
    }

    /// Kind of request that it answers.
    #[must_use]
    pub const fn kind(&self) -> RequestKind {
        match self {
            Self::Tip(_) => RequestKind::Tip,
            Self::LinkHeaders { .. } => RequestKind::LinkHeaders,
            Self::Proofs(_) => RequestKind::Proofs,
            Self::Headers(_) => RequestKind::Headers,
            Self::Pending(_) => RequestKind::Pending,
            Self::Beginning { .. } => RequestKind::Beginning,
            Self::Rows(_) => RequestKind::Rows,
            Self::Transactions(_) => RequestKind::Transactions,
            Self::BlockPiece { .. } => RequestKind::BlockPiece,
            Self::Records(_) => RequestKind::Records,
            Self::NewRecords => RequestKind::NewRecords,
        }
    }

    /// Canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Tip(tip) => {
                out.push(TIP);
                tip.encode_into(&mut out);
            }
            Self::LinkHeaders { proofs, more } => {
                out.push(LINK_HEADERS);
                put_count(&mut out, proofs.len());
                for proof in proofs {
                    put_proof(&mut out, proof);
                }
                out.push(u8::from(*more));
            }
            Self::Proofs(items) => {
                out.push(PROOFS);
                put_count(&mut out, items.len());
                for item in items {
                    put_proof(&mut out, &item.proof);
                    out.push(u8::from(item.list.is_some()));
                    if let Some(list) = &item.list {
                        put_list(&mut out, list);
                    }
                }
            }
            Self::Headers(headers) => {
                out.push(HEADERS);
                put_headers(&mut out, headers);
            }
            Self::Pending(ids) => {
                out.push(PENDING);
                put_ids(&mut out, ids);
            }
            Self::Beginning { first, bytes } => {
                out.push(BEGINNING);
                out.extend_from_slice(&first.0.to_le_bytes());
                put_bytes(&mut out, bytes);
            }
            Self::Rows(bytes) => {
                out.push(ROWS);
                put_bytes(&mut out, bytes);
            }
            Self::Transactions(transactions) => {
                out.push(TRANSACTIONS);
                put_count(&mut out, transactions.len());
                for transaction in transactions {
                    put_bytes(&mut out, transaction);
                }
            }
            Self::BlockPiece { size, bytes } => {
                out.push(BLOCK_PIECE);
                out.extend_from_slice(&size.to_le_bytes());
                put_bytes(&mut out, bytes);
            }
            Self::Records(records) => {
                out.push(RECORDS);
                put_records(&mut out, records.iter());
            }
            Self::NewRecords => out.push(NEW_RECORDS),
        }
        out
    }

    /// Decodes a response that takes up all of `bytes`.
    ///
    /// # Errors
    /// [`WireError`] if `bytes` is not the canonical encoding of a response.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader(bytes);
        let response = match reader.u8()? {
            TIP => Self::Tip(TipInfo::read(&mut reader)?),
            LINK_HEADERS => {
                let count = reader.count(LINK_HEADERS_MAX)?;
                let proofs = (0..count).map(|_| reader.proof()).collect::<Result<_, WireError>>()?;
                Self::LinkHeaders { proofs, more: reader.flag()? }
            }
            PROOFS => {
                let count = reader.count(PROOFS_MAX)?;
                let items = (0..count).map(|_| read_item(&mut reader)).collect::<Result<_, _>>()?;
                Self::Proofs(items)
            }
            HEADERS => Self::Headers(reader.headers(HEADERS_MAX)?),
            PENDING => Self::Pending(reader.ids(PENDING_MAX)?),
            BEGINNING => {
                Self::Beginning { first: Height(reader.u32()?), bytes: reader.bytes(BEGINNING_BYTES_MAX)?.to_vec() }
            }
            ROWS => Self::Rows(reader.bytes(ROWS_BYTES_MAX)?.to_vec()),
            TRANSACTIONS => {
                let count = reader.count(BLOCK_TRANSACTIONS_MAX)?;
                let read = |_| Ok(reader.bytes(RESPONSE_BYTES_MAX)?.to_vec());
                Self::Transactions((0..count).map(read).collect::<Result<_, WireError>>()?)
            }
            BLOCK_PIECE => {
                Self::BlockPiece { size: reader.u32()?, bytes: reader.bytes(BLOCK_PIECE_BYTES_MAX)?.to_vec() }
            }
            RECORDS => Self::Records(read_records(&mut reader, RECORDS_MAX)?),
            NEW_RECORDS => Self::NewRecords,
            other => return Err(WireError::Kind(other)),
        };
        reader.end()?;
        Ok(response)
    }
}

fn read_item(reader: &mut Reader<'_>) -> Result<Item, WireError> {
    let proof = reader.proof()?;
    let list = if reader.flag()? { Some(reader.list()?) } else { None };
    Ok(Item { proof, list })
}

impl TipInfo {
    fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.tip.0);
        out.extend_from_slice(&self.height.0.to_le_bytes());
        out.extend_from_slice(&self.work.0.to_le_bytes::<32>());
        out.extend_from_slice(&self.lowest_shown.0.to_le_bytes());
        out.extend_from_slice(&self.bitcoin_height.to_le_bytes());
        put_bytes(out, self.user_agent.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let tip = ShareId(reader.array()?);
        let height = Height(reader.u32()?);
        let work = Work(U256::from_le_bytes(reader.array::<32>()?));
        let lowest_shown = Height(reader.u32()?);
        let bitcoin_height = reader.u32()?;
        let agent = reader.bytes(USER_AGENT_BYTES_MAX)?;
        if !agent.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return Err(WireError::UserAgent);
        }
        let user_agent = String::from_utf8_lossy(agent).into_owned();
        Ok(Self { tip, height, work, lowest_shown, bitcoin_height, user_agent })
    }
}
