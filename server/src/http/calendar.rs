//! Dates as HTTP writes them (RFC 9110 5.6.7): seconds since 1970 and `Sun, 06 Nov 1994 08:49:37 GMT`.

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: u64 = 86_400;

/// The date of so many seconds since 1970.
pub(crate) fn written(seconds: u64) -> String {
    let (days, rest) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS);
    let (year, month, day) = civil(days);
    let week_day = DAYS[usize::try_from(days % 7).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{week_day}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// The seconds of a date in any of the three forms (RFC 9110 5.6.7): that which is written today, and the two that were before, of RFC 850 and of asctime.
pub(super) fn read(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    match *parts {
        [week_day, day, month, year, time, "GMT"] => {
            let is_named = week_day.strip_suffix(',').is_some_and(|week_day| DAYS.contains(&week_day));
            is_named.then(|| moment(number(year, 4)?, month, number(day, 2)?, time))?
        }
        [week_day, date, time, "GMT"] => {
            let is_named = week_day.strip_suffix("day,").is_some_and(is_week_day);
            let mut date = date.splitn(3, '-');
            let (day, month, year) = (date.next()?, date.next()?, number(date.next()?, 2)?);
            // None is of before 1970, and none that matters is to come.
            let year = if year < 70 { 2000 + year } else { 1900 + year };
            is_named.then(|| moment(year, month, number(day, 2)?, time))?
        }
        [week_day, month, day, time, year] if DAYS.contains(&week_day) => {
            let day = number(day, 2).or_else(|| number(day, 1))?;
            moment(number(year, 4)?, month, day, time)
        }
        _ => None,
    }
}

/// Whether a week day is called so, without its "day".
fn is_week_day(name: &str) -> bool {
    ["Sun", "Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur"].contains(&name)
}

/// The seconds of a moment, if there is such a one: `time` is `08:49:37`.
fn moment(year: u64, month: &str, day: u64, time: &str) -> Option<u64> {
    let month = u64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let mut parts = time.split(':').map(|part| number(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    // A leap second is the one before it, here.
    let is_time = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    let days = days_of(year, month, day)?;
    is_time.then_some(days * DAY_SECONDS + hour * 3600 + minute * 60 + second.min(59))
}

/// Exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u64> {
    (text.len() == digits && text.bytes().all(|octet| octet.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Year, month and day of so many days after 1 January 1970. Counted from a 1 March, so that the day that years may lack is their last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 1 March of the year 0
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Days from 1 January 1970 to a date, if there is such a date and it is not before.
fn days_of(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let length = match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day == 0 || day > length || year < 1970 {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let (era, year_of_era) = (shifted_year / 400, shifted_year % 400);
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    (era * 146_097 + of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read() {
        for (seconds, text) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), // RFC 9110 5.6.7
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_795_910_400, "Sun, 29 Nov 2026 00:00:00 GMT"),
            (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(written(seconds), text);
            assert_eq!(read(text), Some(seconds), "{text}");
        }
        for day in 0..60_000 {
            assert_eq!(read(&written(day * DAY_SECONDS + day)), Some(day * DAY_SECONDS + day));
        }
    }

    /// RFC 9110 5.6.7: a recipient has to accept these too.
    #[test]
    fn dates_of_before_are_read() {
        for (seconds, text) in [
            (784_111_777, "Sunday, 06-Nov-94 08:49:37 GMT"),
            (784_111_777, "Sun Nov  6 08:49:37 1994"),
            (1_795_910_400, "Sunday, 29-Nov-26 00:00:00 GMT"),
            (1_795_910_400, "Sun Nov 29 00:00:00 2026"),
            (0, "Thursday, 01-Jan-70 00:00:00 GMT"),
        ] {
            assert_eq!(read(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Noday, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "Sun Nov  6 08:49:37 94",
            "Sunday Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 29 Feb 2100 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
