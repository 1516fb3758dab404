//! Formats times, rates and sizes for people.

/// A duration: `5 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`.
pub(crate) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let Some(at) = UNITS.iter().position(|(length, _)| seconds >= *length) else { return "0 s".to_owned() };
    let (length, unit) = UNITS[at];
    let whole = format!("{} {unit}", seconds / length);
    match UNITS.get(at + 1).map(|(length_next, unit)| (seconds % length / length_next, unit)) {
        Some((rest, unit)) if rest > 0 => format!("{whole} {rest} {unit}"),
        _ => whole,
    }
}

/// A hashrate with three digits: `412 kH/s`, `1.20 TH/s`.
pub(crate) fn hashrate(hashes_per_second: f64) -> String {
    const PREFIXES: [&str; 8] = ["", "k", "M", "G", "T", "P", "E", "Z"];
    let (mut value, mut prefix) = (hashes_per_second, 0);
    // More than three digits after rounding.
    while value >= 999.5 && prefix + 1 < PREFIXES.len() {
        value /= 1_000.0;
        prefix += 1;
    }
    let decimals = match value {
        value if value >= 99.95 || prefix == 0 => 0,
        value if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {}H/s", PREFIXES[prefix])
}

/// Bytes of memory: `61 MB`.
pub(crate) fn memory(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

/// A count with separators: `1,234,567`.
pub(crate) fn count(count: impl Into<u64>) -> String {
    let digits = count.into().to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Foreign text without control characters, so that it cannot control the terminal, and without characters that end a
/// line or change the writing direction, so that it cannot affect the text around it.
pub(crate) fn printable(words: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    words.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).collect()
}
