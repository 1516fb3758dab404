//! Upgrades of the rules: bits of the share header, counted by links in periods of [`PERIOD_LINKS`], as in
//! [BIP-0009](https://github.com/bitcoin/bips/blob/master/bip-0009.mediawiki). Links are counted, not weights, so that
//! a chain of headers shows every state.
//!
//! ```text
//! counting ── carried ──► locked in ── carried again ──► active, permanently
//!     ▲                        │
//!     └── a period below 50% ──┘
//! ```
//!
//! A bit is *carried* by 12 good periods in a row with 90% on average, or by 120 in a row with 75%. A period is *good* if
//! half of its links set the bit. A burst of hashrate forces nothing, and blocks nothing for longer than it lasts.
//!
//! Version 2 of the share header defines no upgrade, and no rule depends on a bit. The states tell a node that it is, or
//! soon will be, too old.

use std::sync::Arc;

use crate::encode::Reader;
use crate::error::RuleError;
use crate::hash::Tag;
use crate::units::Height;

/// Length of a counting period, links: five and a half hours on mainnet.
pub const PERIOD_LINKS: u32 = 2_016;

/// Number of links with the bit that makes a period good: half. To fall below it, a burst must be as large as the rest of
/// the pool: once in 12 periods, that costs as much as the tenth that blocks a change anyway.
pub const GOOD_LINKS: u16 = 1_008;

/// Number of good periods in a row that carry a bit if [`CARRYING_LINKS`] of their links set it: almost three days on
/// mainnet.
pub const CARRYING_PERIODS: usize = 12;

/// Minimum number of links with the bit in [`CARRYING_PERIODS`]: 90%, rounded up.
pub const CARRYING_LINKS: u32 = 21_773;

/// Number of good periods in a row that carry a bit if [`ENOUGH_LINKS`] of their links set it on average: four weeks on
/// mainnet. Without it, anyone with a tenth of the hashrate could block every change.
pub const ENOUGH_PERIODS: u16 = 120;

/// Minimum number of links with the bit, averaged over all consecutive good periods, for [`ENOUGH_PERIODS`]: 75%.
pub const ENOUGH_LINKS: u32 = 1_512;

/// Bit mask of the upgrades that this program implements. Version 2 has none.
pub const KNOWN: u32 = 0;

/// Signal state after a link: the counts of its period so far, and the results of its branch's earlier periods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Bits set in this period, ascending, each with the number of links that set it.
    counted: Box<[(u8, u16)]>,
    /// Bits with good periods behind them, or with a state other than counting; ascending. Changes at the end of a
    /// period.
    bits: Arc<[Progress]>,
}

/// The result of earlier periods, for one bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Progress {
    bit: u8,
    stage: Stage,
    /// Good periods in a row since the stage began.
    good: u16,
    /// Links that set the bit in them.
    sum: u32,
    /// Counts of the last periods, newest last. Only as many are meaningful as there are good periods.
    counts: [u16; CARRYING_PERIODS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Counting,
    LockedIn(Height),
    Active(Height),
}

/// State of an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Links set the bit, in this period or in good ones before it.
    Counting {
        /// Links of this period so far that set the bit.
        links: u32,
        /// Links of this period so far.
        of: u32,
        /// Good periods in a row before this one.
        good_periods: u32,
    },
    /// The bit was carried. Unless a period falls below half, it is active once it is carried again.
    LockedIn {
        /// Height of the last link of the period that locked it in.
        since: Height,
        /// Good periods in a row since then.
        good_periods: u32,
    },
    /// The bit is active.
    Active {
        /// Height of the first link for which the bit is active.
        from: Height,
    },
}

impl Signals {
    /// Returns the state after the link at `height`, which sets these `bits`. `self` is the state after its parent.
    #[must_use]
    pub fn after(&self, height: Height, bits: u32) -> Self {
        let begins = links_of_period(height) == 1;
        let mut counted = if begins { Vec::new() } else { self.counted.to_vec() };
        // SC-601: In a link's period, the link counts for each bit that it sets in `signals`.
        for bit in bits_of(bits) {
            match counted.binary_search_by_key(&bit, |(known, _)| *known) {
                Ok(at) => counted.iter_mut().skip(at).take(1).for_each(|(_, links)| *links = links.saturating_add(1)),
                Err(at) => counted.insert(at, (bit, 1)),
            }
        }
        let ends = height.0.is_multiple_of(PERIOD_LINKS);
        let bits = if ends { self.at_end_of_period(height, &counted) } else { Arc::clone(&self.bits) };
        Self { counted: counted.into(), bits }
    }

    /// Progress of all bits after the period that ends at `height` with these counts.
    fn at_end_of_period(&self, height: Height, counted: &[(u8, u16)]) -> Arc<[Progress]> {
        let count = |bit: u8| counted.iter().find(|(known, _)| *known == bit).map_or(0, |(_, links)| *links);
        (0..32).filter_map(|bit| self.progress(bit).after_period(height, count(bit))).collect()
    }

    fn progress(&self, bit: u8) -> Progress {
        let known = self.bits.iter().find(|progress| progress.bit == bit);
        known.copied().unwrap_or(Progress::new(bit, Stage::Counting))
    }

    /// All bits that were set in this period or have a state from earlier ones, ascending, each with its state for
    /// children of the link at `height`.
    pub fn states(&self, height: Height) -> impl Iterator<Item = (u8, State)> {
        (0..32).filter_map(move |bit| Some((bit, self.state(bit, height)?)))
    }

    fn state(&self, bit: u8, height: Height) -> Option<State> {
        let links = self.counted.iter().find(|(known, _)| *known == bit).map(|(_, links)| u32::from(*links));
        let known = self.bits.iter().any(|progress| progress.bit == bit);
        if links.is_none() && !known {
            return None;
        }
        let Progress { stage, good, .. } = self.progress(bit);
        let good_periods = u32::from(good);
        Some(match stage {
            Stage::Counting => State::Counting { links: links.unwrap_or(0), of: links_of_period(height), good_periods },
            Stage::LockedIn(since) => State::LockedIn { since, good_periods },
            Stage::Active(from) => State::Active { from },
        })
    }

    /// Hash of everything that later links inherit (SC-408, protocol §15).
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        Tag::Signals.hash(&[&self.encoded_bits().concat()])
    }

    fn encoded_bits(&self) -> Vec<Vec<u8>> {
        let encoded = |bit: u8| {
            let links = self.counted.iter().find(|(known, _)| *known == bit).map(|(_, links)| *links);
            let known = self.bits.iter().any(|progress| progress.bit == bit);
            (links.is_some() || known).then(|| {
                let mut bytes = self.progress(bit).encode();
                bytes.extend_from_slice(&links.unwrap_or(0).to_le_bytes());
                bytes
            })
        };
        (0..32).filter_map(encoded).collect()
    }

    /// Appends what [`Signals::commitment`] hashes, after the number of bits.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let bits = self.encoded_bits();
        out.push(u8::try_from(bits.len()).unwrap_or(u8::MAX));
        bits.iter().for_each(|bit| out.extend_from_slice(bit));
    }

    /// Reads what [`Signals::encode_into`] wrote, and nothing else: bits ascend, and none is empty.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, RuleError> {
        let encoded = reader.0;
        let count = reader.u8()?;
        let (mut counted, mut bits) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let progress = Progress::read(reader)?;
            let links = reader.u16()?;
            if links > 0 {
                counted.push((progress.bit, links));
            }
            if progress != Progress::new(progress.bit, Stage::Counting) {
                bits.push(progress);
            }
        }
        let signals = Self { counted: counted.into(), bits: bits.into() };
        let mut canonical = Vec::new();
        signals.encode_into(&mut canonical);
        let is_canonical =
            encoded.len().checked_sub(reader.0.len()).and_then(|read| encoded.get(..read)) == Some(&*canonical);
        if is_canonical { Ok(signals) } else { Err(RuleError::Overflow) }
    }

    /// Returns the first active bit that this program does not implement, if any. The program is then too old to judge
    /// children of the link.
    #[must_use]
    pub fn too_old(&self) -> Option<u8> {
        let unknown = |bit: u8| KNOWN.checked_shr(u32::from(bit)).unwrap_or(0) & 1 == 0;
        let mut active = self.bits.iter().filter(|progress| matches!(progress.stage, Stage::Active(_)));
        active.find(|progress| unknown(progress.bit)).map(|progress| progress.bit)
    }
}

impl Progress {
    const fn new(bit: u8, stage: Stage) -> Self {
        Self { bit, stage, good: 0, sum: 0, counts: [0; CARRYING_PERIODS] }
    }

    fn encode(&self) -> Vec<u8> {
        let (stage, height) = match self.stage {
            Stage::Counting => (0, Height(0)),
            Stage::LockedIn(since) => (1, since),
            Stage::Active(from) => (2, from),
        };
        let mut out = vec![self.bit, stage];
        out.extend_from_slice(&height.0.to_le_bytes());
        out.extend_from_slice(&self.good.to_le_bytes());
        out.extend_from_slice(&self.sum.to_le_bytes());
        out.extend(self.counts.iter().flat_map(|links| links.to_le_bytes()));
        out
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RuleError> {
        let (bit, stage, height) = (reader.u8()?, reader.u8()?, Height(reader.u32()?));
        let (good, sum) = (reader.u16()?, reader.u32()?);
        let stage = match stage {
            0 => Stage::Counting,
            1 => Stage::LockedIn(height),
            _ => Stage::Active(height),
        };
        let mut counts = [0; CARRYING_PERIODS];
        for links in &mut counts {
            *links = reader.u16()?;
        }
        Ok(Self { bit, stage, good, sum, counts })
    }

    /// Progress after a period that ends at `height`, in which `links` links set the bit. `None` if it lapses.
    fn after_period(mut self, height: Height, links: u16) -> Option<Self> {
        // SC-602: A bit that 12 periods in a row carry, with 90% of the links on average, or 120 with 75%, and half in
        // each, is locked in; the same again makes it active; before that, a period below half ends the lock-in.
        if let Stage::Active(_) = self.stage {
            return Some(self);
        }
        if links < GOOD_LINKS {
            return None;
        }
        self.counts.rotate_left(1);
        if let Some(newest) = self.counts.last_mut() {
            *newest = links;
        }
        if let Some(good) = self.good.checked_add(1) {
            (self.good, self.sum) = (good, self.sum.saturating_add(u32::from(links)));
        }
        if !self.is_carried() {
            return Some(self);
        }
        Some(Self::new(
            self.bit,
            match self.stage {
                Stage::Counting => Stage::LockedIn(height),
                Stage::LockedIn(_) | Stage::Active(_) => Stage::Active(height.child()),
            },
        ))
    }

    fn is_carried(&self) -> bool {
        let links = self.counts.iter().fold(0_u32, |sum, links| sum.saturating_add(u32::from(*links)));
        let enough = ENOUGH_LINKS.saturating_mul(u32::from(self.good));
        (usize::from(self.good) >= CARRYING_PERIODS && links >= CARRYING_LINKS)
            || (self.good >= ENOUGH_PERIODS && self.sum >= enough)
    }
}

/// Number of links of a period up to the one at `height`.
fn links_of_period(height: Height) -> u32 {
    height.below(1).0.checked_rem(PERIOD_LINKS).unwrap_or(0).saturating_add(1)
}

/// Numbers of the bits that are set, ascending.
fn bits_of(bits: u32) -> impl Iterator<Item = u8> {
    (0..32).filter(move |bit| bits.checked_shr(u32::from(*bit)).unwrap_or(0) & 1 == 1)
}

#[cfg(test)]
mod tests;
