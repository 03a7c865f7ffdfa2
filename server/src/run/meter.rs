//! What was sent in the last second, in the octets that links are measured in; and how much two counters rose in it.

use heorot_core::load::WIRE_OVERHEAD_OCTETS;
use heorot_core::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// How fine the second is divided.
const SLICE: Duration = Duration::from_millis(100);
/// Slices of a second.
const SLICES: usize = 10;

/// Counts by tenths of a second.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Those in which there was anything to count; only the last second's.
    slices: VecDeque<Slice>,
    /// What the counters were when they were looked at last.
    counters: [u64; 2],
}

#[derive(Debug)]
struct Slice {
    begun: Time,
    octets: u64,
    /// By how much the counters rose.
    risen: [u64; 2],
}

impl Meter {
    /// A datagram of so many octets left.
    pub(super) fn sent(&mut self, now: Time, payload_octets: usize) {
        self.sent_many(now, 1, payload_octets);
    }

    /// Datagrams of so many octets together left.
    pub(super) fn sent_many(&mut self, now: Time, datagrams: usize, payload_octets: usize) {
        self.slice(now).octets += payload_octets as u64 + datagrams as u64 * WIRE_OVERHEAD_OCTETS;
    }

    /// What the counters are. To be told in each turn, whoever asks: what they were a second ago nobody knows later.
    pub(super) fn counted(&mut self, now: Time, counters: [u64; 2]) {
        let before = std::mem::replace(&mut self.counters, counters);
        if before != counters {
            let slice = self.slice(now);
            for place in 0..2 {
                slice.risen[place] += counters[place].saturating_sub(before[place]);
            }
        }
    }

    /// Bits sent in the last second, and how much each of the counters rose in it.
    pub(super) fn last_second(&self, now: Time) -> (u64, [u64; 2]) {
        const SECOND: Duration = Duration::from_secs(1);
        let recent = self.slices.iter().filter(|slice| now.since(slice.begun) <= SECOND);
        recent.fold((0, [0, 0]), |(bits, [first, second]), slice| {
            (bits + slice.octets * 8, [first + slice.risen[0], second + slice.risen[1]])
        })
    }

    /// The slice of this moment.
    fn slice(&mut self, now: Time) -> &mut Slice {
        let goes_on = self.slices.back().is_some_and(|slice| now.since(slice.begun) < SLICE);
        if !goes_on {
            if self.slices.len() == SLICES {
                self.slices.pop_front();
            }
            self.slices.push_back(Slice { begun: now, octets: 0, risen: [0, 0] });
        }
        self.slices.back_mut().expect("it is there, or was just begun")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Time {
        Time::from_nanoseconds(1 << 40) + Duration::from_millis(milliseconds)
    }

    #[test]
    fn only_the_last_second_counts() {
        let mut meter = Meter::default();
        for millisecond in 0..3000 {
            meter.sent(at(millisecond), 1000 - 66);
            meter.counted(at(millisecond), [millisecond, 2 * millisecond]);
        }
        let (bits, risen) = meter.last_second(at(3000));
        assert!((7_900_000..=8_100_000).contains(&bits), "{bits} bits of 8 Mbit/s");
        assert_eq!(risen, [1000, 2000]);
        assert_eq!(meter.slices.len(), SLICES);
        assert_eq!(meter.last_second(at(5000)), (0, [0, 0]));
    }

    /// A storm begins after an hour in which the loop slept and nobody asked: its first second is told as it is, and not as an hour's mean; and so it is to whoever asks for the first time.
    #[test]
    fn who_has_not_asked_for_long_is_told_of_the_last_second() {
        const HOUR: u64 = 3_600_000;
        let mut meter = Meter::default();
        meter.counted(at(0), [5000, 100]);
        assert_eq!(meter.last_second(at(900)).1, [5000, 100]);
        for millisecond in 0..=1000 {
            meter.counted(at(HOUR + millisecond), [5000 + millisecond * 3, 100 + millisecond]);
        }
        let (_, [retries, resent]) = meter.last_second(at(HOUR + 1000));
        assert!((2900..=3000).contains(&retries) && (950..=1000).contains(&resent), "{retries} {resent}");
    }
}
