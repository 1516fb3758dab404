//! What a proof shows by itself: that its work was spent on its own share header.

use bitcoin::TxOut;
use bitcoin::hashes::sha256::{self, Midstate};
use bitcoin::hashes::{Hash, HashEngine, sha256d};

use crate::coinbase::{Coinbase, suffix};
use crate::error::RuleError;
use crate::share::Proof;
use crate::units::{ShareId, U256};

#[cfg(test)]
mod tests;

/// A proof whose Bitcoin header commits to its share header, and whose hash meets some plausible target.
///
/// Only [`BoundProof::bind`] makes one, so whoever holds one need not check that again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundProof {
    proof: Proof,
    id: ShareId,
}

impl BoundProof {
    /// Checks SC-101 and SC-102, which need nothing but the proof.
    ///
    /// `easiest_target` is the easiest that any position in sight may have; templates, which have no hash yet, are bound
    /// with [`U256::MAX`].
    ///
    /// # Errors
    /// The rule broken. It costs the sender and says nothing about the id: an honest proof with the same Bitcoin header
    /// may still come.
    pub fn bind(proof: Proof, easiest_target: U256, consensus_id: &[u8; 32]) -> Result<Self, RuleError> {
        let id = proof.id();
        // SC-101: the hash, as a little-endian number, is not above the easiest plausible target.
        if id.as_number() > easiest_target {
            return Err(RuleError::NoWork);
        }
        // SC-102: the coinbase that continues the prefix with the commitment output and the locktime hashes, folded with
        // the branch from the left, to the header's merkle root.
        let leaf = finish_coinbase(&proof, consensus_id).ok_or(RuleError::NotBound)?;
        if merkle_root(leaf, &proof.branch) != proof.header.merkle_root.to_byte_array() {
            return Err(RuleError::NotBound);
        }
        Ok(Self { proof, id })
    }

    /// Checks SC-301, given what settled history demands.
    ///
    /// # Errors
    /// [`RuleError::Payout`] when the coinbase is any other than the one that pays exactly this.
    pub fn check_coinbase(&self, payouts: &[TxOut]) -> Result<(), RuleError> {
        let Proof { share, extranonce, witness_commitment, prefix, .. } = &self.proof;
        let demanded = Coinbase { share, payouts, extranonce, witness_commitment: witness_commitment.as_ref() };
        // SC-301: the coinbase is, to the byte, the one that the rules build from share header and history.
        if demanded.matches_prefix(prefix) { Ok(()) } else { Err(RuleError::Payout) }
    }

    /// The proof's id.
    #[must_use]
    pub fn id(&self) -> ShareId {
        self.id
    }

    /// The proof.
    #[must_use]
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The proof, to be kept.
    #[must_use]
    pub fn into_proof(self) -> Proof {
        self.proof
    }
}

/// The merkle root over a leaf at index 0 and its branch.
#[must_use]
pub fn merkle_root(leaf: [u8; 32], branch: &[[u8; 32]]) -> [u8; 32] {
    branch.iter().fold(leaf, |left, right| {
        let mut engine = sha256d::Hash::engine();
        engine.input(&left);
        engine.input(right);
        sha256d::Hash::from_engine(engine).to_byte_array()
    })
}

/// The coinbase's id, in hash order; none when the prefix's length and tail contradict each other, which no decoded
/// proof's do.
fn finish_coinbase(proof: &Proof, consensus_id: &[u8; 32]) -> Option<[u8; 32]> {
    let prefix = &proof.prefix;
    let hashed = usize::try_from(prefix.length).ok()?.checked_sub(prefix.tail.len())?;
    if prefix.tail.len() >= sha256::HashEngine::BLOCK_SIZE || !hashed.is_multiple_of(sha256::HashEngine::BLOCK_SIZE) {
        return None;
    }
    let mut engine = sha256::HashEngine::from_midstate(Midstate::from_byte_array(prefix.midstate), hashed);
    engine.input(&prefix.tail);
    engine.input(&suffix(consensus_id, &proof.share));
    Some(sha256::Hash::from_engine(engine).hash_again().to_byte_array())
}
