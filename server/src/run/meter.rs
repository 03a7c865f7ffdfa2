//! What was sent in the last second, in the octets that links are measured in.

use heorot_core::load::WIRE_OVERHEAD_OCTETS;
use heorot_core::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// How fine the second is divided.
const SLICE: Duration = Duration::from_millis(100);
/// Slices of a second.
const SLICES: usize = 10;

/// Counts octets, by tenths of a second.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Beginning and octets of the slices in which something was sent; only the last second's.
    slices: VecDeque<(Time, u64)>,
    /// When the counters were looked at, and what they were, twice: the later one is a second ago at most, or the last time; the earlier one a second or more before it.
    counters: Option<[(Time, [u64; 2]); 2]>,
}

impl Meter {
    /// A datagram of so many octets left.
    pub(super) fn sent(&mut self, now: Time, payload_octets: usize) {
        self.sent_many(now, 1, payload_octets);
    }

    /// Datagrams of so many octets together left.
    pub(super) fn sent_many(&mut self, now: Time, datagrams: usize, payload_octets: usize) {
        let octets = payload_octets as u64 + datagrams as u64 * WIRE_OVERHEAD_OCTETS;
        match self.slices.back_mut() {
            Some((begun, total)) if now.since(*begun) < SLICE => *total += octets,
            _ => {
                self.slices.push_back((now, octets));
                while self.slices.len() > SLICES {
                    self.slices.pop_front();
                }
            }
        }
    }

    /// Bits sent in the last second; and how much these counters have risen each second since this was asked a second ago, or longer ago (or since the start). Whoever asks, and how often,
    /// others are told the same.
    pub(super) fn last_second(&mut self, now: Time, counters: [u64; 2]) -> (u64, [u64; 2]) {
        const SECOND: Duration = Duration::from_secs(1);
        let recent = self.slices.iter().filter(|(begun, _)| now.since(*begun) <= SECOND);
        let bits = recent.map(|(_, octets)| octets * 8).sum();
        let looked = self.counters.get_or_insert([(now, counters); 2]);
        if now.since(looked[1].0) >= SECOND {
            *looked = [looked[1], (now, counters)];
        }
        let (then, before) = looked[0];
        let milliseconds = u64::try_from(now.since(then).as_millis()).unwrap_or(u64::MAX).max(1000);
        let each_second =
            |place: usize| counters[place].saturating_sub(before[place]).saturating_mul(1000) / milliseconds;
        (bits, [each_second(0), each_second(1)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_second_counts() {
        let at = |milliseconds: u64| Time::from_nanoseconds(1 << 40) + Duration::from_millis(milliseconds);
        let mut meter = Meter::default();
        for millisecond in 0..3000 {
            meter.sent(at(millisecond), 1000 - 66);
        }
        let (bits, _) = meter.last_second(at(3000), [0, 0]);
        assert!((7_900_000..=8_100_000).contains(&bits), "{bits} bits of 8 Mbit/s");
        assert_eq!(meter.slices.len(), SLICES);
        assert_eq!(meter.last_second(at(5000), [0, 0]).0, 0);
        assert_eq!(meter.last_second(at(7000), [30, 4]).1, [15, 2], "30 retries in two seconds");
        assert_eq!(meter.last_second(at(7010), [40, 4]).1, [19, 1], "a moment is not made a second of");
    }

    /// Two who ask, one just after the other, are told the same, and so is one who asks ten times a second.
    #[test]
    fn who_asks_takes_nothing_from_others() {
        let at = |milliseconds: u64| Time::from_nanoseconds(1 << 40) + Duration::from_millis(milliseconds);
        for asked_at in [vec![0, 10], vec![0, 500], (0..10).map(|n| n * 100).collect()] {
            let mut meter = Meter::default();
            for millisecond in (0..5000).filter(|millisecond| asked_at.contains(&(millisecond % 1000))) {
                let (_, each_second) = meter.last_second(at(millisecond), [millisecond, 2 * millisecond]);
                let is_known = millisecond >= 1000;
                assert!(!is_known || each_second == [1000, 2000], "{asked_at:?}: {each_second:?}");
            }
        }
    }
}
