//! The data from which a node proves what a block pays any script: its proof, its window, and a few headers.

use bitcoin::Script;
use bitcoin::block::Header;

use super::encode::{push_count, push_header, push_script, read_header, read_script, read_some};
use super::{PayoutProof, ProofFault, StateRest};
use crate::encode::Reader;
use crate::limits::{PROOF_BYTES_MAX, PROVEN_HEADERS_MAX};
use crate::params::ChainParams;
use crate::payout::{Due, Lottery, Selection, select};
use crate::share::Proof;
use crate::state::Opening;
use crate::units::Weight;

/// Version of the encoding.
const VERSION: u8 = 1;

/// A block of the pool with the window that it pays by. It outlives both in the share-chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockWindow {
    /// The proof that is the block.
    pub proof: Proof,
    /// Headers of the blocks before it, newest first, down to the one whose previous block is the seed.
    pub ancestors: Vec<Header>,
    /// The commitments of the state root beside the window.
    pub rest: StateRest,
    /// Number of proofs credited from genesis up to the snapshot (SC-304).
    pub listed_total: u64,
    /// The dues in the order of the coinbase. None if only the finder is paid.
    pub dues: Vec<Due>,
}

impl BlockWindow {
    /// Canonical encoding. It takes about 32 bytes per due.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        let proof = self.proof.encode();
        out.extend_from_slice(&u16::try_from(proof.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(&proof);
        push_count(&mut out, self.ancestors.len());
        for header in &self.ancestors {
            push_header(&mut out, header);
        }
        self.rest.encode_into(&mut out);
        out.extend_from_slice(&self.listed_total.to_le_bytes());
        out.extend_from_slice(&u32::try_from(self.dues.len()).unwrap_or(u32::MAX).to_le_bytes());
        for due in &self.dues {
            let bytes = due.weight.0.to_le_bytes();
            let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
            push_count(&mut out, length);
            out.extend_from_slice(bytes.get(..length).unwrap_or_default());
            push_script(&mut out, &due.script);
        }
        out
    }

    /// Decodes what [`BlockWindow::encode`] wrote.
    ///
    /// # Errors
    /// `bytes` is something else.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofFault> {
        let mut reader = Reader(bytes);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(ProofFault::Version(version));
        }
        let length = usize::from(reader.u16()?);
        if length > PROOF_BYTES_MAX {
            return Err(ProofFault::TooLong);
        }
        let proof = Proof::decode(reader.take(length)?)?;
        let ancestors = read_some(&mut reader, PROVEN_HEADERS_MAX, "Bitcoin headers", read_header)?;
        let rest = StateRest::read(&mut reader)?;
        let (listed_total, count) = (reader.u64()?, reader.u32()?);
        let dues = (0..count).map(|_| read_due(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Self { proof, ancestors, rest, listed_total, dues })
    }

    /// Hash of the Bitcoin block that seeds the lottery, in SHA-256 output order.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        let last = self.ancestors.last().unwrap_or(&self.proof.header);
        bitcoin::hashes::Hash::to_byte_array(last.prev_blockhash)
    }

    /// Proves what the block pays a script. `None` if the window does not belong to the block, which cannot happen for
    /// one that a chain made.
    #[must_use]
    pub fn prove(&self, script: &Script, params: &ChainParams) -> Option<PayoutProof> {
        let Proof { header, share, extranonce, witness_commitment, branch, .. } = &self.proof;
        let subsidy_sat = params.bitcoin.subsidy_sat(share.bitcoin_height);
        let dues = self.dues.iter().map(|due| (due.script.as_script(), due.weight));
        let selection = select(dues, &self.seed(), subsidy_sat, params).ok()?;
        let exact = selection.as_ref().map_or(0, Selection::exact);
        let shown = if self.dues.is_empty() { Vec::new() } else { self.shown(script, exact)? };
        let selection = selection.unwrap_or_else(|| Selection::finder_alone(share.payout.clone()));
        Some(PayoutProof {
            consensus_id: params.consensus_id(),
            script: script.into(),
            header: *header,
            ancestors: self.ancestors.clone(),
            share: share.clone(),
            extranonce: *extranonce,
            witness_commitment: *witness_commitment,
            branch: branch.clone(),
            payouts: selection.amounts(share.coinbase_value).ok()?,
            rest: self.rest,
            dues: u32::try_from(self.dues.len()).ok()?,
            exact: u16::try_from(exact).ok()?,
            opening: if self.dues.is_empty() { Opening::default() } else { Opening::of(&self.dues, &shown)? },
        })
    }

    /// Places of the dues that decide about a script.
    fn shown(&self, script: &Script, exact: usize) -> Option<Vec<u32>> {
        let mut shown: Vec<usize> = exact.checked_sub(1).into_iter().collect();
        match self.dues.iter().position(|due| due.script.as_script() == script) {
            Some(own) => shown.push(own),
            None => {
                let (lottery, tail) = (Lottery::of(&self.seed()), self.dues.get(exact..)?);
                let place = lottery.place(script);
                let before = tail.partition_point(|due| lottery.place(&due.script) < place);
                let next = exact.checked_add(before)?;
                shown.extend(next.checked_sub(1).filter(|left| *left >= exact));
                shown.extend((next < self.dues.len()).then_some(next));
            }
        }
        shown.sort_unstable();
        shown.dedup();
        shown.into_iter().map(|place| u32::try_from(place).ok()).collect()
    }
}

fn read_due(reader: &mut Reader<'_>) -> Result<Due, ProofFault> {
    let mut bytes = [0; 16];
    let length = usize::from(reader.u8()?);
    bytes.get_mut(..length).ok_or(ProofFault::TooMany("bytes of a weight"))?.copy_from_slice(reader.take(length)?);
    Ok(Due { weight: Weight(u128::from_le_bytes(bytes)), script: read_script(reader)? })
}
