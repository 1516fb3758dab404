//! Upgrades: which bits of `signals` miners set, counted by the weight of their credited proofs, and what follows.
//!
//! ```text
//! counting ── 90% of a period's weight ──► locked in ── 60 periods ──► active, for ever
//! ```
//!
//! Version 1 of the share header knows no upgrade and no rule depends on a bit. What is counted tells a node that it is
//! about to be, or is, too old: it stops handing out work then, rather than forking off without a word.

use crate::units::{Height, Weight};

/// Links over which bits are counted: five and a half hours of main.
pub const PERIOD_LINKS: u32 = 2_016;

/// Percent of the weight of a period that lock a bit in.
pub const THRESHOLD_PERCENT: u128 = 90;

/// Periods from the one that locks a bit in until it is active: two weeks of main for everybody to upgrade.
pub const GRACE_PERIODS: u32 = 60;

/// Bits of the upgrades that this program knows. Version 1 knows none.
pub const KNOWN: u32 = 0;

/// What stands behind a link: the count of its period so far, and what was locked in on its branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Weight credited in this period.
    total: Weight,
    /// Bits that were set, ascending, with the weight of the proofs that set them.
    counted: Box<[(u8, Weight)]>,
    /// Bits that were locked in, ascending, with the height of the first link for which they are active.
    locked_in: Box<[(u8, Height)]>,
}

/// How far an upgrade is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Some of this period's weight set its bit.
    Counting {
        /// Weight that set it.
        weight: Weight,
        /// Weight of all.
        of: Weight,
    },
    /// Enough weight set it: it is active from this height on.
    LockedIn {
        /// Height of the first link for which it is active.
        from: Height,
    },
    /// It is active.
    Active {
        /// Height of the first link for which it is active.
        from: Height,
    },
}

impl Signals {
    /// The count after the link at `height`, which credits proofs with these bits and weights. `self` is that of its
    /// parent.
    #[must_use]
    pub fn after(&self, height: Height, credited: impl IntoIterator<Item = (u32, Weight)>) -> Self {
        let begins = height.below(1).0.is_multiple_of(PERIOD_LINKS);
        let (mut total, before) = if begins { (Weight::ZERO, &[][..]) } else { (self.total, &*self.counted) };
        let mut counted = before.to_vec();
        // SC-601: the weight that a link credits counts for each bit that the credited proof sets.
        for (bits, weight) in credited {
            total = total.plus(weight);
            for bit in bits_of(bits) {
                match counted.binary_search_by_key(&bit, |(known, _)| *known) {
                    Ok(at) => {
                        if let Some((_, sum)) = counted.get_mut(at) {
                            *sum = sum.plus(weight);
                        }
                    }
                    Err(at) => counted.insert(at, (bit, weight)),
                }
            }
        }
        let mut locked_in = self.locked_in.to_vec();
        if height.0.is_multiple_of(PERIOD_LINKS) {
            // SC-602: a bit with the threshold at the end of its period is active after the grace periods.
            let from = Height(height.0.saturating_add(GRACE_PERIODS.saturating_mul(PERIOD_LINKS))).child();
            let reached = |weight: Weight| {
                weight.0.saturating_mul(100) >= total.0.saturating_mul(THRESHOLD_PERCENT) && weight > Weight::ZERO
            };
            for (bit, _) in counted.iter().filter(|(_, weight)| reached(*weight)) {
                if let Err(at) = locked_in.binary_search_by_key(bit, |(known, _)| *known) {
                    locked_in.insert(at, (*bit, from));
                }
            }
        }
        Self { total, counted: counted.into(), locked_in: locked_in.into() }
    }

    /// All bits that somebody set or that were locked in, with their state for the children of the link at `height`, ascending.
    pub fn states(&self, height: Height) -> impl Iterator<Item = (u8, State)> {
        (0..32).filter_map(move |bit| Some((bit, self.state(bit, height)?)))
    }

    fn state(&self, bit: u8, height: Height) -> Option<State> {
        if let Some((_, from)) = self.locked_in.iter().find(|(known, _)| *known == bit) {
            let from = *from;
            return Some(if from <= height.child() { State::Active { from } } else { State::LockedIn { from } });
        }
        let (_, weight) = self.counted.iter().find(|(known, _)| *known == bit)?;
        Some(State::Counting { weight: *weight, of: self.total })
    }

    /// The first active bit that this program does not know: it is too old for the children of the link at `height`.
    #[must_use]
    pub fn too_old(&self, height: Height) -> Option<u8> {
        let unknown = |bit: &u8| KNOWN.checked_shr(u32::from(*bit)).unwrap_or(0) & 1 == 0;
        let mut active = self.states(height).filter(|(_, state)| matches!(state, State::Active { .. }));
        active.find(|(bit, _)| unknown(bit)).map(|(bit, _)| bit)
    }
}

/// The numbers of the bits that are set.
fn bits_of(bits: u32) -> impl Iterator<Item = u8> {
    (0..32).filter(move |bit| bits.checked_shr(u32::from(*bit)).unwrap_or(0) & 1 == 1)
}

#[cfg(test)]
mod tests;
