//! Moments at which something has to be looked at again.

use crate::time::Time;
use std::collections::BTreeSet;

/// Things to look at, each at a moment. A thing may be there for several moments; looking too often does no harm, so nothing is ever cancelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Timers<T: Ord> {
    armed: BTreeSet<(Time, T)>,
}

impl<T: Ord> Default for Timers<T> {
    fn default() -> Self {
        Self { armed: BTreeSet::new() }
    }
}

impl<T: Ord> Timers<T> {
    /// Look at this then.
    pub fn arm(&mut self, at: Time, thing: T) {
        self.armed.insert((at, thing));
    }

    /// The next thing whose moment has come.
    pub fn due(&mut self, now: Time) -> Option<T> {
        let (at, _) = self.armed.first()?;
        if *at > now {
            return None;
        }
        self.armed.pop_first().map(|(_, thing)| thing)
    }

    /// The earliest moment.
    pub fn next(&self) -> Option<Time> {
        self.armed.first().map(|(at, _)| *at)
    }
}
