//! Context-free checks: a proof's work was done for its own share header.

use bitcoin::TxOut;
use bitcoin::hashes::sha256::{self, Midstate};
use bitcoin::hashes::{Hash, HashEngine, sha256d};

use crate::coinbase::{Coinbase, suffix};
use crate::error::RuleError;
use crate::share::Proof;
use crate::units::{ShareId, U256};

#[cfg(test)]
mod tests;

/// A proof whose Bitcoin header commits to its share header and whose hash meets a plausible target.
///
/// Only [`BoundProof::bind`] creates one, so its holder need not repeat these checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundProof {
    proof: Proof,
    id: ShareId,
}

impl BoundProof {
    /// Checks SC-101 and SC-102, which depend only on the proof.
    ///
    /// `easiest_target` is the easiest share target that any recent position may have. A job template has no hash yet,
    /// so it binds with [`U256::MAX`].
    ///
    /// # Errors
    /// The broken rule. The sender is at fault, but the id is not invalid: an honest proof with the same Bitcoin header
    /// may still arrive.
    ///
    /// # Example
    /// ```
    /// use sharechain::RuleError;
    /// use sharechain::check::binding::BoundProof;
    /// use testkit::{World, miner};
    ///
    /// let mut world = World::new();
    /// world.bitcoin_block();
    /// let spec = world.spec(miner(1));
    /// let proof = world.mine(&spec);
    /// let (easiest, network) = (world.chain.params().easiest_share_target, world.chain.consensus_id());
    /// let bound = BoundProof::bind(proof.clone(), easiest, network)?;
    /// assert_eq!(bound.id(), proof.id());
    ///
    /// // The coinbase commits to the share header: with another payout script it is not bound.
    /// let mut stolen = proof;
    /// stolen.share.payout = miner(2);
    /// assert_eq!(BoundProof::bind(stolen, easiest, network), Err(RuleError::NotBound));
    /// # Ok::<(), RuleError>(())
    /// ```
    pub fn bind(proof: Proof, easiest_target: U256, consensus_id: &[u8; 32]) -> Result<Self, RuleError> {
        let id = proof.id();
        // SC-101: The hash is not above the easiest plausible target.
        if id.as_number() > easiest_target {
            return Err(RuleError::NoWork);
        }
        // SC-102: The coinbase consists of the prefix, the commitment output and the locktime. Its hash, folded with
        // the branch from the left, is the header's merkle root.
        let leaf = finish_coinbase(&proof, consensus_id).ok_or(RuleError::NotBound)?;
        if merkle_root(leaf, &proof.branch) != proof.header.merkle_root.to_byte_array() {
            return Err(RuleError::NotBound);
        }
        Ok(Self { proof, id })
    }

    /// Checks SC-301, given the payout outputs that follow from the share-chain.
    ///
    /// # Errors
    /// [`RuleError::Payout`] if the coinbase is not byte for byte the one with these payouts.
    pub fn check_coinbase(&self, payouts: &[TxOut]) -> Result<(), RuleError> {
        let Proof { share, extranonce, witness_commitment, prefix, .. } = &self.proof;
        let demanded = Coinbase { share, payouts, extranonce, witness_commitment: witness_commitment.as_ref() };
        // SC-301: The coinbase is, byte for byte, the one that follows from the share header, the extranonce, the
        // witness commitment and the payouts.
        if demanded.matches_prefix(prefix) { Ok(()) } else { Err(RuleError::Payout) }
    }

    /// Id of the proof.
    #[must_use]
    pub fn id(&self) -> ShareId {
        self.id
    }

    /// The proof itself.
    #[must_use]
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Returns the proof by value.
    #[must_use]
    pub fn into_proof(self) -> Proof {
        self.proof
    }
}

/// Returns the merkle root of a leaf at index 0 and its branch. All hashes are in SHA-256 output order.
#[must_use]
pub fn merkle_root(leaf: [u8; 32], branch: &[[u8; 32]]) -> [u8; 32] {
    branch.iter().fold(leaf, |left, right| {
        let mut engine = sha256d::Hash::engine();
        engine.input(&left);
        engine.input(right);
        sha256d::Hash::from_engine(engine).to_byte_array()
    })
}

/// Returns the coinbase's txid in SHA-256 output order. Returns `None` if the prefix's length and tail contradict each
/// other, which cannot happen in a decoded proof.
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
