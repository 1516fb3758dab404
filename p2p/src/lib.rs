//! Gossip, sync and peer scoring for the share-chain, over libp2p.
//!
//! - [`message`]: what peers say to each other, and its canonical, bounded bytes.
//! - [`score`], [`rate`], [`sync`]: who is punished, who may ask how much, what to ask whom. State machines without I/O
//!   and without a clock: the time comes in as [`Millis`], so a simulator can drive them as well as a network.
//! - [`net`]: the only module that knows libp2p. One task owns the sockets; [`Command`]s go in, [`Event`]s come out.
//!
//! Nothing here judges a proof: the caller does, and answers every gossip with a [`Verdict`] before it is forwarded.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod limits;
pub mod message;
pub mod net;
pub mod peer;
pub mod rate;
pub mod score;
pub mod sync;
mod wire;

pub use message::{Failure, Gossip, Item, LinkItem, Request, Response, TipInfo, WireError};
pub use net::{
    Command, Config, Event, Handle, Network, PeerInfo, ReplyToken, StartError, Stopped, Verdict, VerdictToken,
};
pub use peer::PeerId;
pub use score::Misbehaviour;

/// Milliseconds since an arbitrary start, never decreasing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// The time `ms` later. Saturates: 2^64 ms are half a billion years.
    #[must_use]
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; 0 when that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
