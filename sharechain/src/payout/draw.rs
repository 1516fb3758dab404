//! The draw of the tail: systematic sampling in an order that the seed decides.

use bitcoin::Script;
use bitcoin::hashes::{Hash, HashEngine, sha256};

use crate::error::RuleError;
use crate::hash::{Tag, keyed_engine};
use crate::payout::Claim;
use crate::units::U256;

/// A claim and its place in the order of the draw.
#[derive(Clone, Copy, Debug)]
struct Ticket<'a> {
    /// First eight bytes of the claim's hash: enough to tell all but one pair in 2^64 apart.
    prefix: u64,
    claim: Claim<'a>,
}

impl<'a> Ticket<'a> {
    fn new(claim: Claim<'a>, keyed: &sha256::HashEngine) -> Self {
        let hash = keyed_hash(keyed, claim.script.as_bytes());
        let prefix = hash.first_chunk().copied().map_or(0, u64::from_be_bytes);
        Self { prefix, claim }
    }

    fn hash(&self, keyed: &sha256::HashEngine) -> [u8; 32] {
        keyed_hash(keyed, self.claim.script.as_bytes())
    }
}

/// SC-307: lays the claims end to end, each as long as its weight, in the order of their hashes under the seed, and
/// selects those in which the points `u + j * step` lie, for `j` below `count` and one random `u` below `step`.
///
/// No claim is longer than a step, so none is selected twice, and each is selected with chance weight / step.
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
    let keyed = keyed_engine(&Tag::Draw.hash(&[seed]));
    let mut tickets: Vec<Ticket<'_>> = claims.iter().map(|claim| Ticket::new(*claim, &keyed)).collect();
    tickets.sort_unstable_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| a.hash(&keyed).cmp(&b.hash(&keyed))));
    let mut point = first_point(&keyed, step)?;
    let mut end = 0_u128;
    for Ticket { claim, .. } in tickets {
        end = end.checked_add(claim.weight).ok_or(RuleError::Overflow)?;
        if point < end {
            drawn.push(claim.script);
            if drawn.len() == count {
                break;
            }
            point = point.checked_add(step).ok_or(RuleError::Overflow)?;
        }
    }
    Ok(drawn)
}

/// `floor(step * r / 2^128)`, where r are the first 16 bytes, last byte first, of the keyed hash of no bytes: no script
/// is empty, so this hash has no other use.
fn first_point(keyed: &sha256::HashEngine, step: u128) -> Result<u128, RuleError> {
    let hash = keyed_hash(keyed, &[]);
    let (first, _) = hash.split_first_chunk::<16>().ok_or(RuleError::Overflow)?;
    let random = u128::from_be_bytes(*first);
    let product = U256::from(random).checked_mul(U256::from(step)).ok_or(RuleError::Overflow)?;
    u128::try_from(product.wrapping_shr(128)).map_err(|_| RuleError::Overflow)
}

/// One compression for a script: the block with the key is behind the engine already.
fn keyed_hash(keyed: &sha256::HashEngine, bytes: &[u8]) -> [u8; 32] {
    let mut engine = keyed.clone();
    engine.input(bytes);
    sha256::Hash::from_engine(engine).to_byte_array()
}
