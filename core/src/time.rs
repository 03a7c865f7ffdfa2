//! Time as a value. Nobody in this crate reads a clock: `now` comes in with every input.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment: nanoseconds on a clock that only runs forward. Its zero means nothing, so moments are compared and subtracted, never shown.
///
/// The server lets its clock begin a long way from zero, so that what happened before a restart has a moment too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The moment this many nanoseconds after zero.
    pub const fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since zero.
    pub const fn as_nanoseconds(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; nothing if it is yet to come.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} s", self.0 / 1_000_000_000, self.0 % 1_000_000_000 / 1000)
    }
}

/// How long, for people: "12 s", "4 min 12 s", "3 h 5 min", "2 d 7 h", "5 years 3 d".
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (1..365, _, _) => format!("{days} d {hours} h"),
        (365..730, _, _) => format!("1 year {} d", days - 365),
        _ => format!("{} years {} d", days / 365, days % 365),
    }
}

/// A moment of the calendar, as nanoseconds since 1970 UTC: comes in with an operator's question, for the answer's time stamps alone.
/// No decision looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall(pub u64);

impl Wall {
    /// The calendar's word for `then`, past or to come, if it is this moment at `now`: `2026-11-22T10:45:12.345Z` (RFC 3339).
    pub fn stamp(self, now: Time, then: Time) -> String {
        let nanoseconds = if then > now {
            self.0.saturating_add(then.0 - now.0)
        } else {
            self.0.saturating_sub(now.0 - then.0)
        };
        let milliseconds = nanoseconds / 1_000_000;
        let (days, in_day) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
        let (year, month, day) = civil_date(days);
        let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
        let (second, milli) = (in_day / 1000 % 60, in_day % 1000);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// Year, month and day of the Gregorian calendar, of a day counted from 1970-01-01.
/// The year is counted from March, so that the leap day comes last (Hinnant, "chrono-compatible low-level date algorithms").
fn civil_date(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_ERA: u64 = 146_097; // 400 years
    const DAYS_TO_1970: u64 = 719_468; // from 0000-03-01
    let shifted = days + DAYS_TO_1970;
    let (era, day_of_era) = (shifted / DAYS_IN_ERA, shifted % DAYS_IN_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests;
