//! The custom signet of the test network.
//!
//! Its challenge is `OP_TRUE`, so a block needs neither a signature nor a signet commitment. A node cannot tell the
//! embedded Bitcoin from a real bitcoind started with `-signetchallenge=51`. However, a signet's block must have
//! BIP-0141's witness commitment, even without any witness. The genesis block is that of the public signet. The
//! difficulty starts at about 4.8 million hashes per block and never falls below.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::script::{Builder, PushBytes};
use bitcoin::{
    Amount, Block, CompactTarget, Network, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn, TxOut, Witness,
    WitnessMerkleNode, Wtxid, merkle_tree, transaction,
};

/// The block challenge: the script `OP_TRUE`.
pub const CHALLENGE: [u8; 1] = [0x51];

/// The challenge in hexadecimal, as in bitcoind's `-signetchallenge` and its RPC.
pub const CHALLENGE_HEX: &str = "51";

/// Easiest difficulty of the network, in the header's compact form.
pub const POW_LIMIT_BITS: u32 = 0x1e03_77ae;

/// Blocks between two difficulty retargets.
pub const RETARGET_BLOCKS: u32 = 2016;

/// Blocks that must be built on a coinbase before its outputs can be spent.
pub const COINBASE_MATURITY: u32 = 100;

/// Blocks between two halvings of the subsidy.
pub const HALVING_BLOCKS: u32 = 210_000;

/// The first bytes of the output script with the witness commitment, BIP-0141.
pub const COMMITMENT_START: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// The coinbase's witness reserved value: 32 bytes without meaning.
pub const RESERVED_VALUE: [u8; 32] = [0; 32];

/// Returns the network's first block, at height 0.
pub fn genesis() -> Block {
    bitcoin::constants::genesis_block(Network::Signet)
}

/// Returns the first four bytes of every peer-to-peer message, which derive from the challenge.
pub fn magic() -> [u8; 4] {
    let serialized_challenge = [CHALLENGE.len() as u8, CHALLENGE[0]];
    let digest = sha256d::Hash::hash(&serialized_challenge).to_byte_array();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Returns the easiest target of a block.
pub fn pow_limit() -> Target {
    Target::from_compact(CompactTarget::from_consensus(POW_LIMIT_BITS))
}

/// Returns the new coins of the block at `height`, without fees.
pub fn subsidy(height: u32) -> Amount {
    let halvings = height / HALVING_BLOCKS;
    Amount::from_sat(50 * 100_000_000_u64.checked_shr(halvings).unwrap_or(0))
}

/// Returns the `nBits` of the block at `height`, from its parent's `nBits` and the times of the first and last block of
/// the period that ends before `height`.
pub fn next_bits(height: u32, parent_bits: u32, first_time: u32, last_time: u32) -> u32 {
    if !height.is_multiple_of(RETARGET_BLOCKS) {
        return parent_bits;
    }
    let elapsed = u64::from(last_time.saturating_sub(first_time));
    CompactTarget::from_next_work_required(
        CompactTarget::from_consensus(parent_bits),
        elapsed,
        bitcoin::params::Params::SIGNET,
    )
    .to_consensus()
}

/// Returns the output script that commits to the witnesses of a block, BIP-0141. `wtxids` are those of the transactions
/// after the coinbase.
pub fn witness_commitment(wtxids: impl IntoIterator<Item = Wtxid>, reserved_value: &[u8]) -> ScriptBuf {
    // Zeros replace the coinbase's own id.
    let nodes = std::iter::once(Wtxid::all_zeros())
        .chain(wtxids)
        .map(|wtxid| WitnessMerkleNode::from_raw_hash(wtxid.to_raw_hash()));
    let root = merkle_tree::calculate_root(nodes).unwrap_or_else(WitnessMerkleNode::all_zeros);
    let commitment = Block::compute_witness_commitment(&root, reserved_value);
    let mut script = COMMITMENT_START.to_vec();
    script.extend_from_slice(commitment.as_byte_array());
    ScriptBuf::from_bytes(script)
}

/// Returns the coinbase of a block without other transactions. `tag` makes the script sig of the first 16 heights longer
/// than consensus' minimum of two bytes.
pub fn coinbase(height: u32, tag: &PushBytes, script: ScriptBuf) -> Transaction {
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: Builder::new().push_int(height.into()).push_slice(tag).into_script(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[RESERVED_VALUE]),
        }],
        output: vec![
            TxOut { value: subsidy(height), script_pubkey: script },
            TxOut { value: Amount::ZERO, script_pubkey: witness_commitment([], &RESERVED_VALUE) },
        ],
    }
}

#[cfg(test)]
mod tests;
