//! The two clocks: the one that decisions go by, and the calendar for time stamps.

use heorot_core::time::{Time, Wall};
use heorot_dns::limit::CALENDAR_LEAST_SECONDS;
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How far from zero our clock begins, so that what happened before the start has a moment too. Ten years: longer than any head node runs.
const BEGINS_AT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Now, on a clock that only runs forward and that nobody sets.
pub(crate) fn now() -> Time {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).expect("the monotonic clock is never negative");
    let nanoseconds = u32::try_from(now.tv_nsec).expect("a timespec has less than 1e9 nanoseconds");
    Time::from_nanoseconds(0) + BEGINS_AT + Duration::new(seconds, nanoseconds)
}

/// What the calendar says at a moment.
///
/// The way from our clock to the calendar is measured once and kept as long as the calendar is not set, so that one moment always has the same stamp.
pub(crate) fn wall(at: Time) -> Wall {
    /// The calendar less our clock, in nanoseconds, wrapping: the calendar may be set to a time before ours.
    static AHEAD: AtomicU64 = AtomicU64::new(0);
    /// What is less is the calendar being slewed, or the two being read one after the other.
    const SET_BY: Duration = Duration::from_millis(500);

    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let calendar = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
    let measured = calendar.wrapping_sub(now().as_nanoseconds());
    let known = AHEAD.load(Ordering::Relaxed);
    let apart = Duration::from_nanos(measured.wrapping_sub(known).min(known.wrapping_sub(measured)));
    let ahead = if apart < SET_BY { known } else { measured };
    AHEAD.store(ahead, Ordering::Relaxed);
    if ahead != known && known != 0 {
        let seconds = |ahead| now().as_nanoseconds().wrapping_add(ahead) / 1_000_000_000;
        if is_believed(reached_seconds(), seconds(known), seconds(ahead)) {
            REACHED.store(0, Ordering::Relaxed);
        }
    }
    Wall(at.as_nanoseconds().wrapping_add(ahead))
}

/// A day that has come, as far as is known, in seconds since 1970.
static REACHED: AtomicU64 = AtomicU64::new(0);

/// What was written at these moments, in seconds since 1970, says that they have come. A head whose battery is empty begins before that.
pub(crate) fn has_come(stamps: impl Iterator<Item = u64>) {
    if let Some(seconds) = latest(calendar_seconds().into(), stamps) {
        REACHED.fetch_max(seconds, Ordering::Relaxed);
    }
}

/// The day that has come at least. A calendar that can be right is believed more than a stamp that is far ahead of it: that was written while the calendar was wrong.
fn latest(calendar: u64, stamps: impl Iterator<Item = u64>) -> Option<u64> {
    let can_be_right = calendar >= CALENDAR_LEAST_SECONDS;
    let are_believed = |stamp: &u64| !can_be_right || *stamp <= calendar + YEAR;
    // A calendar that was an hour off, or a zone, is no reason to doubt.
    stamps.filter(are_believed).max().map(|stamp| stamp.saturating_sub(DAY))
}

/// Whether a calendar that was set while we run says itself what day it is: it stands at what is known to have come, or did before somebody set it back; or it can be right, and that was written
/// while it was wrong.
fn is_believed(reached: u64, before: u64, after: u64) -> bool {
    before.max(after) >= reached || (after >= CALENDAR_LEAST_SECONDS && reached > after + YEAR)
}

/// Seconds of a day and of a year.
const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

/// The last day of which that is known. 0: the calendar was set while we run, and says itself what day it is.
pub(crate) fn reached_seconds() -> u64 {
    REACHED.load(Ordering::Relaxed)
}

/// Now, by the calendar, in seconds.
pub(crate) fn calendar_seconds() -> u32 {
    u32::try_from(wall(now()).0 / 1_000_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_one_stamp() {
        let then = now();
        let first = wall(then).stamp(then, then);
        std::thread::sleep(Duration::from_millis(20));
        let later = now();
        assert_eq!(wall(later).stamp(later, then), first);
    }

    #[test]
    fn one_stamp_that_is_years_ahead_is_not_believed() {
        const DAY: u64 = 86_400;
        const TODAY: u64 = CALENDAR_LEAST_SECONDS + 100 * DAY;
        let stamps = [TODAY - 3 * DAY, TODAY + 2000 * DAY, TODAY + 5 * DAY];
        assert_eq!(latest(TODAY, stamps.into_iter()), Some(TODAY + 4 * DAY));
        assert_eq!(latest(TODAY, stamps[1..2].iter().copied()), None);
        let empty_battery = 0;
        assert_eq!(latest(empty_battery, stamps[..1].iter().copied()), Some(TODAY - 4 * DAY));
    }

    #[test]
    fn a_calendar_that_is_set_is_believed_where_it_has_come_far_enough() {
        assert!(is_believed(1000, 0, 1000), "it was never set before");
        assert!(is_believed(1000, 2000, 500), "it was ahead");
        assert!(!is_believed(1000, 0, 999), "it is behind still");
        let today = CALENDAR_LEAST_SECONDS + YEAR;
        assert!(is_believed(today + 2 * YEAR, 0, today), "that was written while it was wrong");
        assert!(!is_believed(today + YEAR, 0, today));
    }
}
