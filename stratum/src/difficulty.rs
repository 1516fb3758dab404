//! Stratum difficulty and its exact target.

use std::cmp::Ordering;
use std::fmt;

use bitcoin::Target;

use crate::limits;

#[cfg(test)]
mod tests;

/// Mantissa bits of a difficulty below 1.
const FRACTION_BITS: u32 = 24;
/// Largest shift. It makes the smallest difficulty 2^-40, easier than any 256-bit target.
const SHIFT_MAX: u32 = 63;

/// A difficulty that every miner can parse: a whole number from 1 to 2^32 - 1 (some firmware reads
/// an unsigned 32-bit integer), or a fraction below 1 for test networks.
///
/// The value is `mantissa / 2^shift`. Whole numbers have shift 0, and fractions have a mantissa of
/// exactly 24 bits. So every value has one representation, and an `f64` holds it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difficulty {
    mantissa: u32,
    shift: u32,
}

impl Difficulty {
    /// Difficulty 1, whose target is `0xffff << 208`.
    pub const ONE: Self = Self { mantissa: 1, shift: 0 };
    /// The smallest difficulty, 2^-40. Every hash meets its target.
    pub const MIN: Self = Self { mantissa: 1 << (FRACTION_BITS - 1), shift: SHIFT_MAX };

    /// Returns the hardest difficulty at or below `value`, or [`Self::MIN`] if there is none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the branch above each cast bounds the value"
    )]
    pub fn floor(value: f64) -> Self {
        if value >= 1.0 {
            return Self { mantissa: value.min(f64::from(u32::MAX)) as u32, shift: 0 };
        }
        if value.is_nan() || value <= Self::MIN.to_f64() {
            return Self::MIN;
        }
        let mut shift = FRACTION_BITS;
        while value * shifted(shift) < f64::from(1u32 << (FRACTION_BITS - 1)) {
            shift += 1;
        }
        Self { mantissa: (value * shifted(shift)) as u32, shift }
    }

    /// Returns the hardest difficulty whose target is at or above `target`: a miner at this difficulty
    /// submits every hash that meets `target`.
    pub fn not_harder_than(target: Target) -> Self {
        let estimate = target.difficulty_float() * (1.0 + 1e-12);
        let mut difficulty = Self::floor(estimate);
        while difficulty.target() < target {
            difficulty = difficulty.next_easier();
        }
        difficulty
    }

    /// Returns the easiest difficulty whose target is at or below `target`: each of its shares meets `target`. The largest
    /// difficulty if there is none.
    pub fn not_easier_than(target: Target) -> Self {
        if target >= Self::MIN.target() {
            return Self::MIN;
        }
        let estimate = target.difficulty_float() * (1.0 - 1e-12);
        let mut difficulty = Self::floor(estimate);
        while difficulty.target() > target {
            match difficulty.next_harder() {
                Some(harder) => difficulty = harder,
                None => break,
            }
        }
        difficulty
    }

    /// Returns the target. A hash at or below it has at least this difficulty.
    pub fn target(self) -> Target {
        // Long division of 0xffff << (208 + shift) by the mantissa, in 32-bit digits, most
        // significant first. With shift 63 the numerator has 287 bits.
        let mut digits = [0u32; 9];
        let low_bit = 208 + self.shift;
        let numerator = 0xffff_u64 << (low_bit % 32);
        let top = 8 - (low_bit / 32) as usize;
        digits[top] = (numerator & 0xffff_ffff) as u32;
        if let Some(above) = top.checked_sub(1) {
            digits[above] = (numerator >> 32) as u32;
        }
        let mut remainder = 0u64;
        for digit in &mut digits {
            let value = (remainder << 32) | u64::from(*digit);
            *digit = (value / u64::from(self.mantissa)) as u32;
            remainder = value % u64::from(self.mantissa);
        }
        if digits[0] != 0 {
            return Target::from_be_bytes([0xff; 32]);
        }
        let mut bytes = [0u8; 32];
        for (chunk, digit) in bytes.chunks_exact_mut(4).zip(&digits[1..]) {
            chunk.copy_from_slice(&digit.to_be_bytes());
        }
        Target::from_be_bytes(bytes)
    }

    /// Returns the exact value.
    pub fn to_f64(self) -> f64 {
        f64::from(self.mantissa) / shifted(self.shift)
    }

    fn next_harder(self) -> Option<Self> {
        let fraction_top = (1 << FRACTION_BITS) - 1;
        match self {
            Self { mantissa, shift: 0 } => Some(Self { mantissa: mantissa.checked_add(1)?, shift: 0 }),
            Self { mantissa, shift } if mantissa < fraction_top => Some(Self { mantissa: mantissa + 1, shift }),
            Self { shift: FRACTION_BITS, .. } => Some(Self::ONE),
            Self { shift, .. } => Some(Self { mantissa: 1 << (FRACTION_BITS - 1), shift: shift - 1 }),
        }
    }

    fn next_easier(self) -> Self {
        let fraction_top = (1 << FRACTION_BITS) - 1;
        match self {
            Self::MIN => Self::MIN,
            Self::ONE => Self { mantissa: fraction_top, shift: FRACTION_BITS },
            Self { mantissa, shift: 0 } => Self { mantissa: mantissa - 1, shift: 0 },
            Self { mantissa, shift } if mantissa > 1 << (FRACTION_BITS - 1) => Self { mantissa: mantissa - 1, shift },
            Self { shift, .. } => Self { mantissa: fraction_top, shift: shift + 1 },
        }
    }
}

/// The difficulties that a server gives to miners. The share target caps all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DifficultyRange {
    /// Difficulty until vardiff has measured the miner.
    pub start: f64,
    /// Lowest difficulty. A miner may ask for a higher one.
    pub min: f64,
    /// Highest difficulty, whatever the miner asks for.
    pub max: f64,
}

impl Default for DifficultyRange {
    fn default() -> Self {
        Self { start: limits::INITIAL_DIFFICULTY, min: 0.0, max: f64::INFINITY }
    }
}

/// Returns 2^shift, exactly.
fn shifted(shift: u32) -> f64 {
    (0..shift).fold(1.0, |power, _| power * 2.0)
}

impl PartialOrd for Difficulty {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Difficulty {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_f64().total_cmp(&other.to_f64())
    }
}

/// Formats the value as a JSON number: a whole number, or a decimal fraction without an exponent.
impl fmt::Display for Difficulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shift {
            0 => self.mantissa.fmt(f),
            _ => self.to_f64().fmt(f),
        }
    }
}
