//! Lottery among the small dues: systematic sampling in an order that the seed determines.

use bitcoin::Script;
use bitcoin::hashes::{Hash, HashEngine, sha256};

use super::claim::Claim;
use crate::error::RuleError;
use crate::hash::{Tag, keyed_engine};
use crate::units::U256;

#[cfg(test)]
mod tests;

/// Number of stretches into which the line of claims is divided, by the first bits of the claims' hashes. Only
/// stretches that contain a point are sorted, at most one per lottery output. Sorting the whole line took a fifth of
/// the lottery's time.
const STRETCHES: usize = 1 << STRETCH_BITS;
const STRETCH_BITS: u32 = 10;

/// Claims whose blocks are written before the first of them is hashed: a processor stalls if it reads a block whose
/// bytes it has just written one by one. With the engine's own padding, a hash takes 75 ns; in batches 54, of which 46
/// are SHA-256's.
const BATCH: usize = 8;

/// A claim and its place in the order of the lottery.
#[derive(Clone, Copy, Debug)]
struct Ticket<'c, 'a> {
    /// First eight bytes of the claim's hash. Only one pair in 2^64 has the same prefix.
    prefix: u64,
    claim: &'c Claim<'a>,
}

impl<'c, 'a> Ticket<'c, 'a> {
    /// Tickets of all claims.
    fn of_all(claims: &'c [Claim<'a>], keyed: &sha256::HashEngine) -> Vec<Self> {
        let mut tickets = Vec::with_capacity(claims.len());
        let mut blocks = [None; BATCH];
        for some in claims.chunks(BATCH) {
            for (block, claim) in blocks.iter_mut().zip(some) {
                *block = last_block(claim.script.as_bytes(), keyed.n_bytes_hashed());
            }
            for (block, claim) in blocks.iter().zip(some) {
                let hash = match block {
                    Some(block) => {
                        let mut engine = keyed.clone();
                        engine.input(block);
                        engine.midstate().to_byte_array()
                    }
                    None => keyed_hash(keyed, claim.script.as_bytes()),
                };
                tickets.push(Self { prefix: prefix_of(&hash), claim });
            }
        }
        tickets
    }

    /// Stretch of the line that contains the claim.
    fn stretch(&self) -> usize {
        usize::try_from(self.prefix.wrapping_shr(u64::BITS.saturating_sub(STRETCH_BITS))).unwrap_or(usize::MAX)
    }

    /// Compares tickets by the full hashes of their claims.
    fn order(&self, other: &Self, keyed: &sha256::HashEngine) -> core::cmp::Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| self.hash(keyed).cmp(&other.hash(keyed)))
    }

    fn hash(&self, keyed: &sha256::HashEngine) -> [u8; 32] {
        keyed_hash(keyed, self.claim.script.as_bytes())
    }
}

/// Runs the lottery of SC-307. It places the claims on a line end to end, each as long as its weight, in the order of
/// their hashes under the seed. It selects the claims that contain the points `u + j * step`, for `j` below `count` and
/// one random `u` below `step`.
///
/// No claim is longer than a step, so none is selected twice, and each is selected with probability weight / step.
pub(super) fn draw<'a>(
    claims: &[Claim<'a>],
    seed: &[u8; 32],
    step: u128,
    count: usize,
) -> Result<Vec<&'a Script>, RuleError> {
    let mut drawn = Vec::with_capacity(count);
    if count == 0 {
        return Ok(drawn);
    }
    let keyed = keyed_by(seed);
    let mut tickets = Ticket::of_all(claims, &keyed);
    let mut point = first_point(&keyed, step)?;
    let starts = starts_of_hit(&tickets, point, step).ok_or(RuleError::Overflow)?;
    let start_of = |ticket: &Ticket<'_, '_>| starts.get(ticket.stretch()).copied().flatten();
    tickets.retain(|ticket| start_of(ticket).is_some());
    tickets.sort_unstable_by(|a, b| a.order(b, &keyed));

    for stretch in tickets.chunk_by(|a, b| a.stretch() == b.stretch()) {
        let mut end = stretch.first().and_then(start_of).ok_or(RuleError::Overflow)?;
        for Ticket { claim, .. } in stretch {
            end = end.checked_add(claim.weight).ok_or(RuleError::Overflow)?;
            if point < end && drawn.len() < count {
                drawn.push(claim.script);
                point = point.checked_add(step).ok_or(RuleError::Overflow)?;
            }
        }
    }
    Ok(drawn)
}

/// Sorts claims into the order in which the lottery of SC-307 places them.
pub(super) fn sort(claims: &mut [Claim<'_>], seed: &[u8; 32]) {
    let keyed = keyed_by(seed);
    let mut tickets = Ticket::of_all(claims, &keyed);
    tickets.sort_unstable_by(|a, b| a.order(b, &keyed));
    let sorted: Vec<_> = tickets.into_iter().map(|ticket| *ticket.claim).collect();
    claims.copy_from_slice(&sorted);
}

/// The lottery of one seed, to check a few of its claims.
pub(crate) struct Lottery(sha256::HashEngine);

impl Lottery {
    /// The lottery of a seed.
    pub(crate) fn of(seed: &[u8; 32]) -> Self {
        Self(keyed_by(seed))
    }

    /// Hash by which a script is ordered.
    pub(crate) fn place(&self, script: &Script) -> [u8; 32] {
        keyed_hash(&self.0, script.as_bytes())
    }

    /// The first point, given the distance of two points.
    pub(crate) fn first_point(&self, step: u128) -> Option<u128> {
        first_point(&self.0, step).ok()
    }
}

/// SHA-256 engine that hashes claims for the lottery of this seed.
fn keyed_by(seed: &[u8; 32]) -> sha256::HashEngine {
    keyed_engine(&Tag::Draw.hash(&[seed]))
}

/// Returns where each stretch starts on the line if it contains a point, and `None` for each other stretch. The points
/// start at `point` and are `step` apart. Returns `None` instead of a list if a sum overflows.
fn starts_of_hit(tickets: &[Ticket<'_, '_>], mut point: u128, step: u128) -> Option<Vec<Option<u128>>> {
    let mut lengths = vec![0_u128; STRETCHES];
    for ticket in tickets {
        let length = lengths.get_mut(ticket.stretch())?;
        *length = length.checked_add(ticket.claim.weight)?;
    }
    let mut end = 0_u128;
    let mut starts = Vec::with_capacity(STRETCHES);
    for length in lengths {
        let start = end;
        end = end.checked_add(length)?;
        starts.push((point < end).then_some(start));
        while point < end {
            point = point.checked_add(step)?;
        }
    }
    Some(starts)
}

/// `floor(step * r / 2^128)`, where r is the first 16 bytes, big-endian, of the keyed hash of the empty string. No
/// script is empty, so this hash has no other use.
fn first_point(keyed: &sha256::HashEngine, step: u128) -> Result<u128, RuleError> {
    let hash = keyed_hash(keyed, &[]);
    let (first, _) = hash.split_first_chunk::<16>().ok_or(RuleError::Overflow)?;
    let random = u128::from_be_bytes(*first);
    let product = U256::from(random).checked_mul(U256::from(step)).ok_or(RuleError::Overflow)?;
    u128::try_from(product.wrapping_shr(128)).map_err(|_| RuleError::Overflow)
}

/// Hashes a script with one compression: the engine has already hashed the block with the key.
fn keyed_hash(keyed: &sha256::HashEngine, bytes: &[u8]) -> [u8; 32] {
    let mut engine = keyed.clone();
    engine.input(bytes);
    sha256::Hash::from_engine(engine).to_byte_array()
}

fn prefix_of(hash: &[u8; 32]) -> u64 {
    hash.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

/// The last block that SHA-256 hashes of a message that ends with `bytes`, after `before` bytes in whole blocks: padded
/// as FIPS 180-4 says. `None` if that takes two blocks, which no payout script needs.
fn last_block(bytes: &[u8], before: usize) -> Option<[u8; 64]> {
    let mut block = [0; 64];
    let (text, length) = block.split_last_chunk_mut::<8>()?;
    text.get_mut(..bytes.len())?.copy_from_slice(bytes);
    *text.get_mut(bytes.len())? = 0x80;
    *length = u64::try_from(before.checked_add(bytes.len())?.checked_mul(8)?).ok()?.to_be_bytes();
    Some(block)
}
