//! Moments at which something has to be looked at again.

use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Things to look at, each at one moment. Nothing is ever cancelled: whoever looks too early arms the moment that it finds to be right.
/// So a thing that is armed for a later moment than it is already stays where it is, and there is never more than one moment for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Timers<T: Ord> {
    armed: BTreeSet<(Time, T)>,
    moments: BTreeMap<T, Time>,
}

impl<T: Ord> Default for Timers<T> {
    fn default() -> Self {
        Self { armed: BTreeSet::new(), moments: BTreeMap::new() }
    }
}

impl<T: Ord + Copy> Timers<T> {
    /// Look at this then, or before.
    pub fn arm(&mut self, at: Time, thing: T) {
        if let Some(armed) = self.moments.get(&thing).copied() {
            if armed <= at {
                return;
            }
            self.armed.remove(&(armed, thing));
        }
        self.armed.insert((at, thing));
        self.moments.insert(thing, at);
    }

    /// The next thing whose moment has come.
    pub fn due(&mut self, now: Time) -> Option<T> {
        let (at, _) = self.armed.first()?;
        if *at > now {
            return None;
        }
        let (_, thing) = self.armed.pop_first()?;
        self.moments.remove(&thing);
        Some(thing)
    }

    /// The earliest moment.
    pub fn next(&self) -> Option<Time> {
        self.armed.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests;
