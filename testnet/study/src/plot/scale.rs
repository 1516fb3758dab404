//! The scale of an axis: its range and its ticks.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// An axis whose positions are values, or their decimal logarithms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    log: bool,
    /// The smallest position.
    pub(super) low: f64,
    /// The largest position.
    pub(super) high: f64,
    /// Positions of the ticks.
    pub(super) ticks: Vec<f64>,
    /// The smallest value.
    pub(super) first: f64,
    /// Decimal places that tell the ticks apart.
    digits: usize,
}

impl Scale {
    /// Creates a scale for all values that can be shown. `None` if there are none.
    pub(super) fn of(values: impl Iterator<Item = f64>, log: bool) -> Option<Self> {
        let shown = |value: &f64| value.is_finite() && (!log || *value > 0.0);
        let (first, last) = values
            .filter(shown)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), value| (first.min(value), last.max(value)));
        if first > last {
            return None;
        }
        Some(if log { Self::logarithmic(first, last) } else { Self::linear(first, last) })
    }

    fn linear(first: f64, last: f64) -> Self {
        let span = if last > first { last - first } else { first.abs().max(1.0) };
        let step = step_for(span / 5.0);
        // Zero is on the axis, unless all values are far from it.
        let from = if first >= 0.0 && first < span { 0.0 } else { first };
        let (low, high) = ((from / step).floor() * step, (last / step).ceil() * step);
        let high = if high > low { high } else { low + step };
        let count = ((high - low) / step).round();
        let mut ticks = Vec::new();
        let mut tick = 0.0;
        while tick <= count {
            ticks.push(low + tick * step);
            tick += 1.0;
        }
        Self { log: false, low, high, ticks, first, digits: digits_of(step) }
    }

    fn logarithmic(first: f64, last: f64) -> Self {
        let (from, to) = (first.log10(), last.log10());
        let decades = to - from;
        // Few decades get ticks at 2 and 5 as well.
        let parts: &[f64] = if decades < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks = Vec::new();
        let mut decade = from.floor();
        while decade <= to.ceil() {
            ticks.extend(parts.iter().map(|part| decade + part.log10()));
            decade += 1.0;
        }
        const CLOSE: f64 = 1e-9;
        let low = ticks.iter().copied().filter(|tick| *tick <= from + CLOSE).fold(f64::NEG_INFINITY, f64::max);
        let high = ticks.iter().copied().filter(|tick| *tick >= to - CLOSE).fold(f64::INFINITY, f64::min);
        let high = if high > low { high } else { low + 1.0 };
        ticks.retain(|tick| (low - CLOSE..=high + CLOSE).contains(tick));
        Self { log: true, low, high, ticks, first, digits: 0 }
    }

    /// Returns the position of a value.
    pub(super) fn place(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// Returns whether a value has a position.
    pub(super) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (!self.log || value > 0.0)
    }

    /// Returns the value, or the nearer end of the axis if it is out of range.
    pub(super) fn clamp(&self, value: f64) -> f64 {
        let (low, high) =
            if self.log { (10_f64.powf(self.low), 10_f64.powf(self.high)) } else { (self.low, self.high) };
        value.clamp(low, high)
    }

    /// Returns the label of a tick.
    pub(super) fn label(&self, place: f64) -> String {
        if !self.log {
            return format!("{place:.digits$}", digits = self.digits);
        }
        let value = 10_f64.powf(place);
        if (1e-3..1e5).contains(&value) {
            let digits = digits_of(value);
            format!("{value:.digits$}")
        } else {
            format!("{value:.0e}")
        }
    }
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    #[expect(clippy::cast_possible_truncation, reason = "pixels of a picture")]
    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let part = (place - self.low) / (self.high - self.low);
        first + (part * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// Returns the next larger round step: 1, 2 or 5 times a power of ten.
fn step_for(width: f64) -> f64 {
    let decade = 10_f64.powf(width.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|part| part * decade).find(|step| *step >= width * 0.999).unwrap_or(10.0 * decade)
}

/// Returns the decimal places that show a step.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 12")]
fn digits_of(step: f64) -> usize {
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize
}
