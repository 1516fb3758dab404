//! A rate of bytes, as clients of file-sharing networks and routers write it.

/// Lowest configurable upload limit, bytes per second. Gossip of a full pool takes about 20 kB/s for each peer of the
/// mesh.
const UPLOAD_MIN: u64 = 50_000;

/// Advice for rates.
pub(super) const EXPECTED: &str =
    "a rate like \"2 MB/s\", \"500 kB/s\" or \"16 Mbit/s\", at least 50 kB/s, or unlimited";

/// Units, and how many of them are a byte per second: a numerator and a denominator.
const UNITS: [(&str, u64, u64); 7] = [
    ("B/s", 1, 1),
    ("kB/s", 1_000, 1),
    ("MB/s", 1_000_000, 1),
    ("GB/s", 1_000_000_000, 1),
    ("kbit/s", 1_000, 8),
    ("Mbit/s", 1_000_000, 8),
    ("Gbit/s", 1_000_000_000, 8),
];

/// Parses a number with a unit into bytes per second; `Some(None)` for `unlimited`. Units are exact: `Mb/s` may mean
/// either.
pub(super) fn upload(text: &str) -> Option<Option<u64>> {
    if text == "unlimited" {
        return Some(None);
    }
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let (_, numerator, denominator) = UNITS.into_iter().find(|(name, ..)| *name == unit.trim_start())?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || part.len() > 3 || number.ends_with('.') {
        return None;
    }
    // Thousandths, without floating point.
    let milli: u64 = format!("{whole}{part:0<3}").parse().ok()?;
    let bytes = milli.checked_mul(numerator)? / denominator / 1_000;
    (bytes >= UPLOAD_MIN).then_some(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::upload;

    #[test]
    fn rates_have_units() {
        for (text, bytes) in [
            ("2 MB/s", 2_000_000),
            ("2MB/s", 2_000_000),
            ("500 kB/s", 500_000),
            ("1.5 MB/s", 1_500_000),
            ("16 Mbit/s", 2_000_000),
            ("0.4 Mbit/s", 50_000),
            ("50000 B/s", 50_000),
            ("1 Gbit/s", 125_000_000),
        ] {
            assert_eq!(upload(text), Some(Some(bytes)), "{text}");
        }
        assert_eq!(upload("unlimited"), Some(None));
        for text in [
            "",
            "2",
            "MB/s",
            "2 Mb/s",
            "2 mb/s",
            "-2 MB/s",
            "2 MB",
            "1 kB/s",
            "2. MB/s",
            "1.2345 MB/s",
            "99999999999999 GB/s",
        ] {
            assert_eq!(upload(text), None, "{text}");
        }
    }
}
