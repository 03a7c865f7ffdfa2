//! Moments at which something has to be looked at again.

use crate::time::Time;
use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap};

/// Things to look at, each at one moment. Nothing is ever cancelled: whoever looks too early arms the moment that it finds to be right.
/// So a thing that is armed for a later moment than it is already stays where it is, and there is never more than one moment for each.
#[derive(Clone, Debug)]
pub struct Timers<T: Ord> {
    /// When each thing is to be looked at.
    moments: BTreeMap<T, Time>,
    /// The earliest first. A thing that was armed for an earlier moment leaves its old one behind, which says nothing any more; the first one never is such.
    queue: BinaryHeap<Reverse<(Time, T)>>,
}

/// Moments that say nothing any more are cleared away when they are more than the others, and more than these.
const LEFT_BEHIND_MAX: usize = 64;

impl<T: Ord> Default for Timers<T> {
    fn default() -> Self {
        Self { moments: BTreeMap::new(), queue: BinaryHeap::new() }
    }
}

impl<T: Ord + Copy> Timers<T> {
    /// Look at this then, or before.
    pub fn arm(&mut self, at: Time, thing: T) {
        match self.moments.entry(thing) {
            Entry::Occupied(armed) if *armed.get() <= at => return,
            Entry::Occupied(mut armed) => {
                armed.insert(at);
            }
            Entry::Vacant(new) => {
                new.insert(at);
            }
        }
        self.queue.push(Reverse((at, thing)));
        if self.queue.len() > 2 * self.moments.len() + LEFT_BEHIND_MAX {
            let moments = &self.moments;
            self.queue.retain(|Reverse((at, thing))| moments.get(thing) == Some(at));
        }
    }

    /// The next thing whose moment has come.
    pub fn due(&mut self, now: Time) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, thing)) = self.queue.pop()?;
        self.moments.remove(&thing);
        while let Some(Reverse((at, next))) = self.queue.peek()
            && self.moments.get(next) != Some(at)
        {
            self.queue.pop();
        }
        Some(thing)
    }

    /// The earliest moment.
    pub fn next(&self) -> Option<Time> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }
}

/// Whatever was left behind.
impl<T: Ord> PartialEq for Timers<T> {
    fn eq(&self, other: &Self) -> bool {
        self.moments == other.moments
    }
}

#[cfg(test)]
mod tests;
