//! Payout proofs outside the share-chain: as JSON, as files, and `shoal proof`.
//!
//! ```text
//! json.rs      a proof as JSON
//! command.rs   `shoal proof`
//! words.rs     what a proof shows, in sentences and as JSON
//! error.rs     why there is no proof
//! ```

pub(crate) mod command;
pub mod error;
pub mod json;
#[cfg(test)]
mod tests;
mod words;

use sharechain::ChainParams;
use sharechain::payout_proof::{MAGIC, PayoutProof};

use crate::config::{Network, Outputs};
use error::ProofError;
use json::ProofJson;

/// The constants of the public pool with a consensus id, if there is one.
fn params_of(consensus_id: &[u8; 32]) -> Option<(Network, ChainParams)> {
    let all = Network::ALL
        .into_iter()
        .flat_map(|network| Outputs::ALL.map(|outputs| (network, network.chain_params(outputs))));
    all.into_iter().find(|(_, params)| params.consensus_id() == *consensus_id)
}

/// Reads a proof from a file's content: bytes or JSON.
fn read(content: &[u8]) -> Result<PayoutProof, ProofError> {
    if content.starts_with(MAGIC) {
        return Ok(PayoutProof::decode(content)?);
    }
    let json: ProofJson = serde_json::from_slice(content).map_err(ProofError::Json)?;
    json.to_proof()
}
