//! The peer-to-peer network: libp2p around the state machines of [`p2p_proto`]. No other crate names libp2p.
//!
//! One task owns the sockets. It takes [`p2p_proto::Command`]s from a [`Handle`] and sends [`p2p_proto::Event`]s.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod net;

pub use net::{Config, Handle, Network, PeerInfo, StartError, Stopped};
