//! An axis: what it spans, and where it has ticks.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// An axis whose places are values, or their decimal logarithms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    log: bool,
    /// The least place.
    pub(super) low: f64,
    /// The greatest place.
    pub(super) high: f64,
    /// Places of the ticks.
    pub(super) ticks: Vec<f64>,
    /// The least value.
    pub(super) first: f64,
    /// Digits behind the point that tell the ticks apart.
    digits: usize,
}

impl Scale {
    /// Spans all values that can be shown; `None` when there are none.
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
        // Zero is on the axis unless everything lies far from it.
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

    /// The place of a value.
    pub(super) fn place(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// Whether a value has a place.
    pub(super) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (!self.log || value > 0.0)
    }

    /// The value, or the end of the axis that it lies beyond.
    pub(super) fn clamp(&self, value: f64) -> f64 {
        let (low, high) =
            if self.log { (10_f64.powf(self.low), 10_f64.powf(self.high)) } else { (self.low, self.high) };
        value.clamp(low, high)
    }

    /// The name of a tick.
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

/// The round step next above a width: 1, 2 or 5 times a power of ten.
fn step_for(width: f64) -> f64 {
    let decade = 10_f64.powf(width.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|part| part * decade).find(|step| *step >= width * 0.999).unwrap_or(10.0 * decade)
}

/// Digits behind the point that show a step.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 12")]
fn digits_of(step: f64) -> usize {
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize
}
