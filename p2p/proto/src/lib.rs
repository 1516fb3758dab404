//! The peer-to-peer protocol: messages, and a node's behavior toward its peers, without sockets and without a clock.
//!
//! Time comes in as [`Millis`], so a simulator can drive these state machines just as the network does. Nothing here
//! judges a proof. The caller does, and answers every [`Event::Gossip`] with a [`Verdict`] before the message is
//! forwarded.
//!
//! | module | purpose |
//! |---|---|
//! | [`message`] | gossip, requests and responses, and their canonical, bounded bytes |
//! | [`sync`] | decides what to request from which peer: pass events to [`sync::Sync::handle`], then poll the outputs |
//! | [`score`] | points for misbehavior, and bans |
//! | [`rate`] | limits on what each peer may send and request |
//! | [`budget`] | the same by host, by netgroup, and in total, and upload limits |
//! | [`faults`] | invalid work by host, and when it bans an address |
//! | [`bans`] | bans of peers and of ranges of addresses, bounded, with their reasons |
//! | [`book`] | the address book: nodes of the pool, in buckets by netgroup and source |
//! | [`record`] | signed node records: a node's statement where it can be dialed |
//! | [`discovery`] | which nodes a node dials on its own, and the exchange of node records |
//! | [`endpoint`] | bookkeeping of one node, shared by the network task and the simulator |
//! | [`verdicts`] | gossip that awaits a verdict, bounded in count, bytes and time |
//! | [`event`] | commands to a network and events from it |
//! | [`peer`] | a peer's identity |
//! | [`netgroup`] | a peer's host and netgroup, to which limits apply |
//! | [`half_open`] | connections in handshake, and which one gives way to a newcomer |
//! | [`eviction`] | which inbound connection gives its slot to a newcomer |
//! | [`buffers`] | bytes in receive buffers, and which connection closes if there are too many |
//! | [`prefix`] | ranges of IP addresses |
//! | `bucket` | a token bucket |
//! | [`limits`] | every bound of this crate with its unit and its reason |
//! | `wire` | reads and writes the fields of messages |
//! | `time` | the time that drives the state machines |

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod bans;
pub mod book;
mod bucket;
pub mod budget;
pub mod buffers;
pub mod discovery;
pub mod endpoint;
pub mod event;
pub mod eviction;
pub mod faults;
pub mod half_open;
pub mod limits;
pub mod message;
pub mod netgroup;
pub mod peer;
pub mod prefix;
pub mod rate;
pub mod record;
pub mod score;
pub mod sync;
mod time;
pub mod verdicts;
mod wire;

pub use event::{Command, Event, ReplyToken, Verdict, VerdictToken};
pub use message::{Failure, Gossip, Item, Request, Response, TipInfo, WireError};
pub use peer::PeerId;
pub use score::Misbehaviour;
pub use time::Millis;
