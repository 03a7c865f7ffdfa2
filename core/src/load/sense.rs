//! What a link was seen to do: sent, delivered and lost, tick by tick.

use crate::limit::{LOAD_TCP_ALONE_BITS, LOAD_TICK};
use std::collections::VecDeque;
use std::time::Duration;

/// One tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tick {
    /// Octets of blocks that were sent, on the wire.
    pub(super) sent_octets: u64,
    /// How many of them were given to TCP.
    pub(super) piece_octets: u64,
    /// Octets of blocks that were acknowledged, on the wire.
    pub(super) delivered_octets: u64,
    /// Octets that were given to TCP and wait for peers that take nothing: they never came to the link.
    pub(super) still_octets: u64,
    /// Packets with blocks that were sent.
    pub(super) sent_packets: u64,
    /// How many of them were given to TCP.
    pub(super) piece_packets: u64,
    /// Packets that had to be sent again, but for TCP's: each tells that one was lost a short while ago.
    pub(super) lost_packets: u64,
    /// How many round trips were measured, and how long they took together.
    pub(super) trips: u64,
    pub(super) trips_took: Duration,
    /// Whether somebody had to wait for tokens, of which few were left over.
    pub(super) limited: bool,
    /// Whether somebody had to wait because too much was under way by TCP.
    pub(super) congested: bool,
}

impl Tick {
    /// Packets that were not given to TCP: of them it is told what was lost.
    pub(super) fn counted_packets(&self) -> u64 {
        self.sent_packets - self.piece_packets
    }

    /// Octets of which it is known that the link does not hold them up.
    pub(super) fn passed_octets(&self) -> u64 {
        self.delivered_octets + self.still_octets
    }

    /// How many of a thousand packets were lost, of those that were counted.
    pub(super) fn lost_per_mille(&self) -> u64 {
        self.lost_packets * 1000 / self.counted_packets().max(1)
    }
}

/// The last two seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sense {
    past: VecDeque<Tick>,
    pub(super) current: Tick,
}

/// Ticks of a second, of a quarter of one, and of a tenth.
pub(super) const SECOND_TICKS: usize = 20;
pub(super) const QUARTER_TICKS: usize = 5;
pub(super) const TENTH_TICKS: usize = 2;

/// Ticks that are remembered: a second, and the one before, which is as long ago as anything is acknowledged ([`Sense::lag`]).
const TICKS_KEPT: usize = 2 * SECOND_TICKS;

impl Sense {
    /// The current tick is over.
    pub(super) fn turn(&mut self) {
        if self.past.len() == TICKS_KEPT {
            self.past.pop_front();
        }
        self.past.push_back(std::mem::take(&mut self.current));
    }

    /// The sum of `count` ticks, `ago` ticks ago: `last(2, 0)` are the last two.
    pub(super) fn last(&self, count: usize, ago: usize) -> Tick {
        let ticks = self.past.iter().rev().skip(ago).take(count);
        ticks.fold(Tick::default(), |sum, tick| Tick {
            sent_octets: sum.sent_octets + tick.sent_octets,
            piece_octets: sum.piece_octets + tick.piece_octets,
            delivered_octets: sum.delivered_octets + tick.delivered_octets,
            still_octets: sum.still_octets + tick.still_octets,
            sent_packets: sum.sent_packets + tick.sent_packets,
            piece_packets: sum.piece_packets + tick.piece_packets,
            lost_packets: sum.lost_packets + tick.lost_packets,
            trips: sum.trips + tick.trips,
            trips_took: sum.trips_took + tick.trips_took,
            limited: sum.limited || tick.limited,
            congested: sum.congested || tick.congested,
        })
    }

    /// How many ticks later what is sent is acknowledged, as the last second shows it, with a quarter to spare: clients differ. One at least.
    pub(super) fn lag(&self) -> usize {
        let second = self.last(SECOND_TICKS, 0);
        let usual = second.trips_took.as_nanos() / u128::from(second.trips.max(1));
        let ticks = (usual + usual / 4).div_ceil(LOAD_TICK.as_nanos());
        usize::try_from(ticks).unwrap_or(1).clamp(1, SECOND_TICKS)
    }

    /// Whether most of what was sent in the last tenth of a second was given to TCP.
    pub(super) fn is_by_pieces(&self) -> bool {
        let recent = self.last(TENTH_TICKS, 0);
        recent.piece_octets * 2 > recent.sent_octets
    }

    /// Whether more than a usual link carries arrived in the last tenth of a second, and nobody sent anything but by TCP.
    pub(super) fn is_tcp_alone(&self) -> bool {
        let recent = self.last(TENTH_TICKS, 0);
        let octets = LOAD_TCP_ALONE_BITS / 8 * LOAD_TICK.as_millis() as u64 / 1000 * TENTH_TICKS as u64;
        recent.delivered_octets >= octets && recent.piece_octets == recent.sent_octets
    }

    /// In how many of the last `count` ticks somebody had to wait.
    pub(super) fn limited(&self, count: usize) -> usize {
        self.past.iter().rev().take(count).filter(|tick| tick.limited || tick.congested).count()
    }

    /// In how many of them it was because too much was under way.
    pub(super) fn congested(&self, count: usize) -> usize {
        self.past.iter().rev().take(count).filter(|tick| tick.congested).count()
    }

    /// Whether something arrived in the last tick and in the first of so many.
    pub(super) fn arrives_throughout(&self, count: usize) -> bool {
        self.last(1, 0).delivered_octets > 0 && self.last(1, count - 1).delivered_octets > 0
    }

    /// The most that the link had no part in holding up, in a tick of the last quarter of a second.
    pub(super) fn passed_most(&self) -> u64 {
        let passed = self.past.iter().rev().take(QUARTER_TICKS).map(Tick::passed_octets);
        passed.max().unwrap_or(0)
    }

    /// The most that was delivered in `width` ticks, as any so many in a row of the last quarter of a second show it; those in which nothing came show nothing, if there are others.
    pub(super) fn delivered_most(&self, width: usize) -> u64 {
        let delivered: Vec<u64> =
            self.past.iter().rev().take(QUARTER_TICKS).map(|tick| tick.delivered_octets).collect();
        let most = delivered.windows(width.min(delivered.len()).max(1)).map(|window| {
            let shown = window.iter().filter(|octets| **octets > 0).count().max(1);
            window.iter().sum::<u64>() * width as u64 / shown as u64
        });
        most.max().unwrap_or(0)
    }
}
