//! Kinds of events in the event log, which settings and history share.

use serde::{Deserialize, Serialize};

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The node started.
    Start,
    /// The pool found a Bitcoin block.
    Block,
    /// A block pays an address of this node's miners.
    Payment,
    /// A miner of this node went silent, or is back.
    Worker,
    /// Links left the main chain.
    Reorganisation,
    /// A share was rejected because it broke a rule.
    Refused,
    /// This node started or stopped handing out jobs.
    Work,
    /// This node's bitcoind has a problem, or works again.
    Bitcoin,
    /// The first peer connected, or the last one disconnected.
    Peers,
    /// A state began or ended in which this node may be cut off from the pool.
    Isolation,
    /// A heavier branch would undo settled links.
    Conflict,
    /// Miners locked in an upgrade.
    Upgrade,
}

impl EventKind {
    /// All kinds, in the order of the enum.
    pub const ALL: [Self; 12] = [
        Self::Start,
        Self::Block,
        Self::Payment,
        Self::Worker,
        Self::Reorganisation,
        Self::Refused,
        Self::Work,
        Self::Bitcoin,
        Self::Peers,
        Self::Isolation,
        Self::Conflict,
        Self::Upgrade,
    ];

    /// Name of the kind, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Block => "block",
            Self::Payment => "payment",
            Self::Worker => "worker",
            Self::Reorganisation => "reorganisation",
            Self::Refused => "refused",
            Self::Work => "work",
            Self::Bitcoin => "bitcoin",
            Self::Peers => "peers",
            Self::Isolation => "isolation",
            Self::Conflict => "conflict",
            Self::Upgrade => "upgrade",
        }
    }

    /// True if it goes into the archive, which many may read: it names no device, address, peer or bitcoind of this node.
    #[must_use]
    pub const fn is_archived(self) -> bool {
        match self {
            Self::Start
            | Self::Block
            | Self::Reorganisation
            | Self::Work
            | Self::Peers
            | Self::Isolation
            | Self::Conflict
            | Self::Upgrade => true,
            Self::Payment | Self::Worker | Self::Refused | Self::Bitcoin => false,
        }
    }

    /// True if only the node's operator may see it, because it names workers.
    #[must_use]
    pub fn is_private(self) -> bool {
        matches!(self, Self::Payment | Self::Worker)
    }
}
