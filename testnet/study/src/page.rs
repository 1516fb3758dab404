//! The study as one self-contained HTML file, and as Markdown with one picture per plot.

mod html;
mod markdown;
#[cfg(test)]
mod tests;

use super::result::{Cell, Finding};
use super::stats::Estimate;

pub use html::html;
pub use markdown::{Files, markdown};

/// Returns a cell as text.
fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number { value, digits } => number(*value, *digits),
        Cell::Estimate { estimate, digits } => estimate_text(estimate, *digits),
    }
}

/// Returns a mean and half the width of its interval, or both ends if they differ.
fn estimate_text(estimate: &Estimate, digits: u8) -> String {
    let Estimate { mean, low, high } = *estimate;
    let mean_text = number(mean, digits);
    if !low.is_finite() || !high.is_finite() || low >= high {
        return mean_text;
    }
    let (below, above) = (number(mean - low, digits), number(high - mean, digits));
    if below == above {
        format!("{mean_text} \u{b1} {above}")
    } else {
        format!("{mean_text} ({} to {})", number(low, digits), number(high, digits))
    }
}

/// Returns a number with this many decimal places, with thin spaces between thousands.
fn number(value: f64, digits: u8) -> String {
    if !value.is_finite() {
        return "\u{2013}".to_owned();
    }
    let text = format!("{value:.*}", usize::from(digits));
    // If all digits are zero, the sign is dropped.
    let text = if text.trim_start_matches('-').bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    };
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("\u{2212}", whole));
    let mut grouped = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && whole.len() > 4 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// Returns whether a claim holds, as a sign and a word.
fn verdict(finding: &Finding) -> (&'static str, &'static str) {
    match finding.holds {
        Some(true) => ("\u{2713}", "holds"),
        Some(false) => ("\u{2717}", "does not hold"),
        None => ("\u{2022}", "measured"),
    }
}
