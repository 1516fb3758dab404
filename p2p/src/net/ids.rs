//! Peer ids, between libp2p's type and ours.

use p2p_proto::PeerId;

/// Converts a peer id to libp2p's type, which has the same bytes.
pub(super) fn theirs(peer: PeerId) -> Option<libp2p::PeerId> {
    libp2p::PeerId::from_bytes(&peer.id_bytes()).ok()
}

/// Converts a peer id from libp2p's type. `None` if the key is not ed25519; libp2p is built without other keys.
pub(super) fn ours(peer: &libp2p::PeerId) -> Option<PeerId> {
    PeerId::from_id_bytes(&peer.to_bytes())
}
