//! QR codes, for SVG images and for terminals.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around a code, which readers need to find it.
const QUIET: i32 = 2;

/// Modules on each side of a text's code, and its dark modules as the path of an SVG image with as many units on each side:
/// row by row, one rectangle for those side by side. 0 and nothing for a text that is too long for any code.
pub(crate) fn path(text: &str) -> (u32, String) {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return (0, String::new()) };
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            if run > 0 {
                // Writing to a string does not fail.
                let _ = write!(path, "M{x} {y}h{run}v1H{x}z");
            }
            x = x.saturating_add(i32::try_from(run).unwrap_or(i32::MAX)).saturating_add(1);
        }
    }
    (code.size().unsigned_abs(), path)
}

/// The code as text, two rows of modules to a line: dark modules are spaces, since most terminals are dark. Readers
/// accept inverted codes, too. Empty for a text that is too long for any code.
pub(crate) fn lines(text: &str) -> String {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Low) else { return String::new() };
    let mut lines = String::new();
    for y in (-QUIET..code.size() + QUIET).step_by(2) {
        for x in -QUIET..code.size() + QUIET {
            lines.push(match (code.get_module(x, y), code.get_module(x, y + 1)) {
                (false, false) => '\u{2588}',
                (false, true) => '\u{2580}',
                (true, false) => '\u{2584}',
                (true, true) => ' ',
            });
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests;
