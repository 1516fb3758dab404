//! A job as a miner receives it, and the headers to hash for it.

use bitcoin::block::{Header, Version};
use bitcoin::hex::FromHex;
use bitcoin::{BlockHash, CompactTarget, Target};
use serde_json::Value;

use crate::difficulty::Difficulty;
use crate::pool::EXTRANONCE2_BYTES;
use crate::proof;

/// A parameter of `mining.notify` is missing or malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter {index} ({name}) of mining.notify is missing or malformed")]
pub struct NotifyError {
    /// Position in `params`, starting at 0.
    pub index: usize,
    /// Name of the parameter.
    pub name: &'static str,
}

/// A job from `mining.notify`, with the difficulty in effect when it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Job id, to send back with a submission.
    pub id: String,
    /// Hash of the Bitcoin block to build on.
    pub prev_block: BlockHash,
    /// Header version before rolling.
    pub version: i32,
    /// Bitcoin's target in the header's compact form.
    pub bits: CompactTarget,
    /// Header time to start from, in seconds since 1970 (UTC).
    pub time: u32,
    /// Whether to drop all earlier jobs.
    pub clean: bool,
    /// Target of the job. Submit every hash at or below it.
    pub target: Target,
    /// Difficulty that corresponds to `target`.
    pub difficulty: Difficulty,
    /// Version bits that the miner may roll.
    pub mask: u32,
    /// Extranonce1 of the connection.
    pub extranonce1: Vec<u8>,
    coinb1: Vec<u8>,
    coinb2: Vec<u8>,
    branch: Vec<[u8; 32]>,
}

impl Job {
    /// Parses the parameters of `mining.notify`. `extranonce1` is from the response to
    /// `mining.subscribe`, `difficulty` from the last `mining.set_difficulty`, and `mask` has the version
    /// bits that the miner may roll.
    ///
    /// # Errors
    /// Returns which parameter is missing or malformed.
    pub fn read(params: &Value, extranonce1: Vec<u8>, difficulty: Difficulty, mask: u32) -> Result<Self, NotifyError> {
        let text = |index: usize, name| params[index].as_str().ok_or(NotifyError { index, name });
        let number = |index, name| u32::from_str_radix(text(index, name)?, 16).map_err(|_| NotifyError { index, name });
        let bytes = |index, name| Vec::from_hex(text(index, name)?).map_err(|_| NotifyError { index, name });
        let bad_branch = NotifyError { index: 4, name: "merkle branch" };
        let nodes = params[4].as_array().ok_or(bad_branch)?;
        let prev = <[u8; 32]>::from_hex(text(1, "prevhash")?);
        Ok(Self {
            id: text(0, "job id")?.to_owned(),
            prev_block: proof::unswap_words(prev.map_err(|_| NotifyError { index: 1, name: "prevhash" })?),
            coinb1: bytes(2, "coinb1")?,
            coinb2: bytes(3, "coinb2")?,
            branch: nodes
                .iter()
                .map(|node| node.as_str().and_then(|node| <[u8; 32]>::from_hex(node).ok()))
                .collect::<Option<_>>()
                .ok_or(bad_branch)?,
            version: i32::from_be_bytes(number(5, "version")?.to_be_bytes()),
            bits: CompactTarget::from_consensus(number(6, "nbits")?),
            time: number(7, "ntime")?,
            clean: params[8].as_bool().ok_or(NotifyError { index: 8, name: "clean_jobs" })?,
            target: difficulty.target(),
            difficulty,
            mask,
            extranonce1,
        })
    }

    /// Returns the size of the serialized coinbase without witness, in bytes.
    pub fn coinbase_bytes(&self) -> usize {
        self.coinb1.len() + self.extranonce1.len() + EXTRANONCE2_BYTES + self.coinb2.len()
    }

    /// Builds the header for a miner's choices. `time` is in seconds since 1970 (UTC), and
    /// `version_bits` outside the mask are ignored.
    ///
    /// Each call hashes the whole coinbase. To roll time, nonce or version, change the returned header
    /// instead of calling this again.
    pub fn header(&self, extranonce2: [u8; EXTRANONCE2_BYTES], time: u32, nonce: u32, version_bits: u32) -> Header {
        let parts = [self.coinb1.as_slice(), &self.extranonce1, &extranonce2, &self.coinb2];
        Header {
            version: Version::from_consensus(proof::rolled_version(self.version, version_bits, self.mask)),
            prev_blockhash: self.prev_block,
            merkle_root: proof::merkle_root(&parts, &self.branch),
            time,
            bits: self.bits,
            nonce,
        }
    }
}

/// Parses extranonce1 from the result of `mining.subscribe`. Returns `None` if the result is malformed
/// or extranonce2 does not have [`EXTRANONCE2_BYTES`] bytes.
pub(super) fn subscription(result: &Value) -> Option<Vec<u8>> {
    let fits = result[2].as_u64() == u64::try_from(EXTRANONCE2_BYTES).ok();
    let extranonce1 = Vec::from_hex(result[1].as_str()?).ok()?;
    fits.then_some(extranonce1)
}
