//! Faults in a running test network: commands from another terminal, over a Unix socket in the network's folder.
//!
//! Each command and each answer is one JSON object on a line; see [`Request`] and [`Answer`].

mod client;
mod groups;
mod protocol;
mod server;

pub use client::{ClientError, ask, note_started, running_dir};
pub use groups::{GroupError, parse as parse_groups, show as show_groups};
pub use protocol::{Answer, Request};
pub use server::{Call, Server, ServerError};
