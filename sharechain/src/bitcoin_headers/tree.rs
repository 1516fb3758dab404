//! Storage of the headers and ancestor lookup.

use std::iter::successors;

use bitcoin::BlockHash;
use bitcoin::block::Header;

use super::header::{BitcoinHeader, work};
use super::median::{MEDIAN_SPAN, median};
use super::root::Base;
use crate::chunked::Chunked;
use crate::id_map::IdMap;
use crate::units::{ShareId, Timestamp, U256};

#[cfg(test)]
mod tests;

/// Position of a header in order of arrival. Only [`Tree`] creates indices, and it never removes a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Index(usize);

/// A header with two pointers down.
///
/// `jump` points to a lower ancestor so that lookup of any ancestor takes O(log n) steps. If the parent's jump and the
/// next jump from there are equally long, the child jumps over both. Otherwise it jumps to its parent (Myers, "An
/// applicative random-access stack", 1983).
#[derive(Clone, Debug)]
struct Node {
    known: BitcoinHeader,
    parent: Index,
    jump: Index,
}

/// Headers in order of arrival and by hash.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    first: Node,
    nodes: Chunked<Node>,
    by_hash: IdMap<Index>,
    best: Index,
    root: Index,
}

impl Tree {
    /// Creates a tree from the root's headers. Lookup by hash finds only the root itself: a header that attached
    /// further down would lack the predecessors that judging it takes.
    pub(super) fn new(base: Base<'_>) -> Self {
        let first = Node { known: base.first, parent: Index(0), jump: Index(0) };
        let mut tree =
            Self { first, nodes: Chunked::default(), by_hash: IdMap::default(), best: Index(0), root: Index(0) };
        for header in base.rest {
            let chain_work = tree.best().chain_work.saturating_add(work(header));
            tree.push(header.block_hash(), *header, tree.best, chain_work);
        }
        tree.root = tree.best;
        tree.by_hash = IdMap::default();
        tree.by_hash.insert(tree.best().header.block_hash().into(), tree.best);
        tree
    }

    fn node(&self, Index(index): Index) -> &Node {
        // Index 0 is the first header. The rest count from 1, and `push` created every index.
        index.checked_sub(1).and_then(|below| self.nodes.get(below)).unwrap_or(&self.first)
    }

    /// Returns the header at an index.
    pub(super) fn at(&self, index: Index) -> &BitcoinHeader {
        &self.node(index).known
    }

    /// Finds a header by its hash.
    pub(super) fn find(&self, hash: &BlockHash) -> Option<(Index, &BitcoinHeader)> {
        let index = *self.by_hash.get(&ShareId::from(*hash))?;
        Some((index, self.at(index)))
    }

    /// Header with the most work. On a tie, the one seen first.
    pub(super) fn best(&self) -> &BitcoinHeader {
        self.at(self.best)
    }

    /// The root and the headers that came with it, itself included, in ascending order.
    pub(super) fn root(&self) -> (&BitcoinHeader, Vec<Header>) {
        let root = self.at(self.root);
        let Index(above_first) = self.root;
        let came = std::iter::once(&self.first).chain(self.nodes.iter()).take(above_first.saturating_add(1));
        (root, came.map(|node| node.known.header).collect())
    }

    /// All headers above the root, each after its parent.
    pub(super) fn above_root(&self) -> impl Iterator<Item = &BitcoinHeader> {
        let Index(root) = self.root;
        self.nodes.iter().skip(root).map(|node| &node.known)
    }

    /// Appends a valid header whose parent is at `parent`.
    pub(super) fn push(&mut self, hash: BlockHash, header: Header, parent: Index, chain_work: U256) {
        let height = self.at(parent).height.saturating_add(1);
        let known = BitcoinHeader { header, height, chain_work, median_time: self.median_time(&header, parent) };
        self.nodes.push(Node { known, parent, jump: self.jump_over(parent) });
        let index = Index(self.nodes.len());
        self.by_hash.insert(hash.into(), index);
        if chain_work > self.best().chain_work {
            self.best = index;
        }
    }

    /// Median time of a header and the ten headers from its parent down.
    fn median_time(&self, header: &Header, parent: Index) -> Timestamp {
        let span = usize::try_from(MEDIAN_SPAN).unwrap_or(usize::MAX);
        let down = successors(Some(parent), |index| Some(self.node(*index).parent).filter(|next| next != index));
        let times = std::iter::once(header.time).chain(down.map(|index| self.at(index).header.time));
        median(times.take(span).collect())
    }

    fn jump_over(&self, parent: Index) -> Index {
        let first_jump = self.node(parent).jump;
        let second_jump = self.node(first_jump).jump;
        let height = |index| self.at(index).height;
        let first_length = height(parent).saturating_sub(height(first_jump));
        let second_length = height(first_jump).saturating_sub(height(second_jump));
        if first_length == second_length { second_jump } else { parent }
    }

    /// Returns the ancestor at a height, which may be the header itself.
    pub(super) fn ancestor(&self, from: Index, height: u32) -> Option<&BitcoinHeader> {
        let mut node = self.node(from);
        while node.known.height > height {
            let jumped = self.node(node.jump);
            let next = if jumped.known.height >= height { jumped } else { self.node(node.parent) };
            if next.known.height >= node.known.height {
                return None;
            }
            node = next;
        }
        (node.known.height == height).then_some(&node.known)
    }
}
