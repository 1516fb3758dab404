//! Median time past, as in Bitcoin's rules.

use crate::units::Timestamp;

/// Number of headers whose times a median covers.
pub(super) const MEDIAN_SPAN: u32 = 11;

/// Median of up to 11 times. For an even number, the later of the middle two.
pub(super) fn median(mut times: Vec<u32>) -> Timestamp {
    times.sort_unstable();
    Timestamp(times.get(times.len() / 2).copied().unwrap_or(0))
}
