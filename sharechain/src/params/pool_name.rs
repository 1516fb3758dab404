//! The name of a pool, which keeps private pools apart.

use std::fmt;
use std::str::FromStr;

/// Maximum length of a name, bytes.
const NAME_BYTES_MAX: usize = 32;

/// Name of a private pool: 1 to 32 lower-case letters, digits and hyphens. The public pool has no name.
///
/// ```
/// use sharechain::{ChainParams, PoolName};
///
/// let garage = ChainParams { pool: "garage".parse()?, ..ChainParams::main() };
/// assert_ne!(garage.consensus_id(), ChainParams::main().consensus_id());
/// assert!("Garage".parse::<PoolName>().is_err());
/// # Ok::<(), sharechain::PoolNameError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PoolName {
    bytes: [u8; NAME_BYTES_MAX],
    length: usize,
}

/// A text is not the name of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a pool has 1 to 32 characters from a-z, 0-9 and -")]
pub struct PoolNameError;

impl PoolName {
    /// The public pool, which has no name.
    pub const PUBLIC: Self = Self { bytes: [0; NAME_BYTES_MAX], length: 0 };

    /// True for the public pool.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.length == 0
    }

    /// The name; empty for the public pool.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|name| str::from_utf8(name).ok()).unwrap_or_default()
    }
}

impl FromStr for PoolName {
    type Err = PoolNameError;

    fn from_str(text: &str) -> Result<Self, PoolNameError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let mut name = Self { length: text.len(), ..Self::PUBLIC };
        let room = name.bytes.get_mut(..text.len()).ok_or(PoolNameError)?;
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(PoolNameError);
        }
        room.copy_from_slice(text.as_bytes());
        Ok(name)
    }
}

impl fmt::Debug for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
