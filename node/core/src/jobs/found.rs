//! Inserts a miner's work into the share-chain.

use bitcoin::block::Header;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::share::EXTRANONCE_BYTES;
use sharechain::{Outcome, Timestamp, U256};

use super::template::Job;
use crate::engine::Engine;
use crate::journal::Journal;

/// Inserts the work that one of this node's miners found on `job` into the share-chain. An accepted proof is in the
/// journal when this returns; [`crate::exchange::Exchange`] then publishes it.
pub fn judge_found<J: Journal>(
    engine: &mut Engine<J>,
    job: &Job,
    header: Header,
    extranonce: [u8; EXTRANONCE_BYTES],
    now: Timestamp,
) -> Outcome {
    match BoundProof::bind(job.proof(header, extranonce), U256::MAX, engine.chain().consensus_id()) {
        Ok(bound) => engine.insert_requested(bound, Some(job.list().to_vec()), Source::default(), now),
        Err(rule) => Outcome::Invalid(rule),
    }
}
