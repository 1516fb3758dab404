//! Reads the minimum difficulty from a password, in the forms that miners are used to.

/// Names of a difficulty in passwords, in lower case and without `-` and `_`. Other pools call it differently.
const NAMES: [&str; 8] = ["d", "diff", "difficulty", "md", "mindiff", "mindifficulty", "minimumdifficulty", "sd"];

/// Extracts the number from a password such as `x,d=4096`: one of [`NAMES`] in any case, `=` or `:`, and a number above 0,
/// which may end with `k`, `M`, `G` or `T`. Blanks are ignored, and whatever else the password says.
pub(super) fn password_difficulty(password: &str) -> Option<f64> {
    let password = password.to_ascii_lowercase();
    let mut rest = password.as_str();
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = (&rest[..at], rest[at + 1..].trim_start());
        let is_apart = |letter: char| !(letter.is_alphanumeric() || matches!(letter, '-' | '_'));
        let name = before.trim_end().rsplit(is_apart).next().unwrap_or_default().replace(['-', '_'], "");
        let value = after.split([',', ';', '&', '|', ' ', '\t', '=', ':']).next().unwrap_or_default();
        if NAMES.contains(&name.as_str())
            && let Some(number) = number(value)
        {
            return Some(number);
        }
        rest = after;
    }
    None
}

/// Parses a finite number above 0 with an optional unit.
fn number(text: &str) -> Option<f64> {
    let units = [('k', 1e3), ('m', 1e6), ('g', 1e9), ('t', 1e12)];
    let unit = units.into_iter().find_map(|(letter, factor)| Some((text.strip_suffix(letter)?, factor)));
    let (digits, factor) = unit.unwrap_or((text, 1.0));
    let number = digits.parse::<f64>().ok()? * factor;
    (number.is_finite() && number > 0.0).then_some(number)
}
