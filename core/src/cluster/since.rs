//! Since when something holds, also if that was before the server's start: then the calendar of that day tells, if it was kept with what it tells of.

use crate::time::{Time, Wall};

/// Since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// For what happened before the start, and is not placed by the calendar, that start.
    at: Time,
    before: Before,
}

/// What is known of a moment before the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// It was after that.
    No,
    /// Seconds since 1970, and the start: no calendar has placed it, or by that of now it is yet to come.
    Seconds(u64, Time),
    /// The same, and it has its moment by the calendar as it is.
    Placed(u64, Time),
    Unknown,
}

impl Since {
    /// From now on.
    pub const fn now(now: Time) -> Self {
        Self { at: now, before: Before::No }
    }

    /// As it was kept before the start, which is now: in seconds since 1970, if the calendar was known then.
    pub fn restored(start: Time, seconds: Option<u64>) -> Self {
        Self { at: start, before: seconds.map_or(Before::Unknown, |seconds| Before::Seconds(seconds, start)) }
    }

    /// The moment; the server's start, if it was before that and is not known.
    pub const fn at(self) -> Time {
        self.at
    }

    /// The moment by our own clock alone: the server's start for all that was before it, whatever the calendar says. Decisions are made by this.
    pub const fn by_clock(self) -> Time {
        match self.before {
            Before::No | Before::Unknown => self.at,
            Before::Seconds(_, start) | Before::Placed(_, start) => start,
        }
    }

    /// Whether that is the moment itself.
    pub fn is_known(self) -> bool {
        match self.before {
            Before::No | Before::Placed(..) => true,
            Before::Seconds(..) | Before::Unknown => false,
        }
    }

    /// The calendar is known, or is another one: what was kept by it gets its moment. What is yet to come is not known, until the calendar is put on: a head that boots with a clock that is
    /// behind has it set a minute later.
    pub fn place(&mut self, now: Time, wall: Wall) {
        let (seconds, start) = match self.before {
            Before::Seconds(seconds, start) | Before::Placed(seconds, start) => (seconds, start),
            Before::No | Before::Unknown => return,
        };
        let ago =
            std::time::Duration::from_nanos(wall.0).checked_sub(std::time::Duration::from_secs(seconds));
        *self = match ago {
            Some(ago) => Self { at: now - ago, before: Before::Placed(seconds, start) },
            None => Self { at: start, before: Before::Seconds(seconds, start) },
        };
    }

    /// As it is kept: seconds since 1970, if the calendar was known at some moment.
    pub fn seconds(self, calendar: Option<(Time, Wall)>) -> Option<u64> {
        match self.before {
            Before::Seconds(seconds, _) | Before::Placed(seconds, _) => Some(seconds),
            Before::Unknown => None,
            Before::No => {
                let (then, Wall(nanoseconds)) = calendar?;
                let later = self.at.as_nanoseconds().saturating_sub(then.as_nanoseconds());
                let earlier = then.as_nanoseconds().saturating_sub(self.at.as_nanoseconds());
                Some(nanoseconds.saturating_add(later).saturating_sub(earlier) / 1_000_000_000)
            }
        }
    }
}

#[cfg(test)]
mod tests;
