//! Upgrade signaling: counts the bits of `signals` by the weight of the credited proofs that set them.
//!
//! ```text
//! counting ── 90% of a period's weight ──► locked in ── 60 periods ──► active, permanently
//! ```
//!
//! Version 1 of the share header defines no upgrade, and no rule depends on a bit. The counts tell a node that it is,
//! or soon will be, too old. It then stops handing out work instead of silently forking off.

use crate::units::{Height, Weight};

/// Length of a counting period, links: five and a half hours on mainnet.
pub const PERIOD_LINKS: u32 = 2_016;

/// Percentage of a period's weight that locks a bit in.
pub const THRESHOLD_PERCENT: u128 = 90;

/// Periods between lock-in and activation. On mainnet, miners have two weeks to upgrade.
pub const GRACE_PERIODS: u32 = 60;

/// Bit mask of the upgrades that this program implements. Version 1 has none.
pub const KNOWN: u32 = 0;

/// Signal state after a link: the counts of its period so far and the bits locked in on its branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Weight credited in this period.
    total: Weight,
    /// Bits set in this period, ascending, each with the weight of the proofs that set it.
    counted: Box<[(u8, Weight)]>,
    /// Locked-in bits, ascending, each with the height of the first link for which it is active.
    locked_in: Box<[(u8, Height)]>,
}

/// Progress of an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Some weight of this period set the bit.
    Counting {
        /// Weight that set the bit in this period so far.
        weight: Weight,
        /// Total weight of this period so far.
        of: Weight,
    },
    /// The bit reached the threshold and will become active at this height.
    LockedIn {
        /// Height of the first link for which the bit is active.
        from: Height,
    },
    /// The bit is active.
    Active {
        /// Height of the first link for which the bit is active.
        from: Height,
    },
}

impl Signals {
    /// Returns the state after the link at `height`, given the `(signals, weight)` of each proof that the link credits.
    /// `self` is the state after the link's parent.
    #[must_use]
    pub fn after(&self, height: Height, credited: impl IntoIterator<Item = (u32, Weight)>) -> Self {
        let begins = height.below(1).0.is_multiple_of(PERIOD_LINKS);
        let (mut total, before) = if begins { (Weight::ZERO, &[][..]) } else { (self.total, &*self.counted) };
        let mut counted = before.to_vec();
        // SC-601: In a link's period, the weight that the link credits to a proof counts for each bit that the proof
        // sets.
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
            // SC-602: A bit set by at least 90% of a period's weight is locked in at the end of the period, and active
            // 60 periods later.
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

    /// All bits that were set in this period or locked in, ascending, each with its state for children of the link at
    /// `height`.
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

    /// Returns the first active bit that this program does not implement, if any. The program is then too old to build
    /// children of the link at `height`.
    #[must_use]
    pub fn too_old(&self, height: Height) -> Option<u8> {
        let unknown = |bit: &u8| KNOWN.checked_shr(u32::from(*bit)).unwrap_or(0) & 1 == 0;
        let mut active = self.states(height).filter(|(_, state)| matches!(state, State::Active { .. }));
        active.find(|(bit, _)| unknown(bit)).map(|(bit, _)| bit)
    }
}

/// Numbers of the bits that are set, ascending.
fn bits_of(bits: u32) -> impl Iterator<Item = u8> {
    (0..32).filter(move |bit| bits.checked_shr(u32::from(*bit)).unwrap_or(0) & 1 == 1)
}

#[cfg(test)]
mod tests;
