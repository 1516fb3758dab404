//! Estimates with confidence intervals.

use serde::{Deserialize, Deserializer, Serialize};

/// A mean and its 95% confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    #[serde(deserialize_with = "unknown")]
    pub mean: f64,
    /// Lower end of the interval.
    #[serde(deserialize_with = "no_lower_end")]
    pub low: f64,
    /// Upper end.
    #[serde(deserialize_with = "no_upper_end")]
    pub high: f64,
}

/// JSON cannot express infinite values: they are written as null and read back as infinite.
pub(super) fn unknown<'de, D: Deserializer<'de>>(source: D) -> Result<f64, D::Error> {
    Option::deserialize(source).map(|value| value.unwrap_or(f64::NAN))
}

fn no_lower_end<'de, D: Deserializer<'de>>(source: D) -> Result<f64, D::Error> {
    Option::deserialize(source).map(|value| value.unwrap_or(f64::NEG_INFINITY))
}

fn no_upper_end<'de, D: Deserializer<'de>>(source: D) -> Result<f64, D::Error> {
    Option::deserialize(source).map(|value| value.unwrap_or(f64::INFINITY))
}

impl Estimate {
    /// Creates an estimate of an exactly known value.
    #[must_use]
    pub const fn exact(value: f64) -> Self {
        Self { mean: value, low: value, high: value }
    }

    /// Returns the mean of independent runs, by Student's t. A single run has an infinite interval.
    #[must_use]
    pub fn of(samples: &[f64]) -> Self {
        let count = as_f64(samples.len());
        let mean = samples.iter().sum::<f64>() / count;
        if samples.len() < 2 {
            return Self { mean, low: f64::NEG_INFINITY, high: f64::INFINITY };
        }
        let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let half = student_t(samples.len() - 1) * (variance / count).sqrt();
        Self { mean, low: mean - half, high: mean + half }
    }

    /// Converts the estimate to another unit.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let (one, other) = (self.low * factor, self.high * factor);
        Self { mean: self.mean * factor, low: one.min(other), high: one.max(other) }
    }
}

/// Returns the value that a part (0 to 1) of the samples does not exceed. NaN if there are none.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index between 0 and the last")]
pub fn quantile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((as_f64(last) * part.clamp(0.0, 1.0)).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Converts a count to a float.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of samples are far below 2^53")]
pub const fn as_f64(count: usize) -> f64 {
    count as f64
}

/// Returns the factor of a two-sided 95% interval for `freedom` degrees of freedom, from Student's table.
fn student_t(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    // Beyond the table, this is within 0.1% of the exact factor.
    let normal = 1.96 + 2.4 / as_f64(freedom.max(1));
    freedom.checked_sub(1).and_then(|at| TABLE.get(at)).copied().unwrap_or(normal)
}

#[cfg(test)]
mod tests;
