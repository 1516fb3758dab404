//! Peers that the operator named.

use super::{Task, peer_in};
use crate::net::api::{ManualPeer, NotAdded};
use crate::net::parse_address;
use crate::net::redial::Source;

impl Task {
    /// Stays connected with the node at an address. Returns the address as it is shown.
    pub(super) fn add_explicit(&mut self, text: &str) -> Result<String, NotAdded> {
        let address = parse_address(text)?;
        let (now, peer, shown) = (self.now(), peer_in(&address), address.to_string());
        if self.redial.add(address, peer, Source::Explicit, now) { Ok(shown) } else { Err(NotAdded::TooMany) }
    }

    /// Disconnects the node at an address, and stops dialing it.
    pub(super) fn remove_explicit(&mut self, text: &str) -> bool {
        let Ok(address) = parse_address(text) else { return false };
        let Some(peer) = self.redial.remove_explicit(&address) else { return false };
        if let Some(peer) = peer {
            self.disconnect(peer);
        }
        true
    }

    pub(super) fn explicit(&self) -> Vec<ManualPeer> {
        let shown = |(address, is_connected): (&libp2p::Multiaddr, bool)| ManualPeer {
            address: address.to_string(),
            is_connected,
        };
        self.redial.explicit(|peer| self.peers.is_connected(peer)).map(shown).collect()
    }
}
