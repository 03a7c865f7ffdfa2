//! Whether a loop lets what is said to it gather, before it takes it.
//!
//! Where many machines are in lock-step, each says a word and is answered. A loop that takes each word as it comes makes four system calls for every two or three of them, and is as busy as one that could
//! do a tenth more. To rest for a moment costs nobody anything there: while the loop rests, the blocks of all others are on their way. It would where there are few, and the link stood still.

use crate::limit::{GATHER_CROWD_MIN, GATHER_ENOUGH, GATHER_FOR, GATHER_SHARE, GATHER_WORDS_MIN, LOAD_TICK};
use std::time::Duration;

/// Who says something in a tick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    current: Heard,
    /// In the tick before.
    last: Heard,
}

/// What was heard in a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Heard {
    words: usize,
    /// How many have said them.
    machines: usize,
}

impl Crowd {
    /// One of them said something, for the first time in this tick or not.
    pub fn heard(&mut self, is_first: bool) {
        self.current.words += 1;
        self.current.machines += usize::from(is_first);
    }

    /// A tick is over.
    pub fn tick(&mut self) {
        self.last = std::mem::take(&mut self.current);
    }

    /// How long a loop lets words gather that has just taken so few: not at all where a share of the crowd had come together already, where the crowd is so small that all of it may wait for its answers, or where
    /// nothing would come meanwhile.
    pub fn rest(&self, taken: usize) -> Option<Duration> {
        let Heard { words, machines } = self.last;
        let is_dense =
            words * GATHER_FOR.as_micros() as usize >= GATHER_WORDS_MIN * LOAD_TICK.as_micros() as usize;
        let is_enough = taken > machines / GATHER_SHARE || taken >= GATHER_ENOUGH;
        (taken > 0 && machines >= GATHER_CROWD_MIN && is_dense && !is_enough).then_some(GATHER_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crowd that said so many words in the last tick.
    fn crowd(machines: usize, words: usize) -> Crowd {
        let mut crowd = Crowd::default();
        (0..words).for_each(|word| crowd.heard(word < machines));
        crowd.tick();
        crowd
    }

    #[test]
    fn words_gather_where_many_speak_one_by_one() {
        for (machines, words, taken, rests) in [
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
            let rest = crowd(machines, words).rest(taken);
            assert_eq!(
                rest,
                rests.then_some(GATHER_FOR),
                "{machines} machines, {words} words, {taken} taken"
            );
        }
    }

    #[test]
    fn a_crowd_that_has_fallen_silent_is_none() {
        let mut crowd = crowd(1_000, 5_000);
        crowd.tick();
        assert_eq!(crowd.rest(1), None);
    }
}
