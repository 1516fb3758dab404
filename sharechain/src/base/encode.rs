//! Encoding of chunks. A checksum comes last, so that damage on disk is noticed. Scripts come first, each once.

use std::collections::BTreeMap;
use std::sync::Arc;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::pow::CompactTarget;
use bitcoin::{BlockHash, Script};
use thiserror::Error;

use super::{BaseLink, BaseRow, Chunk, LinkFacts, Start};
use crate::encode::{Reader, is_payout_script};
use crate::error::RuleError;
use crate::limits::{LIST_MAX, SCRIPT_BYTES_MAX};
use crate::signals::Signals;
use crate::state::tree::Node;
use crate::state::{Commitment, History};
use crate::units::{Height, ShareId, Timestamp, U256, Weight, Work};

/// Version of the encoding.
const VERSION: u8 = 1;

/// Length of the checksum, bytes.
const CHECKSUM_BYTES: usize = 32;

/// Why bytes are not a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BaseError {
    /// The checksum does not match: the bytes are damaged.
    #[error("the checksum does not match")]
    Checksum,
    /// The version is unknown.
    #[error("unknown version {0}")]
    Version(u8),
    /// The bytes end early, are too long, or hold a value out of range.
    #[error("the encoding is not valid")]
    Encoding,
    /// The chunks do not continue one another.
    #[error("the links do not continue one another at height {0}")]
    Gap(Height),
}

impl From<RuleError> for BaseError {
    fn from(_: RuleError) -> Self {
        Self::Encoding
    }
}

impl Chunk {
    /// Encoding with checksum.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.start.encode_into(&mut out);
        let rows = self.links.iter().flat_map(|link| &link.rows);
        let mut numbers: BTreeMap<&Script, u32> = rows.map(|row| (&*row.script, 0)).collect();
        push_u32(&mut out, numbers.len());
        for (number, (script, known)) in (0..).zip(&mut numbers) {
            *known = number;
            out.push(u8::try_from(script.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(script.as_bytes());
        }
        push_u32(&mut out, self.links.len());
        for link in &self.links {
            link.encode_into(&numbers, &mut out);
        }
        let checksum = sha256::Hash::hash(&out);
        out.extend_from_slice(checksum.as_byte_array());
        out
    }

    /// Decodes a chunk that takes up all of `bytes`.
    ///
    /// # Errors
    /// The bytes are damaged or not a chunk.
    pub fn decode(bytes: &[u8]) -> Result<Self, BaseError> {
        let mut reading = Reading::of(bytes)?;
        let scripts: Vec<Arc<Script>> = reading.scripts.iter().copied().map(Arc::from).collect();
        let row =
            |number: usize, weight, shares| Some(BaseRow { script: Arc::clone(scripts.get(number)?), weight, shares });
        let mut links = Vec::new();
        while let Some(link) = reading.link(row)? {
            links.push(link);
        }
        Ok(Self { start: reading.start, links })
    }
}

/// A chunk that is read link by link: nothing is copied for each row.
pub(crate) struct Reading<'a> {
    /// The state that its links continue.
    pub(crate) start: Start,
    /// Its scripts, each once. This node writes them in ascending order.
    pub(crate) scripts: Vec<&'a Script>,
    /// Number of links not yet read.
    left: u32,
    reader: Reader<'a>,
}

impl<'a> Reading<'a> {
    /// Checks the checksum, and reads what comes before the links.
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, BaseError> {
        let body = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(BaseError::Checksum)?;
        let (body, checksum) = bytes.split_at_checked(body).ok_or(BaseError::Checksum)?;
        if sha256::Hash::hash(body).as_byte_array().as_slice() != checksum {
            return Err(BaseError::Checksum);
        }
        let mut reader = Reader(body);
        match reader.u8()? {
            VERSION => {}
            other => return Err(BaseError::Version(other)),
        }
        let start = Start::read(&mut reader)?;
        // Grows with the data read, not with the claimed count.
        let count = reader.u32()?;
        let script = |_| reader.borrowed_script(SCRIPT_BYTES_MAX, is_payout_script, RuleError::PayoutScript);
        let scripts = (0..count).map(script).collect::<Result<_, RuleError>>()?;
        let left = reader.u32()?;
        Ok(Self { start, scripts, left, reader })
    }

    /// Reads the next link, or the end after the last one. `row` makes a row of its script's number, its weight and its
    /// number of proofs; `None` if there is no such script.
    pub(crate) fn link<T>(
        &mut self,
        row: impl FnMut(usize, Weight, u32) -> Option<T>,
    ) -> Result<Option<BaseLink<Vec<T>>>, RuleError> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                BaseLink::read(&mut self.reader, row).map(Some)
            }
            None => self.reader.end().map(|()| None),
        }
    }
}

fn push_u32(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
}

impl Start {
    fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.height.0.to_le_bytes());
        out.extend_from_slice(&self.id.0);
        out.extend_from_slice(&self.time.0.to_le_bytes());
        out.extend_from_slice(&self.chain_work.0.to_le_bytes::<32>());
        out.extend_from_slice(&self.proofs.to_le_bytes());
        self.history.encode_into(out);
        self.signals.encode_into(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RuleError> {
        Ok(Self {
            height: Height(reader.u32()?),
            id: ShareId(reader.array()?),
            time: Timestamp(reader.u32()?),
            chain_work: Work(U256::from_le_bytes(reader.array::<32>()?)),
            proofs: reader.u64()?,
            history: History::read(reader)?,
            signals: Signals::read(reader)?,
        })
    }
}

impl BaseLink {
    fn encode_into(&self, numbers: &BTreeMap<&Script, u32>, out: &mut Vec<u8>) {
        let Self { facts, snapshot, window, rows } = self;
        out.extend_from_slice(&facts.id.0);
        out.extend_from_slice(&facts.time.0.to_le_bytes());
        out.extend_from_slice(&facts.bitcoin_height.to_le_bytes());
        out.extend_from_slice(facts.previous_block.as_ref());
        out.extend_from_slice(&facts.bitcoin_work.to_le_bytes::<32>());
        out.extend_from_slice(&facts.bits.to_consensus().to_le_bytes());
        out.extend_from_slice(&facts.target.to_le_bytes::<32>());
        out.extend_from_slice(&snapshot.0.to_le_bytes());
        out.extend_from_slice(&window.encode());
        out.extend_from_slice(&facts.signals.to_le_bytes());
        out.extend_from_slice(&u16::try_from(rows.len()).unwrap_or(u16::MAX).to_le_bytes());
        for row in rows {
            out.extend_from_slice(&numbers.get(&*row.script).copied().unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(&u16::try_from(row.shares).unwrap_or(u16::MAX).to_le_bytes());
            out.extend(row.weight.0.to_le_bytes().iter().take(10));
        }
    }
}

impl<T> BaseLink<Vec<T>> {
    fn read(reader: &mut Reader<'_>, row: impl FnMut(usize, Weight, u32) -> Option<T>) -> Result<Self, RuleError> {
        let mut facts = LinkFacts {
            id: ShareId(reader.array()?),
            time: Timestamp(reader.u32()?),
            bitcoin_height: reader.u32()?,
            previous_block: BlockHash::from_byte_array(reader.array()?),
            bitcoin_work: U256::from_le_bytes(reader.array::<32>()?),
            bits: CompactTarget::from_consensus(reader.u32()?),
            target: U256::from_le_bytes(reader.array::<32>()?),
            signals: 0,
        };
        let (snapshot, window) = (Height(reader.u32()?), read_commitment(reader)?);
        facts.signals = reader.u32()?;
        Ok(Self { facts, snapshot, window, rows: read_rows(reader, row)? })
    }
}

fn read_commitment(reader: &mut Reader<'_>) -> Result<Commitment<Weight>, RuleError> {
    let (leaves, sum) = (reader.u32()?, Weight(u128::from_le_bytes(reader.array()?)));
    Ok(Commitment { leaves, root: Node { hash: reader.array()?, sum } })
}

/// Rows: number of the script, 4 bytes; number of proofs, 2; weight, 10. See [`crate::window::Row`] for the ranges.
fn read_rows<T>(
    reader: &mut Reader<'_>,
    mut row: impl FnMut(usize, Weight, u32) -> Option<T>,
) -> Result<Vec<T>, RuleError> {
    let count = usize::from(reader.u16()?);
    if count > LIST_MAX.saturating_add(1) {
        return Err(RuleError::ListTooLong);
    }
    let mut read = || {
        let number = usize::try_from(reader.u32()?).map_err(|_| RuleError::Overflow)?;
        let shares = u32::from(reader.u16()?);
        let mut weight = [0; 16];
        weight.iter_mut().zip(reader.array::<10>()?).for_each(|(to, byte)| *to = byte);
        row(number, Weight(u128::from_le_bytes(weight)), shares).ok_or(RuleError::PayoutScript)
    };
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        rows.push(read()?);
    }
    Ok(rows)
}
