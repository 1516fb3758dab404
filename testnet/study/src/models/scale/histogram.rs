//! A histogram of arrival times, by milliseconds.

use super::count_f64;

/// Largest arrival time in milliseconds. Later arrivals count as this late.
const MILLIS_MAX: usize = 60_000;

/// The count for each number of milliseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; MILLIS_MAX + 1], total: 0 }
    }
}

impl Histogram {
    /// Counts an arrival after this many microseconds.
    pub fn add(&mut self, after_us: u32) {
        let millis = usize::try_from(after_us / 1_000).unwrap_or(MILLIS_MAX).min(MILLIS_MAX);
        self.counts[millis] += 1;
        self.total += 1;
    }

    /// Returns the seconds that a part (0 to 1) of all arrivals did not exceed, to the millisecond. NaN if there are
    /// none.
    #[must_use]
    pub fn quantile_s(&self, part: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 arrivals")]
        let wanted = self.total as f64 * part;
        let mut seen = 0_u64;
        for (millis, count) in self.counts.iter().enumerate() {
            seen += count;
            #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 arrivals")]
            if seen as f64 >= wanted && seen > 0 {
                return count_f64(millis) / 1e3;
            }
        }
        f64::NAN
    }

    /// Returns the mean in seconds.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 arrivals")]
        let weighed = |(millis, count): (usize, &u64)| count_f64(millis) * *count as f64;
        let sum: f64 = self.counts.iter().enumerate().map(weighed).sum();
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 arrivals")]
        let mean = sum / self.total as f64 / 1e3;
        mean
    }

    /// Returns the sum of several histograms.
    #[must_use]
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for one in all {
            sum.total += one.total;
            sum.counts.iter_mut().zip(&one.counts).for_each(|(sum, count)| *sum += count);
        }
        sum
    }

    /// Returns the number of arrivals.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests;
