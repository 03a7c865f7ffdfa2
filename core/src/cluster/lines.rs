//! Lines in the journal that are counted, where anybody can bring about as many as he likes.

use crate::time::Time;
use std::time::Duration;

/// Since when they are counted, and how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Lines(Option<(Time, u32)>);

impl Lines {
    /// Whether the journal has room for one more, of so many within so long, and takes it.
    pub(super) fn take(&mut self, now: Time, within: Duration, most: u32) -> bool {
        let current = self.0.filter(|(since, _)| now.since(*since) < within);
        let (since, told) = current.unwrap_or((now, 0));
        let has_room = told < most;
        self.0 = Some((since, told + u32::from(has_room)));
        has_room
    }
}
