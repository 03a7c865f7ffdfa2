//! The two clocks: the one that decisions go by, and the calendar for time stamps.

use heorot_core::time::{Time, Wall};
use rustix::time::{ClockId, clock_gettime};
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

/// Now, by the calendar.
pub(crate) fn wall() -> Wall {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall(u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX))
}

/// Now, by the calendar, in seconds: for serial numbers that must grow from start to start.
pub(crate) fn calendar_seconds() -> u32 {
    u32::try_from(wall().0 / 1_000_000_000).unwrap_or(u32::MAX)
}
