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
    /// Packets with blocks that were sent.
    pub(super) sent_packets: u64,
    /// Packets that had to be sent again: each tells that one was lost a short while ago.
    pub(super) lost_packets: u64,
    /// How many round trips were measured, and how long they took together.
    pub(super) trips: u64,
    pub(super) trips_took: Duration,
    /// Whether somebody had to wait for tokens, of which few were left over.
    pub(super) limited: bool,
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
            sent_packets: sum.sent_packets + tick.sent_packets,
            lost_packets: sum.lost_packets + tick.lost_packets,
            trips: sum.trips + tick.trips,
            trips_took: sum.trips_took + tick.trips_took,
            limited: sum.limited || tick.limited,
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
        self.past.iter().rev().take(count).filter(|tick| tick.limited).count()
    }

    /// The most that was delivered in `width` ticks, as any so many in a row of the last quarter of a second show it. Of fewer there are, these.
    pub(super) fn delivered_most(&self, width: usize) -> u64 {
        let delivered: Vec<u64> =
            self.past.iter().rev().take(QUARTER_TICKS).map(|tick| tick.delivered_octets).collect();
        let shown = width.min(delivered.len()).max(1);
        let most = delivered.windows(shown).map(|window| window.iter().sum::<u64>()).max().unwrap_or(0);
        most * width as u64 / shown as u64
    }
}
