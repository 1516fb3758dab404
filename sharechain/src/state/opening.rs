//! Some leaves of a tree of weights, and the nodes beside them that are needed to compute its root.

use std::ops::Range;

use super::tree::{Commitment, Node, Sum};
use super::weight_leaf;
use crate::payout::Due;
use crate::units::Weight;

/// A leaf of a tree of weights, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Number of leaves before it.
    pub index: u32,
    /// Its script and weight.
    pub due: Due,
}

/// Some leaves of a tree, and the roots of the subtrees between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The leaves, from left to right.
    pub leaves: Vec<Shown>,
    /// Roots of the largest subtrees without any of these leaves, from left to right.
    pub siblings: Vec<Node<Weight>>,
}

impl Opening {
    /// Opens the tree over `dues` at the places `shown`, which ascend. `None` if a place lies outside the tree, or a sum
    /// leaves its range.
    #[must_use]
    pub fn of(dues: &[Due], shown: &[u32]) -> Option<Self> {
        let leaf = |index: &u32| {
            let due = dues.get(usize::try_from(*index).ok()?)?.clone();
            Some(Shown { index: *index, due })
        };
        let leaves = shown.iter().map(leaf).collect::<Option<_>>()?;
        let nodes: Vec<_> = dues.iter().map(|due| weight_leaf(&due.script, due.weight)).collect();
        let mut siblings = Vec::new();
        open(&nodes, 0, shown, &mut siblings)?;
        Some(Self { leaves, siblings })
    }

    /// Computes the root of a tree of `count` leaves, and the sum of all leaves before each leaf that is shown.
    ///
    /// `None` if the leaves do not ascend or lie outside the tree, if there are too few or too many siblings, or if a sum
    /// leaves its range. It takes at most 64 hashes for each leaf.
    #[must_use]
    pub fn root(&self, count: u32) -> Option<(Node<Weight>, Vec<Weight>)> {
        let mut walk =
            Walk { leaves: &self.leaves, siblings: &self.siblings, before: Weight::ZERO, starts: Vec::new() };
        let root = walk.node(0..count)?;
        (walk.leaves.is_empty() && walk.siblings.is_empty()).then_some((root, walk.starts))
    }
}

/// Places of the left subtree of one over these places: the largest power of two below their number.
fn middle(places: &Range<u32>) -> Option<u32> {
    let count = places.end.checked_sub(places.start)?;
    places.start.checked_add(1_u32.checked_shl(count.checked_sub(1)?.checked_ilog2()?)?)
}

fn open(nodes: &[Node<Weight>], first: u32, shown: &[u32], siblings: &mut Vec<Node<Weight>>) -> Option<()> {
    if shown.is_empty() {
        siblings.push(Commitment::of(nodes.to_vec())?.root);
        return Some(());
    }
    let places = first..first.checked_add(u32::try_from(nodes.len()).ok()?)?;
    let Some(middle) = middle(&places) else { return Some(()) };
    let (left, right) = nodes.split_at_checked(usize::try_from(middle.checked_sub(first)?).ok()?)?;
    let (below, above) = shown.split_at_checked(shown.partition_point(|index| *index < middle))?;
    open(left, first, below, siblings)?;
    open(right, middle, above, siblings)
}

/// A walk through a tree from left to right.
struct Walk<'a> {
    leaves: &'a [Shown],
    siblings: &'a [Node<Weight>],
    /// Sum of all leaves that were passed.
    before: Weight,
    starts: Vec<Weight>,
}

impl Walk<'_> {
    /// The root over these places. It recurses at most 32 deep.
    fn node(&mut self, places: Range<u32>) -> Option<Node<Weight>> {
        let (next, later) = match self.leaves.split_first() {
            Some((next, later)) if places.contains(&next.index) => (next, later),
            _ => {
                let (sibling, rest) = self.siblings.split_first()?;
                self.siblings = rest;
                self.before = self.before.checked_add(sibling.sum)?;
                return Some(*sibling);
            }
        };
        if let Some(middle) = middle(&places) {
            let left = self.node(places.start..middle)?;
            let right = self.node(middle..places.end)?;
            return Node::above(&Weight::NODE.engine(), &left, &right);
        }
        self.leaves = later;
        self.starts.push(self.before);
        self.before = self.before.checked_add(next.due.weight)?;
        Some(weight_leaf(&next.due.script, next.due.weight))
    }
}
