//! Identity of a peer.

use core::fmt;
use core::str::FromStr;

use bitcoin::base58;

/// Bytes before the key in a libp2p peer id: identity multihash (0x00) of 36 bytes, which are a protobuf message with
/// key type 1 (ed25519) and a 32-byte key
/// ([specification](https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md)).
const ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// Length of a libp2p peer id, bytes.
pub const ID_BYTES: usize = ID_PREFIX.len() + 32;

/// A peer's ed25519 public key. Its text form is that of libp2p: base58, `12D3KooW...`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 32]);

/// Reason why text is not a peer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePeerIdError {
    /// The text is not base58.
    #[error("the peer id is not base58")]
    Base58,
    /// The text does not encode an ed25519 key.
    #[error("the peer id does not belong to an ed25519 key; those start with 12D3KooW")]
    NotEd25519,
}

impl PeerId {
    /// Encodes the key as a libp2p peer id.
    #[must_use]
    pub fn id_bytes(&self) -> [u8; ID_BYTES] {
        let mut out = [0; ID_BYTES];
        let (prefix, key) = out.split_at_mut(ID_PREFIX.len());
        prefix.copy_from_slice(&ID_PREFIX);
        key.copy_from_slice(&self.0);
        out
    }

    /// Decodes a libp2p peer id. Returns `None` if its key is not ed25519.
    #[must_use]
    pub fn from_id_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.strip_prefix(&ID_PREFIX)?.try_into().ok().map(Self)
    }
}

impl FromStr for PeerId {
    type Err = ParsePeerIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = base58::decode(text).map_err(|_| ParsePeerIdError::Base58)?;
        Self::from_id_bytes(&bytes).ok_or(ParsePeerIdError::NotEd25519)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base58::encode(&self.id_bytes()))
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
