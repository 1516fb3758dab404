//! Measured values.

/// Measured bursts of submits.
#[derive(Default)]
pub(super) struct Submits {
    pub(super) accepted: u64,
    pub(super) lost: u64,
    /// Processor time of the node, seconds.
    pub(super) cpu_s: f64,
    /// Duration of the bursts, seconds.
    pub(super) seconds: f64,
}

impl Submits {
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.lost += other.lost;
        self.cpu_s += other.cpu_s;
        self.seconds += other.seconds;
    }

    /// Microseconds of the node's processor time per submit.
    pub(super) fn cpu_us(&self) -> f64 {
        self.cpu_s * 1e6 / (self.accepted.max(1) as f64)
    }

    /// The same, without this part of a core, which silent connections take.
    pub(super) fn alone_cpu_us(&self, silent_cpu: f64) -> f64 {
        (self.cpu_s - silent_cpu * self.seconds) * 1e6 / (self.accepted.max(1) as f64)
    }
}

/// This quantile of the times, in milliseconds.
pub(super) fn quantile_ms(times_us: &mut [u64], part: f64) -> f64 {
    times_us.sort_unstable();
    let at = ((times_us.len() as f64 * part).ceil() as usize).saturating_sub(1);
    times_us.get(at).map_or(0.0, |time| *time as f64 / 1_000.0)
}
