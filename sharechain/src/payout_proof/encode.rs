//! The one canonical encoding of a payout proof (protocol §16).

use bitcoin::block::Header;
use bitcoin::consensus::Encodable;
use bitcoin::consensus::encode::deserialize;
use bitcoin::{Amount, ScriptBuf, TxOut};

use super::{MAGIC, PayoutProof, ProofFault, StateRest, VERSION};
use crate::encode::{Reader, is_payout_script};
use crate::error::RuleError;
use crate::limits::{
    BRANCH_MAX, PAYOUT_PROOF_BYTES_MAX, PROVEN_HEADERS_MAX, PROVEN_LEAVES_MAX, PROVEN_OUTPUTS_MAX, PROVEN_SIBLINGS_MAX,
    SCRIPT_BYTES_MAX,
};
use crate::payout::Due;
use crate::share::ShareHeader;
use crate::state::{Node, Opening, Shown};
use crate::units::Weight;

impl PayoutProof {
    /// Canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4_096);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&self.consensus_id);
        push_script(&mut out, &self.script);
        push_header(&mut out, &self.header);
        push_count(&mut out, self.ancestors.len());
        for header in &self.ancestors {
            push_header(&mut out, header);
        }
        self.share.encode_into(&mut out);
        out.extend_from_slice(&self.extranonce);
        push_count(&mut out, usize::from(self.witness_commitment.is_some()));
        out.extend_from_slice(self.witness_commitment.as_ref().map_or(&[], |hash| hash.as_slice()));
        push_count(&mut out, self.branch.len());
        out.extend_from_slice(self.branch.as_flattened());
        out.extend_from_slice(&u16::try_from(self.payouts.len()).unwrap_or(u16::MAX).to_le_bytes());
        for payout in &self.payouts {
            out.extend_from_slice(&payout.value.to_sat().to_le_bytes());
            push_script(&mut out, &payout.script_pubkey);
        }
        self.rest.encode_into(&mut out);
        out.extend_from_slice(&self.dues.to_le_bytes());
        out.extend_from_slice(&self.exact.to_le_bytes());
        push_count(&mut out, self.opening.leaves.len());
        for shown in &self.opening.leaves {
            out.extend_from_slice(&shown.index.to_le_bytes());
            out.extend_from_slice(&shown.due.weight.0.to_le_bytes());
            push_script(&mut out, &shown.due.script);
        }
        push_count(&mut out, self.opening.siblings.len());
        for node in &self.opening.siblings {
            out.extend_from_slice(&node.hash);
            out.extend_from_slice(&node.sum.0.to_le_bytes());
        }
        out
    }

    /// Decodes a proof that takes up all of `bytes`.
    ///
    /// # Errors
    /// `bytes` is not the canonical encoding of a proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofFault> {
        if bytes.len() > PAYOUT_PROOF_BYTES_MAX {
            return Err(ProofFault::TooLong);
        }
        let mut reader = Reader(bytes.strip_prefix(MAGIC).ok_or(ProofFault::NotAProof)?);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(ProofFault::Version(version));
        }
        let consensus_id = reader.array()?;
        let script = read_script(&mut reader)?;
        let header = read_header(&mut reader)?;
        let ancestors = read_some(&mut reader, PROVEN_HEADERS_MAX, "Bitcoin headers", read_header)?;
        let share = ShareHeader::read(&mut reader)?;
        let extranonce = reader.array()?;
        let witness = read_some(&mut reader, 1, "witness commitments", |reader| Ok(reader.array()?))?;
        let branch = read_some(&mut reader, BRANCH_MAX, "hashes in the Merkle branch", |reader| Ok(reader.array()?))?;
        let count = usize::from(reader.u16()?);
        if count > PROVEN_OUTPUTS_MAX {
            return Err(ProofFault::TooMany("payouts"));
        }
        let payouts = (0..count).map(|_| read_payout(&mut reader)).collect::<Result<_, _>>()?;
        let rest = StateRest::read(&mut reader)?;
        let (dues, exact) = (reader.u32()?, reader.u16()?);
        let leaves = read_some(&mut reader, PROVEN_LEAVES_MAX, "dues", read_shown)?;
        let siblings = read_some(&mut reader, PROVEN_SIBLINGS_MAX, "nodes of the tree", |reader| {
            Ok(Node { hash: reader.array()?, sum: Weight(u128::from_le_bytes(reader.array()?)) })
        })?;
        reader.end()?;
        Ok(Self {
            consensus_id,
            script,
            header,
            ancestors,
            share,
            extranonce,
            witness_commitment: witness.first().copied(),
            branch,
            payouts,
            rest,
            dues,
            exact,
            opening: Opening { leaves, siblings },
        })
    }
}

impl StateRest {
    pub(super) fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.credits);
        out.extend_from_slice(&self.history);
        out.extend_from_slice(&self.signals);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ProofFault> {
        Ok(Self { credits: reader.array()?, history: reader.array()?, signals: reader.array()? })
    }
}

pub(super) fn push_script(out: &mut Vec<u8>, script: &ScriptBuf) {
    out.push(u8::try_from(script.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(script.as_bytes());
}

pub(super) fn push_header(out: &mut Vec<u8>, header: &Header) {
    // Writing to memory never fails.
    header.consensus_encode(out).unwrap_or_default();
}

/// A count of one byte. All counts here are far below 255.
pub(super) fn push_count(out: &mut Vec<u8>, count: usize) {
    out.push(u8::try_from(count).unwrap_or(u8::MAX));
}

/// A count of one byte, and as many items.
pub(super) fn read_some<T>(
    reader: &mut Reader<'_>,
    most: usize,
    what: &'static str,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, ProofFault>,
) -> Result<Vec<T>, ProofFault> {
    let count = usize::from(reader.u8()?);
    if count > most {
        return Err(ProofFault::TooMany(what));
    }
    (0..count).map(|_| read(reader)).collect()
}

pub(super) fn read_script(reader: &mut Reader<'_>) -> Result<ScriptBuf, ProofFault> {
    Ok(reader.script(SCRIPT_BYTES_MAX, is_payout_script, RuleError::PayoutScript)?)
}

pub(super) fn read_header(reader: &mut Reader<'_>) -> Result<Header, ProofFault> {
    deserialize(reader.take(Header::SIZE)?).map_err(|_| RuleError::Truncated.into())
}

fn read_payout(reader: &mut Reader<'_>) -> Result<TxOut, ProofFault> {
    Ok(TxOut { value: Amount::from_sat(reader.u64()?), script_pubkey: read_script(reader)? })
}

fn read_shown(reader: &mut Reader<'_>) -> Result<Shown, ProofFault> {
    let index = reader.u32()?;
    let weight = Weight(u128::from_le_bytes(reader.array()?));
    Ok(Shown { index, due: Due { script: read_script(reader)?, weight } })
}
