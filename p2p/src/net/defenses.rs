//! Counters of the network's refusals, evictions, and bans.

use p2p_proto::budget::UsedUp;

/// A defensive action of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defense {
    /// Refused gossip or a request: the budget of the peer's host is used up.
    HostBudget,
    /// The same for its netgroup.
    NetgroupBudget,
    /// The same for all peers.
    AllBudget,
    /// Refused a request: the upload to the host is used up.
    HostUpload,
    /// The same for its netgroup.
    NetgroupUpload,
    /// The same for all peers, by `p2p.max_upload`.
    AllUpload,
    /// Ended a connection in handshake for a newer one.
    HalfOpen,
    /// Refused a connection: its host has the maximum number.
    HostSlots,
    /// Refused a connection: no other one could be evicted for it.
    NoSlot,
    /// Refused a connection with a banned or blocked peer or address.
    Banned,
    /// Evicted a connection for a newer one.
    Eviction,
    /// Banned a peer.
    PeerBan,
    /// Banned a host.
    HostBan,
    /// Banned a netgroup.
    NetgroupBan,
}

impl Defense {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::HostBudget,
        Self::NetgroupBudget,
        Self::AllBudget,
        Self::HostUpload,
        Self::NetgroupUpload,
        Self::AllUpload,
        Self::HalfOpen,
        Self::HostSlots,
        Self::NoSlot,
        Self::Banned,
        Self::Eviction,
        Self::PeerBan,
        Self::HostBan,
        Self::NetgroupBan,
    ];

    /// Actions about messages beyond a shared budget.
    pub const BUDGETS: [Self; 6] = [
        Self::HostBudget,
        Self::NetgroupBudget,
        Self::AllBudget,
        Self::HostUpload,
        Self::NetgroupUpload,
        Self::AllUpload,
    ];

    /// Actions about refused connections.
    pub const CONNECTIONS: [Self; 4] = [Self::HalfOpen, Self::HostSlots, Self::NoSlot, Self::Banned];

    /// Bans that the node decided itself.
    pub const BANS: [Self; 3] = [Self::PeerBan, Self::HostBan, Self::NetgroupBan];

    /// Name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HostBudget | Self::HostSlots | Self::HostBan => "host",
            Self::NetgroupBudget | Self::NetgroupBan => "netgroup",
            Self::AllBudget => "all",
            Self::HostUpload => "host_upload",
            Self::NetgroupUpload => "netgroup_upload",
            Self::AllUpload => "all_upload",
            Self::HalfOpen => "half_open",
            Self::NoSlot => "slots",
            Self::Banned => "banned",
            Self::Eviction => "evicted",
            Self::PeerBan => "peer",
        }
    }
}

impl From<UsedUp> for Defense {
    fn from(used_up: UsedUp) -> Self {
        match used_up {
            UsedUp::Host => Self::HostBudget,
            UsedUp::Netgroup => Self::NetgroupBudget,
            UsedUp::All => Self::AllBudget,
            UsedUp::HostUpload => Self::HostUpload,
            UsedUp::NetgroupUpload => Self::NetgroupUpload,
            UsedUp::AllUpload => Self::AllUpload,
        }
    }
}
