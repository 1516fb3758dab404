//! Merkle trees whose nodes have sums, with the shape of [RFC 9162](https://www.rfc-editor.org/rfc/rfc9162#section-2.1.1).

use bitcoin::hashes::{Hash, HashEngine, sha256};

use crate::hash::Tag;
use crate::units::{Weight, Work};

/// The quantity that the nodes of a tree add up.
pub trait Sum: Copy + Default {
    /// Tag of the tree's inner nodes.
    const NODE: Tag;
    /// The sum as it is hashed: little-endian.
    type Bytes: AsRef<[u8]>;

    /// The bytes that are hashed.
    fn to_bytes(self) -> Self::Bytes;
    /// Sum of two. `None` if it leaves its range.
    fn checked_add(self, other: Self) -> Option<Self>;
}

impl Sum for Weight {
    const NODE: Tag = Tag::WeightNode;
    type Bytes = [u8; 16];

    fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl Sum for Work {
    const NODE: Tag = Tag::LinkNode;
    type Bytes = [u8; 32];

    fn to_bytes(self) -> [u8; 32] {
        self.0.to_le_bytes()
    }

    fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

/// A node of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node<S> {
    /// Hash of a leaf or of two children.
    pub hash: [u8; 32],
    /// Sum of all leaves below.
    pub sum: S,
}

impl<S: Sum> Node<S> {
    /// The node above two. `None` if the sum leaves its range.
    ///
    /// `engine` has hashed the tag [`Sum::NODE`]. Each child's sum is hashed separately: their total alone would allow
    /// weight to be moved from one side to the other.
    #[must_use]
    pub fn above(engine: &sha256::HashEngine, left: &Self, right: &Self) -> Option<Self> {
        let (left_sum, right_sum) = (left.sum.to_bytes(), right.sum.to_bytes());
        let hash = hash_with(engine, &[&left.hash, left_sum.as_ref(), &right.hash, right_sum.as_ref()]);
        Some(Self { hash, sum: left.sum.checked_add(right.sum)? })
    }
}

/// Number of leaves of a tree, and its root. Default: a tree without leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commitment<S> {
    /// Number of leaves.
    pub leaves: u32,
    /// The root; zero without leaves.
    pub root: Node<S>,
}

impl<S: Sum> Commitment<S> {
    /// Commits to leaves in their order. `None` if the sum leaves its range.
    pub(crate) fn of(leaves: Vec<Node<S>>) -> Option<Self> {
        let count = u32::try_from(leaves.len()).ok()?;
        let engine = S::NODE.engine();
        let mut level = leaves;
        while level.len() > 1 {
            let (pairs, odd) = level.as_chunks::<2>();
            let above: Option<Vec<_>> = pairs.iter().map(|[left, right]| Node::above(&engine, left, right)).collect();
            let mut above = above?;
            above.extend_from_slice(odd);
            level = above;
        }
        Some(Self { leaves: count, root: level.first().copied().unwrap_or_default() })
    }

    /// The bytes that a state root hashes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&self.leaves.to_le_bytes(), self.root.sum.to_bytes().as_ref(), &self.root.hash].concat()
    }
}

/// SHA-256 of what an engine has hashed and `parts`.
pub(crate) fn hash_with(engine: &sha256::HashEngine, parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = engine.clone();
    for part in parts {
        engine.input(part);
    }
    sha256::Hash::from_engine(engine).to_byte_array()
}
