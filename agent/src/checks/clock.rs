//! How far the clock is from the server's, which tells its own with every answer.

use super::{Check, time};
use crate::http::{self, Url};
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// `clock`: apart by at most so much.
pub(super) fn look(check: &Check, url: &Url) -> Result<String, String> {
    let Value::String(most) = &check.at_most else {
        return Err("the check does not say at-most how much".to_owned());
    };
    let most = time(most)?.as_secs();
    let before = now()?;
    let answer = http::request(url, None).map_err(|error| format!("{url}: {error}"))?;
    let after = now()?;
    let date = answer.date.ok_or("the server does not tell the time")?;
    let server = seconds(&date).ok_or_else(|| format!("the server's time is not understood: {date}"))?;
    let apart = apart(before, after, server);
    let said = format!("{apart} s from the server's, at most {most} s wanted");
    if apart <= most { Ok(said) } else { Err(said) }
}

fn now() -> Result<u64, String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).map_err(|_| "the clock is before 1970".to_owned())
}

/// Seconds between two clocks, of which the server's was read between two readings of ours. Each second lasts to the next.
fn apart(before: u64, after: u64, server: u64) -> u64 {
    let ahead = before.saturating_sub(server);
    let behind = server.saturating_sub(after);
    ahead.max(behind)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), in seconds since 1970.
fn seconds(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<_> = date.split_whitespace().collect();
    let [_, day, month, year, clock, "GMT"] = words.as_slice() else { return None };
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    let month = MONTHS.iter().position(|name| name == month)? as u64;
    let parts: Vec<u64> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = parts.as_slice() else { return None };
    if !(1970..10_000).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March end with the leap day.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    const DAYS_TO_1970: u64 = 719_468;
    Some((days - DAYS_TO_1970) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (date, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
            ("Fri, 01 Mar 2024 00:00:00 GMT", Some(1_709_251_200)),
            ("Fri, 31 Dec 2100 00:00:00 GMT", Some(4_133_894_400)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 0000 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sun, 06 Nox 1994 08:49:37 GMT", None),
            ("", None),
        ] {
            assert_eq!(seconds(date), expected, "{date}");
        }
    }

    #[test]
    fn clocks_that_may_be_the_same_are_not_apart() {
        for (before, after, server, expected) in [
            (100, 100, 100, 0),
            (100, 103, 102, 0),
            (100, 101, 99, 1),
            (100, 101, 110, 9),
            (100, 101, 0, 100),
        ] {
            assert_eq!(apart(before, after, server), expected);
        }
    }
}
