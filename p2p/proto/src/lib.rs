//! What peers say to each other and how a node behaves towards them, without sockets and without a clock.
//!
//! Time comes in as [`Millis`], so that a simulator drives these state machines as well as the network does. Nothing here
//! judges a proof: the caller does, and answers every [`Event::Gossip`] with a [`Verdict`] before the message is forwarded.
//!
//! | module | what it is for |
//! |---|---|
//! | [`message`] | gossip, requests and responses, and their canonical, bounded bytes |
//! | [`sync`] | which peer to ask for what: drive it with [`sync::Sync::handle`], then poll its outputs |
//! | [`score`] | points for misbehavior, and bans |
//! | [`rate`] | how much each peer may send and ask |
//! | [`endpoint`] | one node's side of a network: what the network task and the simulator have in common |
//! | [`verdicts`] | gossip that waits for a verdict, bounded in count, bytes and time |
//! | [`event`] | what goes into a network and what comes out of it |
//! | [`peer`] | a peer's identity |
//! | [`limits`] | every bound of this crate with its unit and its reason |

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod endpoint;
pub mod event;
pub mod limits;
pub mod message;
pub mod peer;
pub mod rate;
pub mod score;
pub mod sync;
mod time;
pub mod verdicts;
mod wire;

pub use event::{Command, Event, ReplyToken, Verdict, VerdictToken};
pub use message::{Failure, Gossip, Item, LinkItem, Request, Response, TipInfo, WireError};
pub use peer::PeerId;
pub use score::Misbehaviour;
pub use time::Millis;
