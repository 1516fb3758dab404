//! One message in transit to all nodes.

use std::collections::BTreeSet;

/// A message, by its index.
pub type WaveId = u32;

/// Not arrived, and not in transit.
const NEVER: u32 = 0x7fff_ffff;

/// Bit that marks the time at which the node found the message valid, instead of its arrival.
const VALID: u32 = 1 << 31;

/// The state of a message at a node: microseconds since its creation. They are either its expected arrival or the time
/// at which it was found valid. A message is forgotten long before 35 minutes have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell(u32);

impl Cell {
    /// The node does not know of the message.
    pub const NOTHING: Self = Self(NEVER);

    /// The message arrives, or is looked at again, after this many microseconds.
    #[must_use]
    pub const fn arriving(after_us: u32) -> Self {
        Self(if after_us < NEVER { after_us } else { NEVER - 1 })
    }

    /// The message was found valid after this many microseconds.
    #[must_use]
    pub const fn valid(after_us: u32) -> Self {
        Self(VALID | if after_us < NEVER { after_us } else { NEVER - 1 })
    }

    /// Returns whether the node has found the message valid.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 & VALID != 0
    }

    /// Returns the microseconds since the creation of the message.
    #[must_use]
    pub const fn after_us(self) -> u32 {
        self.0 & !VALID
    }
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A share.
    Share = 0,
    /// A link.
    Link = 1,
}

/// A message in transit, with the facts that later ones need.
#[derive(Clone, Debug)]
pub struct Wave {
    /// Time of its creation, in microseconds.
    pub born_us: u64,
    /// What it is.
    pub kind: Kind,
    /// Index of the node that created it.
    pub origin: u32,
    /// The link that it extends. `None` for genesis.
    pub parent: Option<WaveId>,
    /// Its height on the chain.
    pub height: u32,
    /// The ids that it lists if it is a link.
    pub list: Vec<WaveId>,
    /// Links that list it.
    pub listed_by: Vec<WaveId>,
    /// Bytes on the line.
    pub line_bytes: u32,
    /// Each node's cell. Empty once all reachable nodes have had it for long.
    pub cells: Vec<Cell>,
    /// Number of its pending events.
    pub under_way: u32,
    /// Whether its arrivals were counted.
    pub measured: bool,
    /// Nodes that requested it from a peer because another item needed it. They do not forward it, because gossip that
    /// brings it later finds it known.
    pub fetched: BTreeSet<u32>,
    /// Nodes at which it waited for another item.
    pub held: BTreeSet<u32>,
}

impl Wave {
    /// Returns whether a node had found it valid by a moment. All nodes had a forgotten message.
    #[must_use]
    pub fn is_valid_at(&self, node: u32, now_us: u64) -> bool {
        match self.cells.get(node as usize) {
            Some(cell) => cell.is_valid() && self.born_us + u64::from(cell.after_us()) <= now_us,
            None => true,
        }
    }

    /// Returns when a node found it valid, in microseconds. `None` if it has not, or if that is forgotten.
    #[must_use]
    pub fn valid_us(&self, node: u32) -> Option<u64> {
        let cell = self.cells.get(node as usize)?;
        cell.is_valid().then(|| self.born_us + u64::from(cell.after_us()))
    }

    /// Returns the microseconds from its creation to a moment.
    #[must_use]
    pub fn since_born_us(&self, at_us: u64) -> u32 {
        u32::try_from(at_us.saturating_sub(self.born_us)).unwrap_or(u32::MAX)
    }
}
