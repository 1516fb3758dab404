//! Identifiers of nodes and miners. Each one is an index into the world's lists.

/// A node, by its index in the world's list of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The node at an index.
    ///
    /// # Panics
    /// If the index is 2^32 or more.
    #[must_use]
    pub fn of(index: usize) -> Self {
        Self(u32::try_from(index).expect("a world has fewer than 2^32 nodes"))
    }

    /// The index in the world's list of nodes.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A miner, by its index in the world's list of miners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinerId(pub u32);

impl MinerId {
    /// The index in the world's list of miners.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
