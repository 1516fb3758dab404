//! The values that Bitcoin expects in the header that follows another.

use std::ops::RangeInclusive;

use bitcoin::block::Header;
use bitcoin::pow::CompactTarget;

use super::rules::{HeaderError, period_bits, starts_period};
use super::tree::{Index, Tree};
use crate::params::BitcoinParams;
use crate::units::Timestamp;

/// The values that Bitcoin expects in the header that follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHeader {
    /// Earliest time that Bitcoin allows, a second after the median time past or later.
    pub least_time: Timestamp,
    /// nBits of its difficulty period. The header has them, unless its time gives it the easiest.
    pub period_bits: CompactTarget,
    /// At and after this time, the header has these nBits, the easiest; none if there is no such time.
    easiest: Option<(Timestamp, CompactTarget)>,
}

impl NextHeader {
    /// The values expected after the header at `prev`.
    pub(super) fn after(tree: &Tree, prev: Index, params: &BitcoinParams) -> Self {
        let last = tree.at(prev);
        let is_first = starts_period(last.height.saturating_add(1), params);
        let mut least_time = last.median_time.plus(1);
        if is_first && params.timewarp_s > 0 {
            least_time = least_time.max(Timestamp(last.header.time.saturating_sub(params.timewarp_s)));
        }
        let mut easiest = None;
        if !is_first && params.min_difficulty_after_s > 0 {
            let still_in_time = last.header.time.saturating_add(params.min_difficulty_after_s);
            let bits = CompactTarget::from_consensus(params.pow_limit_bits);
            easiest = still_in_time.checked_add(1).map(|late| (Timestamp(late), bits));
        }
        Self { least_time, period_bits: period_bits(tree, prev, params), easiest }
    }

    /// nBits that Bitcoin expects in a header with this time.
    #[must_use]
    pub fn bits(&self, time: Timestamp) -> CompactTarget {
        match self.easiest {
            Some((from, bits)) if time >= from => bits,
            _ => self.period_bits,
        }
    }

    /// The times with which Bitcoin expects these nBits in the header, Unix seconds; an empty range if there are none. The
    /// clock bounds times as well.
    #[must_use]
    pub fn times(&self, bits: CompactTarget) -> RangeInclusive<u32> {
        let Timestamp(least) = self.least_time;
        match self.easiest.filter(|(_, easiest)| *easiest != self.period_bits) {
            None if bits == self.period_bits => least..=u32::MAX,
            Some((late, _)) if bits == self.period_bits => least..=late.0.saturating_sub(1),
            Some((late, easiest)) if bits == easiest => least.max(late.0)..=u32::MAX,
            _ => RangeInclusive::new(u32::MAX, 0),
        }
    }

    /// Checks that a header that follows has the nBits that its time demands.
    pub(super) fn check_bits(&self, header: &Header) -> Result<(), HeaderError> {
        let expected = self.bits(Timestamp(header.time));
        if header.bits != expected {
            let (found, expected) = (header.bits.to_consensus(), expected.to_consensus());
            return Err(HeaderError::Bits { found, expected });
        }
        Ok(())
    }

    /// Checks that a header that follows is not too early.
    pub(super) fn check_time(&self, header: &Header) -> Result<(), HeaderError> {
        let found = Timestamp(header.time);
        if found < self.least_time {
            return Err(HeaderError::TimeTooOld { found, least: self.least_time });
        }
        Ok(())
    }
}
