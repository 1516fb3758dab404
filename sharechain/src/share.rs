//! Data types of a proof. [`crate::encode`] has their encoding.

use bitcoin::ScriptBuf;
use bitcoin::block::Header;

use crate::units::{ShareId, Timestamp};

/// Version of the share header that this implementation writes and accepts (SC-004).
pub const SHARE_VERSION: u32 = 2;

/// Length of the extranonce in the coinbase's scriptSig, bytes. The device and its mining server roll it.
pub const EXTRANONCE_BYTES: usize = 16;

/// Share-chain data that the coinbase commits to before hashing starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareHeader {
    /// Version of the format and the rules: [`SHARE_VERSION`].
    pub version: u32,
    /// Link that this proof extends.
    pub parent: ShareId,
    /// Ancestor of `parent` exactly [`crate::ChainParams::anchor_depth`] links below it (SC-202).
    pub anchor: ShareId,
    /// [`crate::encode::shares_root`] of the ids that the proof lists if it becomes a link.
    pub shares_root: [u8; 32],
    /// Number of ids in that list.
    pub shares_count: u16,
    /// [`crate::state::State::root`]: commits to the window, the credits and the history if the proof becomes a link.
    pub state_root: [u8; 32],
    /// Payout script that is credited, in one of the forms of SC-005.
    pub payout: ScriptBuf,
    /// When the node handed out the work, Unix time in seconds.
    pub time: Timestamp,
    /// Height that the proof would have as a Bitcoin block.
    pub bitcoin_height: u32,
    /// Sum of the coinbase's outputs, subsidy plus fees, satoshi.
    pub coinbase_value: u64,
    /// Bits that signal readiness for upgrades of the share-chain's rules.
    pub signals: u32,
    /// Script of one more output without value, in case Bitcoin later requires one in a block (SC-010). Empty for no
    /// such output.
    pub null_data: ScriptBuf,
}

/// A share or link: a Bitcoin header with a low hash, and the data that binds the header to a [`ShareHeader`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Bitcoin header. Its hash is the proof's id.
    pub header: Header,
    /// Share header that the coinbase commits to.
    pub share: ShareHeader,
    /// Rolled bytes in the coinbase's scriptSig.
    pub extranonce: [u8; EXTRANONCE_BYTES],
    /// Hash in the witness commitment output, if the coinbase has one
    /// ([BIP-0141](https://github.com/bitcoin/bips/blob/master/bip-0141.mediawiki)).
    pub witness_commitment: Option<[u8; 32]>,
    /// Merkle branch from the coinbase, at index 0, to the root in the header.
    pub branch: Vec<[u8; 32]>,
    /// The coinbase up to its last output, as a SHA-256 state.
    pub prefix: CoinbasePrefix,
}

/// State of SHA-256 over the coinbase's serialization without witness, just before the last output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinbasePrefix {
    /// Midstate after the last whole 64-byte block.
    pub midstate: [u8; 32],
    /// Length of the prefix in bytes.
    pub length: u32,
    /// Bytes of the prefix after the last whole block: `length % 64` bytes.
    pub tail: Vec<u8>,
}

impl Proof {
    /// Id of the proof: the hash of its Bitcoin header.
    #[must_use]
    pub fn id(&self) -> ShareId {
        self.header.block_hash().into()
    }
}
