//! `shoal proof`: asks the running node for a payout proof, or verifies one without any node.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bitcoin::BlockHash;
use bitcoin::hex::DisplayHex;
use sharechain::limits::PAYOUT_PROOF_BYTES_MAX;
use sharechain::payout_proof::PayoutProof;

use super::error::ProofError;
use super::json::ProofJson;
use super::words::{VerdictJson, sentences};
use super::{params_of, read};
use crate::config::{Config, parse_address};
use crate::error::NodeError;
use crate::status::error::StatusError;
use crate::status::{client, fetch, reachable};

/// Maximum bytes read of a file: a proof as JSON has two characters per byte, and the names of its fields.
const FILE_BYTES_MAX: u64 = 4 * PAYOUT_PROOF_BYTES_MAX as u64;

/// Asks the running node what a block pays an address, verifies the proof, and prints or writes it.
///
/// # Errors
/// The address is not one of the node's network, the node cannot be queried or has no such proof, or the proof is wrong.
pub(crate) async fn ask(
    config: Config,
    address: &str,
    block: &str,
    out: Option<PathBuf>,
    json: bool,
) -> Result<(), NodeError> {
    let payee = parse_address(address, config.network).map_err(NodeError::Address)?;
    let node = reachable(config.api.listen);
    // Other characters in the path would make a different request.
    let block: String = block.chars().filter(char::is_ascii_alphanumeric).collect();
    let body = fetch(&client(node)?, node, &format!("blocks/{block}/proof?address={payee}")).await?;
    let foreign = |cause| StatusError::Foreign { address: node, cause };
    let answer: ProofJson = serde_json::from_slice(&body).map_err(foreign)?;
    let proof = answer.to_proof()?;
    let is_hash = block.parse::<BlockHash>().is_ok_and(|hash| hash == proof.header.block_hash());
    let is_block = is_hash || block.parse::<u32>().is_ok_and(|height| height == proof.share.bitcoin_height);
    if proof.script != payee.script_pubkey() || !is_block {
        return Err(ProofError::OtherQuestion.into());
    }
    // Users do not have to trust the node: an invalid proof is not written.
    let words = shown(&proof, false)?;
    let as_json = || serde_json::to_vec_pretty(&answer).map_err(std::io::Error::from);
    match out {
        Some(path) => {
            let content = if json { as_json()? } else { proof.encode() };
            let bytes = content.len();
            fs::write(&path, content).map_err(|source| ProofError::Write { path: path.clone(), source })?;
            print(&format!("{words}The proof is in {}: {bytes} bytes.\n", path.display()))
        }
        None if json => print(&format!("{}\n", String::from_utf8_lossy(&as_json()?))),
        None => print(&format!("{words}Add --out FILE to keep the proof.\n")),
    }
}

/// Verifies a file, and prints what it shows.
///
/// # Errors
/// The file cannot be read, or is no valid proof.
pub(crate) fn verify(path: &Path, json: bool) -> Result<(), NodeError> {
    let failed = |source| ProofError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(ProofError::Fault(sharechain::payout_proof::ProofFault::TooLong).into());
    }
    print(&shown(&read(&fs::read(path).map_err(failed)?)?, json)?)
}

/// Verifies a proof, and says what it shows.
fn shown(proof: &PayoutProof, json: bool) -> Result<String, NodeError> {
    let known = params_of(&proof.consensus_id);
    let unknown = || ProofError::UnknownPool { consensus_id: proof.consensus_id.to_lower_hex_string() };
    let (network, params) = known.ok_or_else(unknown)?;
    let verdict = proof.verify(&proof.header, &params).map_err(ProofError::from)?;
    if json {
        let verdict = VerdictJson::new(&verdict, &proof.script, network.into(), &params);
        return Ok(format!("{}\n", serde_json::to_string_pretty(&verdict).map_err(std::io::Error::from)?));
    }
    Ok(sentences(&verdict, &proof.script, network.into(), &params))
}

fn print(text: &str) -> Result<(), NodeError> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
