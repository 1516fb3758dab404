//! What one peer answers another. Answers may hold less than was asked for: they are bounded in bytes.

use bitcoin::block::Header;
use sharechain::{Height, Proof, ShareId, U256, Work};

use super::{RequestKind, WireError};
use crate::limits::{HEADERS_MAX, LINKS_MAX, PENDING_MAX, PROOFS_MAX, RESPONSE_BYTES_MAX, USER_AGENT_BYTES_MAX};
use crate::wire::{Reader, put_bytes, put_count, put_headers, put_ids, put_list, put_proof};

const TIP: u8 = 1;
const LINKS: u8 = 2;
const PROOFS: u8 = 3;
const HEADERS: u8 = 4;
const PENDING: u8 = 5;

/// Where a peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipInfo {
    /// Its best link, or genesis.
    pub tip: ShareId,
    /// That link's height.
    pub height: Height,
    /// Cumulative link work of its branch.
    pub work: Work,
    /// Height of its Bitcoin tip.
    pub bitcoin_height: u32,
    /// Name and version of its program, printable ASCII of at most [`USER_AGENT_BYTES_MAX`].
    pub user_agent: String,
}

/// A link and what it lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkItem {
    /// The link.
    pub proof: Proof,
    /// What it lists.
    pub list: Vec<ShareId>,
}

/// A proof, and what it lists when it is a link whose list the sender has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The share or link.
    pub proof: Proof,
    /// What it lists, if known.
    pub list: Option<Vec<ShareId>>,
}

/// The answer to a [`super::Request`] of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Where this node is.
    Tip(TipInfo),
    /// Links in ascending order.
    Links {
        /// At most as many as asked for.
        links: Vec<LinkItem>,
        /// Whether the branch goes on after the last one.
        more: bool,
    },
    /// Those of the proofs asked for that this node has, in the order asked for.
    Proofs(Vec<Item>),
    /// Headers, each after its previous one.
    Headers(Vec<Header>),
    /// Ids of valid shares that are not listed yet.
    Pending(Vec<ShareId>),
}

impl LinkItem {
    /// Bytes that it takes in a response.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        4 + self.proof.encode().len() + 4 + 2 + 32 * self.list.len()
    }
}

impl Item {
    /// Bytes that it takes in a response.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        let list_bytes = self.list.as_ref().map_or(0, |list| 4 + 2 + 32 * list.len());
        4 + self.proof.encode().len() + 1 + list_bytes
    }
}

/// Room for items in a response: its tag, count and flag are set aside.
const ITEMS_BYTES_MAX: usize = RESPONSE_BYTES_MAX - 16;

/// Takes items as long as they fit one response; true when some were left over.
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
    /// An answer with as many of the links, at most `limit`, as fit. `links` is read no further than needed.
    #[must_use]
    pub fn links(links: impl IntoIterator<Item = LinkItem>, limit: u32) -> Self {
        let count_max = usize::try_from(limit).unwrap_or(LINKS_MAX).min(LINKS_MAX);
        let (links, more) = fitting(links.into_iter(), count_max, LinkItem::encoded_bytes);
        Self::Links { links, more }
    }

    /// An answer with as many of the proofs as fit. `items` is read no further than needed.
    #[must_use]
    pub fn proofs(items: impl IntoIterator<Item = Item>) -> Self {
        Self::Proofs(fitting(items.into_iter(), PROOFS_MAX, Item::encoded_bytes).0)
    }

    /// Which question it answers.
    #[must_use]
    pub const fn kind(&self) -> RequestKind {
        match self {
            Self::Tip(_) => RequestKind::Tip,
            Self::Links { .. } => RequestKind::Links,
            Self::Proofs(_) => RequestKind::Proofs,
            Self::Headers(_) => RequestKind::Headers,
            Self::Pending(_) => RequestKind::Pending,
        }
    }

    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Tip(tip) => {
                out.push(TIP);
                tip.encode_into(&mut out);
            }
            Self::Links { links, more } => {
                out.push(LINKS);
                put_count(&mut out, links.len());
                for link in links {
                    put_proof(&mut out, &link.proof);
                    put_list(&mut out, &link.list);
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
        }
        out
    }

    /// Reads a response that fills `bytes` exactly.
    ///
    /// # Errors
    /// When the bytes are not the canonical encoding of any response.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader(bytes);
        let response = match reader.u8()? {
            TIP => Self::Tip(TipInfo::read(&mut reader)?),
            LINKS => {
                let count = reader.count(LINKS_MAX)?;
                let links = (0..count)
                    .map(|_| Ok(LinkItem { proof: reader.proof()?, list: reader.list()? }))
                    .collect::<Result<_, WireError>>()?;
                Self::Links { links, more: reader.flag()? }
            }
            PROOFS => {
                let count = reader.count(PROOFS_MAX)?;
                let items = (0..count).map(|_| read_item(&mut reader)).collect::<Result<_, _>>()?;
                Self::Proofs(items)
            }
            HEADERS => Self::Headers(reader.headers(HEADERS_MAX)?),
            PENDING => Self::Pending(reader.ids(PENDING_MAX)?),
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
        out.extend_from_slice(&self.bitcoin_height.to_le_bytes());
        put_bytes(out, self.user_agent.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let tip = ShareId(reader.array()?);
        let height = Height(reader.u32()?);
        let work = Work(U256::from_le_bytes(reader.array::<32>()?));
        let bitcoin_height = reader.u32()?;
        let agent = reader.bytes(USER_AGENT_BYTES_MAX)?;
        if !agent.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return Err(WireError::UserAgent);
        }
        Ok(Self { tip, height, work, bitcoin_height, user_agent: String::from_utf8_lossy(agent).into_owned() })
    }
}
