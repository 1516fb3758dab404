//! The peer-to-peer network: libp2p around the state machines of [`p2p_proto`]. No other crate names libp2p.
//!
//! One task owns the sockets; [`p2p_proto::Command`]s go in through a [`Handle`], [`p2p_proto::Event`]s come out.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod net;

pub use net::{Config, Handle, Network, PeerInfo, StartError, Stopped};
