//! The key that a server proves its identity with.

use std::fmt;
use std::time::Duration;

use bitcoin::base58;
use bitcoin::secp256k1::{Keypair, Secp256k1};
use noise_sv2::Responder;

/// Version of the key's text, before the key.
const KEY_VERSION: [u8; 2] = [1, 0];

/// For how long a connection's certificate is valid. Devices check it when they connect.
const CERTIFICATE: Duration = Duration::from_secs(24 * 60 * 60);

/// The authority key of a server. Devices that know its public key recognize the server, and nobody between them and the
/// server can read or change what they say.
#[derive(Clone)]
pub struct Authority {
    secret: [u8; 32],
    public: [u8; 32],
}

/// These 32 bytes are no secret key of secp256k1: zero, or too large.
#[derive(Debug, thiserror::Error)]
#[error("these 32 bytes are not a secret key: it is a number above 0 and below the order of secp256k1")]
pub struct NotAKey;

impl Authority {
    /// Takes a secret key.
    ///
    /// # Errors
    /// The bytes are no secret key.
    pub fn from_secret(secret: [u8; 32]) -> Result<Self, NotAKey> {
        let pair = Keypair::from_seckey_slice(&Secp256k1::signing_only(), &secret).map_err(|_| NotAKey)?;
        Ok(Self { secret, public: pair.x_only_public_key().0.serialize() })
    }

    /// Returns the x-only public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Returns the public key as miners enter it: base58check of a version and the key.
    pub fn public_key_text(&self) -> String {
        base58::encode_check(&[KEY_VERSION.as_slice(), &self.public].concat())
    }

    /// Begins a handshake, with a new static key that the authority signs.
    pub(super) fn responder(&self) -> Box<Responder> {
        let responder = Responder::from_authority_kp(&self.public, &self.secret, CERTIFICATE);
        responder.expect("the public key is that of the secret key")
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authority").field(&self.public_key_text()).finish()
    }
}
