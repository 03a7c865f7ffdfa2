//! A link: a rate, a queue of finite length that drops what does not fit, and a delay.
//!
//! Everything is decided when a frame comes to the link's end: the link is free again at a known moment, what waits before it is the time until then,
//! and so a frame costs no event but its arrival.

use heorot_core::time::Time;
use std::time::Duration;

/// One direction of a cable, with the queue before it.
#[derive(Clone, Debug)]
pub struct Link {
    picoseconds_per_octet: u64,
    queue_picoseconds: u64,
    delay: Duration,
    /// When all that was taken will have left, in picoseconds since zero.
    free_at: u64,
    passed_octets: u64,
    dropped: u64,
    longest_picoseconds: u64,
}

/// The queue is full: the frame is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

const PICOSECONDS_PER_SECOND: u64 = 1_000_000_000_000;

impl Link {
    /// An idle link. The queue holds so many octets, the frame that is leaving included.
    ///
    /// # Panics
    /// If the rate is none, or more than a terabit a second.
    pub fn new(bits_per_second: u64, queue_octets: u64, delay: Duration) -> Self {
        assert!((1..=PICOSECONDS_PER_SECOND).contains(&bits_per_second), "no link has this rate");
        let picoseconds_per_octet = 8 * PICOSECONDS_PER_SECOND / bits_per_second;
        Self {
            picoseconds_per_octet,
            queue_picoseconds: queue_octets.saturating_mul(picoseconds_per_octet),
            delay,
            free_at: 0,
            passed_octets: 0,
            dropped: 0,
            longest_picoseconds: 0,
        }
    }

    /// A frame comes to the link. When it will have come out whole at the other end.
    ///
    /// # Errors
    /// The queue is full.
    pub fn take(&mut self, now: Time, wire_octets: u64) -> Result<Time, Full> {
        let now = now.as_nanoseconds() * 1000;
        let waiting = self.free_at.saturating_sub(now) + wire_octets * self.picoseconds_per_octet;
        if waiting > self.queue_picoseconds {
            self.dropped += 1;
            return Err(Full);
        }
        self.longest_picoseconds = self.longest_picoseconds.max(waiting);
        self.free_at = now + waiting;
        self.passed_octets += wire_octets;
        Ok(Time::from_nanoseconds(self.free_at.div_ceil(1000)) + self.delay)
    }

    /// Octets that wait now.
    pub fn waiting_octets(&self, now: Time) -> u64 {
        self.free_at.saturating_sub(now.as_nanoseconds() * 1000) / self.picoseconds_per_octet
    }

    /// Octets that went through since the start.
    pub fn passed_octets(&self) -> u64 {
        self.passed_octets
    }

    /// Frames that were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The most octets that ever waited.
    pub fn waiting_octets_max(&self) -> u64 {
        self.longest_picoseconds / self.picoseconds_per_octet
    }
}

#[cfg(test)]
mod tests;
