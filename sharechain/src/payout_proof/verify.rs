//! Verifies a payout proof: from the header to the coinbase, the share header, and the window.

use bitcoin::block::Header;
use bitcoin::hashes::Hash;

use super::judge::{Judge, Window};
use super::{Finding, Paid, PayoutProof, ProofFault, Verdict};
use crate::check::binding::merkle_root;
use crate::coinbase::Coinbase;
use crate::hash::Tag;
use crate::params::ChainParams;
use crate::state::Commitment;
use crate::target::target_of_bits;
use crate::units::{ShareId, Timestamp, Weight};

impl PayoutProof {
    /// Verifies the proof for the pool with these constants, and against this header of a Bitcoin block.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(&self, header: &Header, params: &ChainParams) -> Result<Verdict, ProofFault> {
        if self.consensus_id != params.consensus_id() {
            return Err(ProofFault::OtherPool);
        }
        if self.header != *header {
            return Err(ProofFault::OtherHeader);
        }
        self.check_work()?;
        self.check_coinbase()?;
        let window = self.window()?;
        let seed = self.seed(params)?;
        let (window_weight, has_most_outputs, finding) = match &window {
            None => (Weight::ZERO, self.payouts.len() == 1, self.alone()?),
            Some(window) => Judge::new(self, window, params)?.finding(&seed)?,
        };
        Ok(Verdict {
            block: self.header.block_hash(),
            height: self.share.bitcoin_height,
            time: Timestamp(self.header.time),
            value_sat: self.share.coinbase_value,
            outputs: self.payouts.len(),
            has_most_outputs,
            scripts: self.dues,
            window_weight,
            finding,
        })
    }

    /// The header's hash meets the target that its own nBits encode. Whether Bitcoin demands that target, only its
    /// chain shows.
    fn check_work(&self) -> Result<(), ProofFault> {
        const EXPONENT_MAX: u32 = 32;
        const SIGN: u32 = 0x0080_0000;
        let bits = self.header.bits.to_consensus();
        let is_sane = bits.wrapping_shr(24) <= EXPONENT_MAX && bits & SIGN == 0;
        let hash = ShareId::from(self.header.block_hash()).as_number();
        if is_sane && hash <= target_of_bits(self.header.bits) { Ok(()) } else { Err(ProofFault::NoWork) }
    }

    /// The coinbase, rebuilt from its parts, leads to the header.
    fn check_coinbase(&self) -> Result<(), ProofFault> {
        let coinbase = Coinbase {
            share: &self.share,
            payouts: &self.payouts,
            extranonce: &self.extranonce,
            witness_commitment: self.witness_commitment.as_ref(),
        };
        let txid = coinbase.build(&self.consensus_id).txid().to_byte_array();
        if merkle_root(txid, &self.branch) != self.header.merkle_root.to_byte_array() {
            return Err(ProofFault::NotInBlock);
        }
        let paid = self.payouts.iter().try_fold(0_u64, |sum, payout| sum.checked_add(payout.value.to_sat()));
        if paid == Some(self.share.coinbase_value) { Ok(()) } else { Err(ProofFault::Value) }
    }

    /// The dues that the proof shows, as the state root commits to them. `None` if the window has none.
    fn window(&self) -> Result<Option<Window>, ProofFault> {
        let (commitment, window) = if self.dues == 0 {
            if !self.opening.leaves.is_empty() || !self.opening.siblings.is_empty() || self.exact != 0 {
                return Err(ProofFault::Shown);
            }
            (Commitment::default(), None)
        } else {
            let (root, starts) = self.opening.root(self.dues).ok_or(ProofFault::Shown)?;
            (Commitment { leaves: self.dues, root }, Some(Window { sum: root.sum.0, starts }))
        };
        let rest = &self.rest;
        let root = Tag::State.hash(&[&commitment.encode(), &rest.credits, &rest.history, &rest.signals]);
        if root == self.share.state_root { Ok(window) } else { Err(ProofFault::StateRoot) }
    }

    /// The seed of the lottery: the hash of the block `seed_depth` below the previous one.
    fn seed(&self, params: &ChainParams) -> Result<[u8; 32], ProofFault> {
        let below = self.share.bitcoin_height.saturating_sub(1).min(params.seed_depth);
        if u32::try_from(self.ancestors.len()) != Ok(below) {
            return Err(ProofFault::Seed);
        }
        let next = |hash, header: &Header| (header.block_hash() == hash).then_some(header.prev_blockhash);
        let seed = self.ancestors.iter().try_fold(self.header.prev_blockhash, next);
        seed.map(|hash| hash.to_byte_array()).ok_or(ProofFault::Seed)
    }

    /// The finding for a block that pays only its finder (SC-304).
    fn alone(&self) -> Result<Finding, ProofFault> {
        let [payout] = self.payouts.as_slice() else { return Err(ProofFault::Split) };
        if payout.script_pubkey != self.share.payout {
            return Err(ProofFault::Script(0));
        }
        let output = Paid { index: 0, value_sat: payout.value.to_sat() };
        Ok(if self.script == self.share.payout { Finding::Finder { output } } else { Finding::OtherFinder })
    }
}
