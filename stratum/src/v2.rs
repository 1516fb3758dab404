//! Stratum v2, the Mining Protocol: binary messages in frames, sealed by Noise.
//!
//! A connection carries channels, each with a user name, an extranonce and jobs of its own. A standard channel gets a
//! merkle root and never sees the coinbase, so any device fits; an extended channel builds the coinbase itself, as in
//! Stratum v1, for proxies. Shares are judged and counted as those of v1 are, by the same code.
//!
//! Source: [the specification](https://github.com/stratum-mining/sv2-spec), sections 3 (frames), 4 (Noise) and 5 (Mining
//! Protocol).
//!
//! # Driving a session
//!
//! A [`Session`] is one connection without its socket and clock. Every event is one call:
//!
//! | event | call |
//! |---|---|
//! | a frame arrives | [`Session::handle`] |
//! | the pool's work changes | [`Session::handle_change`] |
//! | [`limits::TICK`](crate::limits::TICK) passes | [`Session::tick`] |
//!
//! After each, call [`Session::next_job`] until it returns `None`, and write [`Session::take_output`] in between. If any
//! of them returns a [`CloseReason`], pass it to [`Session::say_goodbye`], write the output and close the connection.
//!
//! # Files
//!
//! | file | content |
//! |---|---|
//! | `authority.rs` | the key that a server proves its identity with |
//! | `frame.rs` | seals and opens frames |
//! | `message.rs` | parses messages from miners, and writes messages to miners |
//! | `reason.rs` | why the server refuses a channel, a share or a connection |
//! | `host.rs` | what a session shares with the rest of its server |
//! | `member.rs` | one channel |
//! | `session.rs` | the state of a connection, its setup and its clock |
//! | `open.rs` | opens, updates and closes channels |
//! | `shares.rs` | takes shares |
//! | `connection.rs` | runs one session on one socket |

mod authority;
mod connection;
mod frame;
mod host;
mod member;
mod message;
mod open;
mod reason;
mod session;
mod shares;

pub use authority::{Authority, NotAKey};
pub use frame::{Frame, FrameError, Frames};
pub use reason::CloseReason;
pub use session::Session;

pub(crate) use connection::serve;
pub(crate) use host::Host;
