//! The data that travels and is stored, nothing else: see [`crate::encode`] for its bytes.

use bitcoin::ScriptBuf;
use bitcoin::block::Header;

use crate::units::{ShareId, Timestamp};

/// Version of the share header that this implementation makes and accepts (SC-004).
pub const SHARE_VERSION: u32 = 1;

/// Bytes in the coinbase's scriptSig that a device and its server roll.
pub const EXTRANONCE_BYTES: usize = 16;

/// What a miner commits to before hashing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareHeader {
    /// Format and rules; [`SHARE_VERSION`].
    pub version: u32,
    /// The link that this proof extends.
    pub parent: ShareId,
    /// The ancestor of `parent` exactly [`crate::ChainParams::anchor_depth`] links below it.
    pub anchor: ShareId,
    /// [`crate::encode::shares_root`] of the ids that the proof lists if it turns out to be a link.
    pub shares_root: [u8; 32],
    /// How many ids that list has.
    pub shares_count: u16,
    /// Who is credited: P2PKH, P2SH, P2WPKH, P2WSH or P2TR (SC-005).
    pub payout: ScriptBuf,
    /// When the work was handed out, seconds since 1970.
    pub time: Timestamp,
    /// Height of the Bitcoin block that this proof would be.
    pub bitcoin_height: u32,
    /// Sum of the coinbase's outputs: subsidy and fees, satoshi.
    pub coinbase_value: u64,
    /// Version bits for upgrades of the share-chain's rules.
    pub signals: u32,
}

/// A share or a link: a Bitcoin header with low enough a hash, and what ties that header to a [`ShareHeader`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The Bitcoin header; its hash is the proof's id.
    pub header: Header,
    /// What the coinbase commits to.
    pub share: ShareHeader,
    /// The rolled bytes in the coinbase's scriptSig.
    pub extranonce: [u8; EXTRANONCE_BYTES],
    /// The hash in the witness commitment output, if the coinbase has one
    /// ([BIP-0141](https://github.com/bitcoin/bips/blob/master/bip-0141.mediawiki)).
    pub witness_commitment: Option<[u8; 32]>,
    /// Merkle branch from the coinbase, index 0, to the root in the header.
    pub branch: Vec<[u8; 32]>,
    /// The coinbase before its last output.
    pub prefix: CoinbasePrefix,
}

/// SHA-256 of the coinbase's serialization without witness, stopped before the last output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinbasePrefix {
    /// State after the last whole 64-byte block.
    pub midstate: [u8; 32],
    /// Length of the prefix in bytes.
    pub length: u32,
    /// The `length % 64` bytes after the last whole block.
    pub tail: Vec<u8>,
}

impl Proof {
    /// The proof's id.
    #[must_use]
    pub fn id(&self) -> ShareId {
        self.header.block_hash().into()
    }
}
