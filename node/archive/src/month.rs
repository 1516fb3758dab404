//! Months, by which the largest table is partitioned and files are exported.

use std::fmt;
use std::str::FromStr;

/// A month, from 1970 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    pub(crate) year: u32,
    pub(crate) month: u32,
}

impl Month {
    /// The month of a time in seconds since 1970, in UTC.
    pub(crate) fn of(time: u32) -> Self {
        // Days of years that begin in March, where leap days come last.
        let days = time / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self { year: year_of_era + era * 400 + u32::from(month <= 2), month }
    }

    pub(crate) fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    pub(crate) fn begins(self) -> String {
        format!("{:04}-{:02}-01 00:00:00+00", self.year, self.month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = String;

    /// Reads `2026-11`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let parts = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
        let month = parts.and_then(|(year, month)| Some(Self { year: number(year)?, month: number(month)? }));
        let month = month.filter(|month| month.year >= 1970 && (1..=12).contains(&month.month));
        month.ok_or_else(|| "write a month like 2026-11".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_the_months_of_the_calendar() {
        let of = |time| {
            let Month { year, month } = Month::of(time);
            (year, month)
        };
        assert_eq!([of(0), of(2_678_399), of(2_678_400)], [(1970, 1), (1970, 1), (1970, 2)]);
        // 29 February 2024 and 1 March 2024; 31 December 2026 and 1 January 2027; the last second of 32 bits.
        assert_eq!([of(1_709_164_800), of(1_709_251_200)], [(2024, 2), (2024, 3)]);
        assert_eq!([of(1_798_761_599), of(1_798_761_600)], [(2026, 12), (2027, 1)]);
        assert_eq!(of(u32::MAX), (2106, 2));
        assert_eq!(["2026-12", "1970-01"].map(str::parse), [Ok(Month { year: 2026, month: 12 }), Ok(Month::of(0))]);
        for wrong in ["2026", "2026-13", "2026-00", "1969-12", "26-12", "2026-1", "2026-+1", "2026-12-01", "é"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
        assert_eq!(Month::of(u32::MAX).to_string(), "2106-02");
        assert_eq!(Month { year: 2026, month: 12 }.next().begins(), "2027-01-01 00:00:00+00");
    }
}
