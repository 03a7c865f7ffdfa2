//! Whether a loop lets acknowledgements coalesce, as network cards do with interrupts.
//!
//! Where many machines are in lock-step, each acknowledges a block and is sent the next. A loop that takes each packet as it comes makes four system calls for every two or three of them, and is as busy as
//! one that could do a tenth more. To rest for a moment costs nobody anything there: while the loop rests, the blocks of all others are on their way. It would where there are few, and the link stood still.

use crate::limit::{
    COALESCE_BATCH, COALESCE_FOR, COALESCE_PACKETS_MIN, COALESCE_PEERS_MIN, COALESCE_SHARE, LOAD_TICK,
};
use std::time::Duration;

/// How many packets come in a tick, and of how many machines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coalescing {
    current: Heard,
    /// In the tick before.
    last: Heard,
}

/// What was heard in a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Heard {
    packets: usize,
    machines: usize,
}

impl Coalescing {
    /// A packet came of a machine: its first in this tick, or not.
    pub fn heard(&mut self, is_first: bool) {
        self.current.packets += 1;
        self.current.machines += usize::from(is_first);
    }

    /// A tick is over.
    pub fn tick(&mut self) {
        self.last = std::mem::take(&mut self.current);
    }

    /// How long a loop rests that has just taken so many packets: not at all where those of a share of the machines had come together already, where there are so few machines that all of them may wait for their answers, or
    /// where nothing would come meanwhile.
    pub fn rest(&self, taken: usize) -> Option<Duration> {
        let Heard { packets, machines } = self.last;
        let is_dense = packets * COALESCE_FOR.as_micros() as usize
            >= COALESCE_PACKETS_MIN * LOAD_TICK.as_micros() as usize;
        let is_enough = taken > machines / COALESCE_SHARE || taken >= COALESCE_BATCH;
        (taken > 0 && machines >= COALESCE_PEERS_MIN && is_dense && !is_enough).then_some(COALESCE_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many packets of so many machines in the last tick.
    fn last_tick(machines: usize, packets: usize) -> Coalescing {
        let mut coalescing = Coalescing::default();
        (0..packets).for_each(|packet| coalescing.heard(packet < machines));
        coalescing.tick();
        coalescing
    }

    #[test]
    fn packets_coalesce_where_many_are_in_lock_step() {
        for (machines, packets, taken, rests) in [
            // A hundred at 100,000 blocks a second.
            (100, 5_000, 1, true),
            (100, 5_000, 6, true),
            (100, 5_000, 7, false),
            (1_000, 5_000, 60, true),
            (5_000, 5_000, 63, true),
            (5_000, 5_000, 64, false), // A whole batch is never too few.
            // Nothing was taken: there is nothing to wait with.
            (1_000, 5_000, 0, false),
            // Ten may all be waiting for their answers.
            (10, 5_000, 1, false),
            // A thousand on 100 Mbit/s: a block each 120 us.
            (1_000, 400, 1, false),
        ] {
            let rest = last_tick(machines, packets).rest(taken);
            assert_eq!(
                rest,
                rests.then_some(COALESCE_FOR),
                "{machines} machines, {packets} packets, {taken} taken"
            );
        }
    }

    #[test]
    fn machines_that_have_fallen_silent_do_not_count() {
        let mut coalescing = last_tick(1_000, 5_000);
        coalescing.tick();
        assert_eq!(coalescing.rest(1), None);
    }
}
