//! The median time that Bitcoin's rules compare with.

use crate::units::Timestamp;

/// Headers whose times a median is taken of.
pub(super) const MEDIAN_SPAN: u32 = 11;

/// The middle of up to 11 times: of an even number, the later of the two.
pub(super) fn median(mut times: Vec<u32>) -> Timestamp {
    times.sort_unstable();
    Timestamp(times.get(times.len() / 2).copied().unwrap_or(0))
}
