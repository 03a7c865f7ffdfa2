//! When to repeat: from the round trips of one transfer, as RFC 6298 does it for TCP, with bounds of our own.

use crate::limit::{
    TFTP_GAP_RESEND_MIN, TFTP_RESEND_FIRST, TFTP_RESEND_MAX, TFTP_RESEND_MIN, TFTP_RETRY_MIN,
    TFTP_ROUND_TRIP_MAX,
};
use std::time::Duration;

/// When silence is answered with a repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resend {
    /// After a measured round trip, and then twice as late each time.
    #[default]
    Measured,
    /// Always after this: for the simulator, to compare.
    Fixed(Duration),
    /// After this, and then twice as late each time: for the simulator, to compare.
    Doubling(Duration),
}

/// The round trips of one transfer so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RoundTrip {
    resend: Resend,
    measured: Option<Measured>,
    doublings: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Measured {
    smoothed: Duration,
    variation: Duration,
    least: Duration,
}

impl RoundTrip {
    pub(super) fn new(resend: Resend) -> Self {
        Self { resend, ..Self::default() }
    }

    /// A packet that was sent once was acknowledged after so long. (One that was sent twice tells nothing: Karn.)
    pub(super) fn measure(&mut self, took: Duration) {
        let took = took.min(TFTP_ROUND_TRIP_MAX);
        self.measured = Some(match &self.measured {
            None => Measured { smoothed: took, variation: took / 2, least: took }, // RFC 6298 2.2
            Some(old) => Measured {
                variation: (old.variation * 3 + old.smoothed.abs_diff(took)) / 4, // RFC 6298 2.3
                smoothed: (old.smoothed * 7 + took) / 8,
                least: old.least.min(took),
            },
        });
        // Only now: as long as everything is sent twice nothing is measured, and an interval that is too short would stay so.
        self.doublings = 0;
    }

    /// A packet was repeated because of silence: the next repeat comes later.
    pub(super) fn double(&mut self) {
        self.doublings = (self.doublings + 1).min(16);
    }

    /// What was repeated was lost, and was not merely late: the next repeat comes as soon as ever.
    pub(super) fn forget_doublings(&mut self) {
        self.doublings = 0;
    }

    /// How long silence has to last before the server repeats.
    pub(super) fn resend_after(&self) -> Duration {
        match self.resend {
            Resend::Measured => {}
            Resend::Fixed(after) => return after,
            Resend::Doubling(after) => return after * (1 << self.doublings.min(6)),
        }
        let base = self.measured.as_ref().map_or(TFTP_RESEND_FIRST, |measured| {
            (measured.smoothed + measured.variation * 4).clamp(TFTP_RESEND_MIN, TFTP_ROUND_TRIP_MAX)
        });
        (base * (1 << self.doublings)).min(TFTP_RESEND_MAX.max(base))
    }

    /// The same where the client has just spoken of a gap. It is there: only the way to it counts.
    pub(super) fn resend_gap_after(&self) -> Duration {
        let Some(measured) = &self.measured else { return self.resend_after().min(TFTP_RETRY_MIN) };
        let trip = (measured.smoothed * 2).max(measured.smoothed + measured.variation * 4);
        trip.max(TFTP_GAP_RESEND_MIN).min(self.resend_after())
    }

    /// A round trip, as they are on the whole.
    pub(super) fn usual(&self) -> Duration {
        self.measured.as_ref().map_or(Duration::ZERO, |measured| measured.smoothed)
    }

    /// The shortest round trip, if any was measured: an ACK that comes sooner after a packet does not speak of this packet.
    pub(super) fn least(&self) -> Option<Duration> {
        self.measured.as_ref().map(|measured| measured.least)
    }
}

#[cfg(test)]
mod tests;
