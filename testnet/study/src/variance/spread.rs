//! Samples of pay, most of them zero.

use crate::stats::{Estimate, as_f64, quantile};

/// Pay in equally long time spans, relative to the due in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pays {
    /// Number of time spans, including those without pay.
    pub(super) count: usize,
    /// The pays that are not zero.
    pub(super) paid: Vec<f64>,
}

impl Pays {
    fn sums(&self) -> Sums {
        let sum = self.paid.iter().sum();
        let squares = self.paid.iter().map(|pay| pay * pay).sum();
        Sums { count: as_f64(self.count), sum, squares }
    }

    /// Returns the part of the time spans without pay.
    pub(super) fn unpaid(&self) -> f64 {
        1.0 - as_f64(self.paid.len()) / as_f64(self.count)
    }

    /// Returns the pay that a part (0 to 1) of the time spans does not exceed.
    pub(super) fn quantile(&self, part: f64) -> f64 {
        let unpaid = self.unpaid();
        if part <= unpaid { 0.0 } else { quantile(&self.paid, (part - unpaid) / (1.0 - unpaid)) }
    }

    /// Joins the pays of several histories.
    pub(super) fn joined<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), |mut joined, pays| {
            joined.count += pays.count;
            joined.paid.extend_from_slice(&pays.paid);
            joined
        })
    }
}

/// The sums needed for mean and spread.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn add(self, other: Self) -> Self {
        Self { count: self.count + other.count, sum: self.sum + other.sum, squares: self.squares + other.squares }
    }

    fn without(self, other: Self) -> Self {
        Self { count: self.count - other.count, sum: self.sum - other.sum, squares: self.squares - other.squares }
    }

    /// Returns the standard deviation as a part of the due, to which pays are already relative.
    fn variation(self) -> f64 {
        let mean = self.sum / self.count;
        (self.squares / self.count - mean * mean).max(0.0).sqrt()
    }
}

/// Returns the coefficient of variation over several independent histories, with an interval by the jackknife.
pub(super) fn variation(histories: &[&Pays]) -> Estimate {
    let parts: Vec<Sums> = histories.iter().map(|pays| pays.sums()).collect();
    let all = parts.iter().fold(Sums::default(), |all, part| all.add(*part));
    let count = as_f64(parts.len());
    let pseudo = |part: &Sums| count * all.variation() - (count - 1.0) * all.without(*part).variation();
    if parts.len() < 2 {
        return Estimate::of(&[all.variation()]);
    }
    let interval = Estimate::of(&parts.iter().map(pseudo).collect::<Vec<_>>());
    Estimate { low: interval.low.max(0.0), ..interval }
}
