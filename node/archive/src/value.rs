//! Values as PostgreSQL's binary format has them.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use sharechain::U256;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// Seconds from 1970 to 2000, where PostgreSQL's time begins.
const EPOCH_S: i64 = 946_684_800;

/// Base of the digits of a `numeric`.
const BASE: u16 = 10_000;

/// A non-negative integer in a column of type `numeric`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numeric(pub U256);

impl From<u128> for Numeric {
    fn from(value: u128) -> Self {
        Self(U256::from(value))
    }
}

impl Numeric {
    /// Digits to the base 10,000, the highest first, without zeros at either end; and the exponent of the first.
    fn digits(self) -> (Vec<u16>, i16) {
        let mut digits = Vec::with_capacity(20);
        let mut rest = self.0;
        // Most values fit in 128 bits, which divide ten times faster.
        while rest > U256::from(u128::MAX) {
            let (quotient, digit) = rest.div_rem(U256::from(BASE));
            digits.push(u16::try_from(digit).unwrap_or(0));
            rest = quotient;
        }
        let mut rest = u128::try_from(rest).unwrap_or(0);
        while rest > 0 {
            digits.push(u16::try_from(rest % u128::from(BASE)).unwrap_or(0));
            rest /= u128::from(BASE);
        }
        let exponent = i16::try_from(digits.len()).unwrap_or(i16::MAX).saturating_sub(1);
        digits.reverse();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        (digits, exponent.max(0))
    }
}

impl ToSql for Numeric {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let (digits, exponent) = self.digits();
        out.put_u16(u16::try_from(digits.len())?);
        out.put_i16(exponent);
        // Not negative, no decimal places.
        out.put_u32(0);
        for digit in digits {
            out.put_u16(digit);
        }
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::NUMERIC
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Numeric {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let (head, digits) = raw.split_first_chunk::<8>().ok_or("a numeric is too short")?;
        let [count_high, count_low, exponent_high, exponent_low, sign_high, sign_low, ..] = *head;
        let count = u16::from_be_bytes([count_high, count_low]);
        let exponent = i16::from_be_bytes([exponent_high, exponent_low]);
        let (digits, rest) = digits.as_chunks::<2>();
        if sign_high != 0 || sign_low != 0 || !rest.is_empty() || digits.len() != usize::from(count) {
            return Err("a numeric is negative, or no number".into());
        }
        let places = usize::try_from(exponent).map_err(|_| "a numeric is no integer")?.saturating_add(1);
        if digits.len() > places {
            return Err("a numeric is no integer".into());
        }
        let mut value = U256::ZERO;
        let zeros = std::iter::repeat_n(0, places - digits.len());
        for digit in digits.iter().map(|digit| u16::from_be_bytes(*digit)).chain(zeros) {
            let next = value.checked_mul(U256::from(BASE)).and_then(|value| value.checked_add(U256::from(digit)));
            value = next.ok_or("a numeric has more than 256 bits")?;
        }
        Ok(Self(value))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::NUMERIC
    }
}

/// A time in seconds since 1970, in a column of type `timestamptz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u32);

impl ToSql for Time {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i64((i64::from(self.0) - EPOCH_S) * 1_000_000);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Time {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let micros = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(u32::try_from(micros.div_euclid(1_000_000).saturating_add(EPOCH_S))?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}

/// JSON, in a column of type `jsonb`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a>(pub(crate) &'a str);

impl ToSql for Json<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        // The version of the format.
        out.put_u8(1);
        out.put_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_survive_the_binary_format() {
        let tens = (0..77).map(|exponent| U256::from(10).pow(U256::from(exponent)));
        let twos = (0..256).map(|exponent| U256::from(1) << exponent);
        let near = tens.chain(twos).flat_map(|value| [value - U256::from(1), value, value + U256::from(1)]);
        for value in near.chain([U256::MAX, U256::from(u128::MAX)]) {
            let mut bytes = BytesMut::new();
            Numeric(value).to_sql(&Type::NUMERIC, &mut bytes).unwrap();
            assert_eq!(Numeric::from_sql(&Type::NUMERIC, &bytes).unwrap(), Numeric(value));
        }
    }

    #[test]
    fn what_is_no_integer_is_refused() {
        // 0.5, -1, 10,000^20, a digit too few, and nothing.
        let half = [0, 1, 255, 255, 0, 0, 0, 1, 19, 136];
        let negative = [0, 1, 0, 0, 64, 0, 0, 0, 0, 1];
        let large = [0, 1, 0, 20, 0, 0, 0, 0, 0, 1];
        let short = [0, 2, 0, 1, 0, 0, 0, 0, 0, 1];
        for bytes in [&half[..], &negative, &large, &short, &[]] {
            assert!(Numeric::from_sql(&Type::NUMERIC, bytes).is_err(), "{bytes:?}");
        }
    }
}
