//! All links of a branch as one tree that only grows: a Merkle mountain range.

use std::sync::Arc;

use super::tree::{Commitment, Node, Sum};
use crate::encode::Reader;
use crate::error::RuleError;
use crate::hash::Tag;
use crate::units::{Height, ShareId, Timestamp, U256, Work};

/// A link's entry in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLink {
    /// Height of the link.
    pub height: Height,
    /// Id of the link.
    pub id: ShareId,
    /// Link target that it had to meet.
    pub target: U256,
    /// Time in its share header.
    pub time: Timestamp,
    /// Cumulative link work up to and including it.
    pub chain_work: Work,
    /// Number of proofs credited from genesis up to and including it.
    pub proofs: u64,
    /// Height of the snapshot that it pays by.
    pub snapshot: Height,
}

impl HistoryLink {
    pub(super) fn leaf(&self) -> Node<Work> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        self.encode_into(&mut bytes);
        Node { hash: Tag::LinkLeaf.hash(&[&bytes]), sum: Work::of_target(self.target) }
    }

    /// Length of the encoding, bytes.
    const BYTES: usize = 116;

    /// Appends the encoding, which a leaf hashes.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.height.0.to_le_bytes());
        out.extend_from_slice(&self.id.0);
        out.extend_from_slice(&self.target.to_le_bytes::<32>());
        out.extend_from_slice(&self.time.0.to_le_bytes());
        out.extend_from_slice(&self.chain_work.0.to_le_bytes::<32>());
        out.extend_from_slice(&self.proofs.to_le_bytes());
        out.extend_from_slice(&self.snapshot.0.to_le_bytes());
    }

    /// Reads what [`HistoryLink::encode_into`] wrote.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, RuleError> {
        Ok(Self {
            height: Height(reader.u32()?),
            id: ShareId(reader.array()?),
            target: U256::from_le_bytes(reader.array::<32>()?),
            time: Timestamp(reader.u32()?),
            chain_work: Work(U256::from_le_bytes(reader.array::<32>()?)),
            proofs: reader.u64()?,
            snapshot: Height(reader.u32()?),
        })
    }
}

/// The links of a branch from height 1. Branches share common nodes: one more link takes two nodes on average, and a
/// clone one pointer.
#[derive(Clone, Debug, Default)]
pub struct History {
    links: u32,
    /// The smallest and last of the perfect trees.
    last: Option<Arc<Peak>>,
}

/// A perfect tree over 2^`level` links, and the larger ones before it.
#[derive(Debug)]
struct Peak {
    level: u32,
    node: Node<Work>,
    before: Option<Arc<Self>>,
}

impl History {
    /// The history with one more link. `None` if the work leaves its range.
    #[must_use]
    pub fn with(&self, link: &HistoryLink) -> Option<Self> {
        let engine = Work::NODE.engine();
        let (mut level, mut node, mut before) = (0_u32, link.leaf(), self.last.clone());
        while let Some(peak) = before.as_ref().filter(|peak| peak.level == level) {
            node = Node::above(&engine, &peak.node, &node)?;
            level = level.checked_add(1)?;
            before = peak.before.clone();
        }
        Some(Self { links: self.links.checked_add(1)?, last: Some(Arc::new(Peak { level, node, before })) })
    }

    /// Appends the encoding: number of links, then level, hash and work of each perfect tree, smallest first.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.links.to_le_bytes());
        let mut at = &self.last;
        while let Some(peak) = at {
            out.extend_from_slice(&peak.node.hash);
            out.extend_from_slice(&peak.node.sum.0.to_le_bytes::<32>());
            at = &peak.before;
        }
    }

    /// Reads what [`History::encode_into`] wrote. The number of links tells how many trees there are, and their levels.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, RuleError> {
        let links = reader.u32()?;
        let levels = (0..u32::BITS).filter(|level| links.checked_shr(*level).unwrap_or(0) & 1 == 1);
        let read = |level: u32| {
            let node = Node { hash: reader.array()?, sum: Work(U256::from_le_bytes(reader.array::<32>()?)) };
            Ok((level, node))
        };
        let peaks = levels.map(read).collect::<Result<Vec<_>, RuleError>>()?;
        let stack = |before, (level, node)| Some(Arc::new(Peak { level, node, before }));
        Ok(Self { links, last: peaks.into_iter().rev().fold(None, stack) })
    }

    /// Commits to all links. `None` if the work leaves its range.
    #[must_use]
    pub fn commitment(&self) -> Option<Commitment<Work>> {
        let Some(last) = &self.last else { return Some(Commitment::default()) };
        let engine = Work::NODE.engine();
        let (mut root, mut before) = (last.node, &last.before);
        while let Some(peak) = before {
            root = Node::above(&engine, &peak.node, &root)?;
            before = &peak.before;
        }
        Some(Commitment { leaves: self.links, root })
    }
}
