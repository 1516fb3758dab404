//! One message on its way through all nodes.

use std::collections::BTreeSet;

/// A message, by its place among all.
pub type WaveId = u32;

/// Not arrived, and nothing under way.
const NEVER: u32 = 0x7fff_ffff;

/// The bit that marks a moment at which the node found the message valid, not one at which it arrives.
const VALID: u32 = 1 << 31;

/// What a message means to a node: microseconds since the message was made, and whether that is when it arrives, as far
/// as is known, or when it was found valid. A message is forgotten long before 35 minutes are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell(u32);

impl Cell {
    /// Nothing is known of the message.
    pub const NOTHING: Self = Self(NEVER);

    /// It arrives, or is to be looked at again, after so many microseconds.
    #[must_use]
    pub const fn arriving(after_us: u32) -> Self {
        Self(if after_us < NEVER { after_us } else { NEVER - 1 })
    }

    /// It was found valid after so many microseconds.
    #[must_use]
    pub const fn valid(after_us: u32) -> Self {
        Self(VALID | if after_us < NEVER { after_us } else { NEVER - 1 })
    }

    /// Whether the node has it and knows that it is valid.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 & VALID != 0
    }

    /// Microseconds since the message was made.
    #[must_use]
    pub const fn after_us(self) -> u32 {
        self.0 & !VALID
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A share.
    Share = 0,
    /// A link.
    Link = 1,
}

/// A message on its way, and what later ones need to know of it.
#[derive(Clone, Debug)]
pub struct Wave {
    /// When it was made, microseconds.
    pub born_us: u64,
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub origin: u32,
    /// The link that it extends; none for genesis.
    pub parent: Option<WaveId>,
    /// Its place in the chain.
    pub height: u32,
    /// What it lists if it is a link.
    pub list: Vec<WaveId>,
    /// Links that list it.
    pub listed_by: Vec<WaveId>,
    /// Bytes on the line.
    pub line_bytes: u32,
    /// Each node's cell; empty once everybody who can have it has had it for long.
    pub cells: Vec<Cell>,
    /// Events of it that are to come.
    pub under_way: u32,
    /// Whether its arrivals were counted.
    pub measured: bool,
    /// Nodes that asked a peer for it because something else needed it. They do not forward it: gossip that brings it
    /// later finds it known.
    pub fetched: BTreeSet<u32>,
    /// Nodes at which it waited for something.
    pub held: BTreeSet<u32>,
}

impl Wave {
    /// Whether a node has found it valid by a moment. What everybody forgot, everybody had.
    #[must_use]
    pub fn is_valid_at(&self, node: u32, now_us: u64) -> bool {
        match self.cells.get(node as usize) {
            Some(cell) => cell.is_valid() && self.born_us + u64::from(cell.after_us()) <= now_us,
            None => true,
        }
    }

    /// When a node found it valid, microseconds; `None` while it has not, or when that is forgotten.
    #[must_use]
    pub fn valid_us(&self, node: u32) -> Option<u64> {
        let cell = self.cells.get(node as usize)?;
        cell.is_valid().then(|| self.born_us + u64::from(cell.after_us()))
    }

    /// Microseconds from its making to a moment.
    #[must_use]
    pub fn since_born_us(&self, at_us: u64) -> u32 {
        u32::try_from(at_us.saturating_sub(self.born_us)).unwrap_or(u32::MAX)
    }
}
