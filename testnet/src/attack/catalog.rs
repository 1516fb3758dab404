//! The attacks.

use std::fmt;
use std::str::FromStr;

/// An attack of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attack {
    /// A peer claims an endless chain, but shows nothing of it.
    FalseTip,
    /// Copies of a recent Bitcoin block with a junk witness.
    JunkBlocks,
    /// TCP connections that say nothing.
    SilentSockets,
    /// Idle connections for every slot.
    Slots,
    /// Halves of gossip messages as large as a Bitcoin block.
    HalfMessages,
    /// QUIC streams that the node does not accept, full to their windows.
    QuicWindows,
    /// Many identities that ask for history.
    History,
    /// Thousands of identities, each with a few bad shares.
    BadIdentities,
    /// Links with real work, far below the tip.
    SideLinks,
    /// A flood of invalid shares.
    InvalidShares,
    /// A flood of requests.
    Requests,
    /// A flood of handshakes.
    Handshakes,
    /// Junk on all streams of a connection.
    JunkStreams,
    /// A flood of node records that the attacker made itself.
    Records,
    /// Node records with the address of a third party.
    ThirdParty,
    /// Node records that are stale, expired, of another pool, or forged, and endless requests for records.
    BadRecords,
    /// An honest peer that is killed again and again.
    Kills,
}

impl Attack {
    /// All attacks, in the order in which they run.
    pub const ALL: [Self; 17] = [
        Self::FalseTip,
        Self::JunkBlocks,
        Self::SilentSockets,
        Self::Slots,
        Self::HalfMessages,
        Self::QuicWindows,
        Self::History,
        Self::BadIdentities,
        Self::SideLinks,
        Self::InvalidShares,
        Self::Requests,
        Self::Handshakes,
        Self::JunkStreams,
        Self::ThirdParty,
        Self::BadRecords,
        Self::Records,
        Self::Kills,
    ];

    /// Returns the name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FalseTip => "false-tip",
            Self::JunkBlocks => "junk-blocks",
            Self::SilentSockets => "silent-sockets",
            Self::Slots => "slots",
            Self::HalfMessages => "half-messages",
            Self::QuicWindows => "quic-windows",
            Self::History => "history",
            Self::BadIdentities => "bad-identities",
            Self::SideLinks => "side-links",
            Self::InvalidShares => "invalid-shares",
            Self::Requests => "requests",
            Self::Handshakes => "handshakes",
            Self::JunkStreams => "junk-streams",
            Self::Records => "records",
            Self::ThirdParty => "third-party",
            Self::BadRecords => "bad-records",
            Self::Kills => "kills",
        }
    }

    /// Returns what it does, in one sentence.
    pub const fn what(self) -> &'static str {
        match self {
            Self::FalseTip => "one peer claims 1,000,000 links with endless work, and never shows one",
            Self::JunkBlocks => {
                "copies of a recent Bitcoin block, each with another 3.9 MB of junk as witness, 30 MB/s"
            }
            Self::SilentSockets => {
                "160 TCP connections from one address say nothing, and come back when they are closed"
            }
            Self::Slots => "256 connections from 32 addresses do nothing, and come back when they are closed",
            Self::HalfMessages => "90 connections from 12 addresses send 2 MB of a 4 MB gossip message, and wait",
            Self::QuicWindows => {
                "30 QUIC connections from 4 addresses fill 15 MB of streams that the node does not accept"
            }
            Self::History => {
                "24 identities from 3 addresses ask for all links, lists and rows, 4 requests each at a time"
            }
            Self::BadIdentities => "77 new identities a second from 16 addresses, each with 5 bad shares",
            Self::SideLinks => "links with real work on one of the first links, one core's worth",
            Self::InvalidShares => "2,000 invalid shares a second from one address, with a new identity after each ban",
            Self::Requests => {
                "8 connections ask 500 times a second each, over every limit, with new identities after bans"
            }
            Self::Handshakes => "453 whole handshakes a second from 16 addresses, each closed at once",
            Self::JunkStreams => "junk on 64 Yamux streams of one connection, as fast as they take it",
            Self::Records => {
                "24 connections from 24 addresses tell records of new nodes, and a node that the victim dials answers with \
                 128 of the largest"
            }
            Self::ThirdParty => {
                "24 connections, each with a new identity again and again, whose records name a third party"
            }
            Self::BadRecords => {
                "16 connections tell stale, replayed, expired, foreign and forged records, and 16 ask for records endlessly"
            }
            Self::Kills => "an honest peer is killed and started again every 3 s",
        }
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Attack {
    type Err = super::AttackError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|attack| attack.name() == text);
        found.ok_or_else(|| super::AttackError::Unknown { name: text.to_owned() })
    }
}
