//! Payout proofs: what a Bitcoin block of the pool pays a script, verifiable from the block's header alone (protocol
//! §16).
//!
//! A proof leads from the header to the coinbase, from its last output to the share header, and from the state root to
//! the script's due in the window (SC-408). The rules of the payouts then say what the coinbase must pay. No share-chain
//! is needed, so a proof outlives every node.
//!
//! A proof does not show that the block is in Bitcoin's best chain, nor that the weights in the window are right. Nodes
//! judge the state root of every link, and build on none with a wrong one.

mod block_window;
mod encode;
mod judge;
#[cfg(test)]
mod tests;
mod verify;

use bitcoin::block::Header;
use bitcoin::{BlockHash, ScriptBuf, TxOut};

use crate::error::RuleError;
use crate::share::{EXTRANONCE_BYTES, ShareHeader};
use crate::state::Opening;
use crate::units::{Timestamp, Weight};

pub use block_window::BlockWindow;

/// Version of the encoding that this implementation writes and reads.
pub const VERSION: u8 = 1;

/// First bytes of an encoded proof.
pub const MAGIC: &[u8; 8] = b"shoalpay";

/// What a block pays a script, with everything needed to verify it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutProof {
    /// Consensus id of the pool.
    pub consensus_id: [u8; 32],
    /// The script that the proof is about.
    pub script: ScriptBuf,
    /// Header of the block.
    pub header: Header,
    /// Headers of the blocks before it, newest first, down to the one whose previous block is the seed (SC-302).
    pub ancestors: Vec<Header>,
    /// Share header that the coinbase commits to.
    pub share: ShareHeader,
    /// Rolled bytes in the coinbase's scriptSig.
    pub extranonce: [u8; EXTRANONCE_BYTES],
    /// Hash in the witness commitment output, if the coinbase has one.
    pub witness_commitment: Option<[u8; 32]>,
    /// Merkle branch from the coinbase to the root in the header.
    pub branch: Vec<[u8; 32]>,
    /// Payout outputs of the coinbase, in order.
    pub payouts: Vec<TxOut>,
    /// The parts of the state root that are not about the window.
    pub rest: StateRest,
    /// Number of dues in the window. 0 if only the finder is paid (SC-304).
    pub dues: u32,
    /// Number of leading payouts that are proportional (SC-306). 0 if only the finder is paid.
    pub exact: u16,
    /// Dues of the window: the last proportional one, and the script's due or the two on either side of its place.
    pub opening: Opening,
}

/// The commitments of a state root beside the window, in hashing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateRest {
    /// Commitment to the credits of the link's list.
    pub credits: [u8; 52],
    /// Commitment to the links below.
    pub history: [u8; 68],
    /// Commitment to the upgrade signals.
    pub signals: [u8; 32],
}

/// The facts that a proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Hash of the block.
    pub block: BlockHash,
    /// Height of the block, as its coinbase has it.
    pub height: u32,
    /// Time of its header.
    pub time: Timestamp,
    /// Sum of the coinbase's outputs, satoshi.
    pub value_sat: u64,
    /// Number of payout outputs.
    pub outputs: usize,
    /// True if it has as many payout outputs as any block of the pool may have with this window. Where there are fewer,
    /// the proof does not show that one more would be below the floor of SC-305.
    pub has_most_outputs: bool,
    /// Number of scripts with weight in the window.
    pub scripts: u32,
    /// Sum of all weights in the window.
    pub window_weight: Weight,
    /// What the block pays the script, and why.
    pub finding: Finding,
}

/// What a block pays a script, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Its due is paid proportionally (SC-306).
    Exact {
        /// Its output.
        output: Paid,
        /// Its weight in the window.
        weight: Weight,
    },
    /// It took part in the lottery and was drawn (SC-307).
    Drawn {
        /// Its output.
        output: Paid,
        /// Its weight in the window.
        weight: Weight,
        /// Its place in the lottery.
        ticket: Ticket,
    },
    /// It took part in the lottery and was not drawn.
    NotDrawn {
        /// Its weight in the window.
        weight: Weight,
        /// Its place in the lottery.
        ticket: Ticket,
    },
    /// It has no weight in the window, and no output.
    Absent,
    /// It found the block, which pays only its finder (SC-304).
    Finder {
        /// Its output.
        output: Paid,
    },
    /// The block pays only its finder, which is another script.
    OtherFinder,
}

/// An output of the coinbase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Number of outputs before it.
    pub index: usize,
    /// Satoshi that it pays.
    pub value_sat: u64,
}

/// The interval of a due on the line of the lottery, and the points that decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Start of the interval, which belongs to it.
    pub start: u128,
    /// End of the interval, which does not.
    pub end: u128,
    /// The first point.
    pub first_point: u128,
    /// Distance of one point from the next, and weight of each drawn output.
    pub step: u128,
    /// Number of points.
    pub points: usize,
}

/// Why bytes are not a payout proof, or a proof is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// It is too long.
    #[error("the proof has more than 57,344 bytes")]
    TooLong,
    /// It does not begin like a proof.
    #[error("the file is not a payout proof of Shoal")]
    NotAProof,
    /// Its version is not known.
    #[error("the proof has version {0}, and this program knows version 1; install a newer one")]
    Version(u8),
    /// A count or a flag is out of range.
    #[error("the proof has too many {0}")]
    TooMany(&'static str),
    /// A part is not canonically encoded.
    #[error(transparent)]
    Encoding(#[from] RuleError),
    /// It is about another pool.
    #[error("the proof is about another pool")]
    OtherPool,
    /// It is about another block.
    #[error("the proof is about another Bitcoin block")]
    OtherHeader,
    /// The header's hash is above its own target.
    #[error("the Bitcoin header lacks the work that its nBits require")]
    NoWork,
    /// The coinbase is not in the block.
    #[error(
        "the coinbase that follows from the share header and the payouts does not lead to the Merkle root of the header"
    )]
    NotInBlock,
    /// The payouts do not add up to the coinbase's value.
    #[error("the payouts do not add up to the value in the share header")]
    Value,
    /// The window does not lead to the state root.
    #[error("the dues that the proof shows do not lead to the state root of the share header")]
    StateRoot,
    /// The headers before the block do not lead to the seed.
    #[error("the Bitcoin headers before the block do not lead to the seed of its lottery")]
    Seed,
    /// The proof shows other dues than it must.
    #[error("the proof does not show the dues that decide")]
    Shown,
    /// The outputs are not divided as the rules divide them.
    #[error("the number of outputs, or of proportional ones, does not follow from the window (SC-305, SC-306)")]
    Split,
    /// An output pays another script than follows from the window.
    #[error("output {0} pays another script than follows from the window")]
    Script(usize),
    /// An output pays another amount than follows from the window.
    #[error("output {0} pays another amount than follows from the window (SC-308)")]
    Amount(usize),
    /// The coinbase pays a script that is due nothing.
    #[error("the coinbase pays the script, which follows from nothing in the window")]
    Unexpected,
}
