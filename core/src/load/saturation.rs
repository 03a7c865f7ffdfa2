//! Whether a loop that does everything itself has come to its limit, and others are to do a part of it.

use crate::limit::LOAD_TICK;
use std::time::Duration;

/// How long it has to go on before others take over: a storm's first moment is none.
const SATURATED_FOR: Duration = LOAD_TICK.saturating_mul(3);
/// How long the loop has to be able to do it alone before it does. Longer, for to go back and forth is worse than either.
const CALM_FOR: Duration = LOAD_TICK.saturating_mul(10);

/// Whether a loop is saturated, by how long it sleeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saturation {
    is_saturated: bool,
    /// For how long it has looked otherwise.
    otherwise_for: Duration,
}

impl Saturation {
    /// A tick is over that took so long. The loop slept for so long of it, and others worked for it for so long, if it is saturated: all that would have come out of its sleep.
    /// Whether it is saturated from now on: it is when it slept less than a tenth for three ticks, and until it could have slept more than a third without the others for ten.
    pub fn tick(&mut self, took: Duration, slept: Duration, relieved: Duration) -> bool {
        let looks_otherwise = match self.is_saturated {
            false => slept < took / 10,
            // What the others do is most of the work: if it were not counted, the loop would look idle as soon as it has handed it over.
            true => slept.saturating_sub(relieved) > took / 3,
        };
        // One turn that takes long is a stall and no load, but one long sleep is a long calm.
        let counted = if self.is_saturated { took } else { took.min(LOAD_TICK) };
        self.otherwise_for = if looks_otherwise { self.otherwise_for + counted } else { Duration::ZERO };
        if self.otherwise_for >= if self.is_saturated { CALM_FOR } else { SATURATED_FOR } {
            *self = Self { is_saturated: !self.is_saturated, otherwise_for: Duration::ZERO };
        }
        self.is_saturated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each row of ticks of 50 ms leads to: slept, relieved, how many, saturated at the end of them.
    #[test]
    fn it_takes_over_late_and_goes_back_later() {
        let mut saturation = Saturation::default();
        for (row, (slept, relieved, ticks, expected)) in [
            (50, 0, 100, false),
            (0, 0, 2, false),
            (5, 0, 1, false), // A tenth is enough.
            (4, 0, 2, false),
            (4, 0, 1, true),
            // It sleeps because others work.
            (40, 30, 100, true),
            (50, 200, 100, true),
            (40, 23, 9, true),
            (40, 24, 1, true),
            (40, 23, 9, true),
            (40, 23, 1, false),
            // A third and a tenth apart: what it is, it stays.
            (10, 0, 100, false),
            (0, 0, 3, true),
            (10, 0, 100, true),
        ]
        .into_iter()
        .enumerate()
        {
            let ms = Duration::from_millis;
            let last = (0..ticks).map(|_| saturation.tick(LOAD_TICK, ms(slept), ms(relieved))).last();
            assert_eq!(last, Some(expected), "row {row}");
        }
    }

    #[test]
    fn a_stall_is_no_load_and_a_long_sleep_is_calm() {
        let second = Duration::from_secs(1);
        let mut saturation = Saturation::default();
        assert!(!saturation.tick(second, Duration::ZERO, Duration::ZERO));
        assert!(!saturation.tick(second, Duration::ZERO, Duration::ZERO));
        assert!(saturation.tick(second, Duration::ZERO, Duration::ZERO));
        assert!(!saturation.tick(second, second, Duration::ZERO));
    }
}
