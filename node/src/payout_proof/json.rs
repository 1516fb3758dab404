//! A payout proof as JSON: the fields of its encoding (protocol §16), byte strings as hex.

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hex::{DisplayHex, FromHex};
use serde::{Deserialize, Serialize};
use sharechain::payout_proof::{MAGIC, PayoutProof, VERSION};
use utoipa::ToSchema;

use super::error::ProofError;

/// A payout proof: what a Bitcoin block pays a script, verifiable from the block's header alone. Byte strings are hex
/// in the order in which they are hashed. `specs/proof.py` and `shoal proof verify` check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofJson {
    /// Version of the format: 1.
    pub version: u8,
    /// Consensus id of the pool, 32 bytes.
    pub consensus_id: String,
    /// The script that the proof is about.
    pub script: String,
    /// Header of the block, 80 bytes.
    pub header: String,
    /// Headers of the blocks before it, newest first, down to the one whose previous block seeds the lottery.
    pub ancestors: Vec<String>,
    /// Share header that the coinbase commits to.
    pub share_header: String,
    /// Free bytes in the coinbase's scriptSig, 16 bytes.
    pub extranonce: String,
    /// Hash in the witness commitment output, 32 bytes; none if the coinbase has no such output.
    pub witness_commitment: Option<String>,
    /// Merkle branch from the coinbase to the root in the header, 32 bytes each.
    pub merkle_branch: Vec<String>,
    /// Payout outputs of the coinbase, in order.
    pub payouts: Vec<PayoutJson>,
    /// Commitment to the credits of the link's list, 52 bytes.
    pub credits: String,
    /// Commitment to the links below, 68 bytes.
    pub history: String,
    /// Commitment to the upgrade signals, 32 bytes.
    pub signals: String,
    /// Number of scripts with weight in the window; 0 if only the finder is paid.
    pub dues: u32,
    /// Number of leading payouts that are proportional; 0 if only the finder is paid.
    pub exact: u16,
    /// The last proportional due, and that of the script or those on either side of it, from left to right.
    pub shown: Vec<DueJson>,
    /// Roots of the subtrees between them, from left to right.
    pub siblings: Vec<NodeJson>,
}

/// A payout output of a coinbase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutJson {
    /// Amount, satoshi.
    pub value_sat: u64,
    /// Payout script.
    pub script: String,
}

/// A due of the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DueJson {
    /// Number of dues before it, in the order of the coinbase.
    pub index: u32,
    /// Weight in units of 2^-64 expected Bitcoin block, decimal.
    pub weight: String,
    /// Payout script.
    pub script: String,
}

/// A node of the sum tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeJson {
    /// Its hash, 32 bytes.
    pub hash: String,
    /// Sum of the weights below it, decimal.
    pub sum: String,
}

impl From<&PayoutProof> for ProofJson {
    fn from(proof: &PayoutProof) -> Self {
        let payouts = proof.payouts.iter().map(|payout| PayoutJson {
            value_sat: payout.value.to_sat(),
            script: payout.script_pubkey.to_hex_string(),
        });
        let shown = proof.opening.leaves.iter().map(|shown| DueJson {
            index: shown.index,
            weight: shown.due.weight.0.to_string(),
            script: shown.due.script.to_hex_string(),
        });
        let siblings = proof.opening.siblings.iter();
        Self {
            version: VERSION,
            consensus_id: proof.consensus_id.to_lower_hex_string(),
            script: proof.script.to_hex_string(),
            header: serialize_hex(&proof.header),
            ancestors: proof.ancestors.iter().map(serialize_hex).collect(),
            share_header: proof.share.encode().to_lower_hex_string(),
            extranonce: proof.extranonce.to_lower_hex_string(),
            witness_commitment: proof.witness_commitment.map(|hash| hash.to_lower_hex_string()),
            merkle_branch: proof.branch.iter().map(|hash| hash.to_lower_hex_string()).collect(),
            payouts: payouts.collect(),
            credits: proof.rest.credits.to_lower_hex_string(),
            history: proof.rest.history.to_lower_hex_string(),
            signals: proof.rest.signals.to_lower_hex_string(),
            dues: proof.dues,
            exact: proof.exact,
            shown: shown.collect(),
            siblings: siblings
                .map(|node| NodeJson { hash: node.hash.to_lower_hex_string(), sum: node.sum.0.to_string() })
                .collect(),
        }
    }
}

impl ProofJson {
    /// The proof. Its fields, in the order of the canonical encoding, are decoded as that encoding.
    ///
    /// # Errors
    /// A field is malformed, or the whole is not the canonical encoding of a proof.
    pub fn to_proof(&self) -> Result<PayoutProof, ProofError> {
        if self.version != VERSION {
            return Err(ProofError::Version(self.version));
        }
        let mut out = MAGIC.to_vec();
        out.push(VERSION);
        fixed(&mut out, "consensus_id", &self.consensus_id, 32)?;
        sized(&mut out, "script", &self.script)?;
        fixed(&mut out, "header", &self.header, 80)?;
        all(&mut out, "ancestors", &self.ancestors, 80)?;
        out.extend(hex("share_header", &self.share_header)?);
        fixed(&mut out, "extranonce", &self.extranonce, 16)?;
        all(&mut out, "witness_commitment", self.witness_commitment.as_slice(), 32)?;
        all(&mut out, "merkle_branch", &self.merkle_branch, 32)?;
        out.extend(u16::try_from(self.payouts.len()).unwrap_or(u16::MAX).to_le_bytes());
        for payout in &self.payouts {
            out.extend(payout.value_sat.to_le_bytes());
            sized(&mut out, "payouts", &payout.script)?;
        }
        fixed(&mut out, "credits", &self.credits, 52)?;
        fixed(&mut out, "history", &self.history, 68)?;
        fixed(&mut out, "signals", &self.signals, 32)?;
        out.extend(self.dues.to_le_bytes());
        out.extend(self.exact.to_le_bytes());
        out.push(count(self.shown.len()));
        for due in &self.shown {
            out.extend(due.index.to_le_bytes());
            out.extend(number("weight", &due.weight)?.to_le_bytes());
            sized(&mut out, "shown", &due.script)?;
        }
        out.push(count(self.siblings.len()));
        for node in &self.siblings {
            fixed(&mut out, "siblings", &node.hash, 32)?;
            out.extend(number("sum", &node.sum)?.to_le_bytes());
        }
        Ok(PayoutProof::decode(&out)?)
    }
}

fn hex(name: &'static str, text: &str) -> Result<Vec<u8>, ProofError> {
    Vec::from_hex(text).map_err(|_| ProofError::Hex(name))
}

/// The canonical form of a number: digits, without a sign or leading zeros.
fn number(name: &'static str, text: &str) -> Result<u128, ProofError> {
    let number = text.parse::<u128>().ok().filter(|number| number.to_string() == text);
    number.ok_or(ProofError::Number(name))
}

/// Counts in the encoding have one byte, so decoding rejects larger ones.
fn count(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

fn fixed(out: &mut Vec<u8>, name: &'static str, text: &str, length: usize) -> Result<(), ProofError> {
    let bytes = hex(name, text)?;
    if bytes.len() != length {
        return Err(ProofError::Hex(name));
    }
    out.extend(bytes);
    Ok(())
}

fn sized(out: &mut Vec<u8>, name: &'static str, text: &str) -> Result<(), ProofError> {
    let bytes = hex(name, text)?;
    out.push(count(bytes.len()));
    out.extend(bytes);
    Ok(())
}

fn all(out: &mut Vec<u8>, name: &'static str, texts: &[String], length: usize) -> Result<(), ProofError> {
    out.push(count(texts.len()));
    texts.iter().try_for_each(|text| fixed(out, name, text, length))
}
