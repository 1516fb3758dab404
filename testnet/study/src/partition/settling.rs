//! The time until links are on time again after a change of hashrate.

/// Links are on time if their expected interval is within this factor of the intended one.
pub(crate) const TOLERANCE: f64 = 1.25;

/// The result of a change of hashrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settling {
    /// Seconds from the change until links are on time again. `None` if they never are.
    pub(super) after_s: Option<f64>,
    /// Largest expected links per second in the meantime, or shares per second of a classic chain.
    pub(super) busiest_per_s: f64,
}
