//! Who wants to send, and who is next: first whoever's deadline has come, the earliest first; then the first in rank.

use crate::time::Time;
use std::collections::BTreeSet;

/// Who goes first as long as nobody's deadline has come: the lowest. First how much was served already, in coarse steps, then who was there first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(pub u32, pub u64);

/// A place in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its rank.
    pub rank: Rank,
    /// When it is to be served at the latest.
    pub deadline: Time,
}

/// Everybody who waits to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring<K: Ord> {
    by_rank: BTreeSet<(Rank, K)>,
    by_deadline: BTreeSet<(Time, K)>,
    /// Whoever has begun a window finishes it first: half a window is no use to anybody. That window alone: who begins another one enters anew.
    begun: Option<K>,
}

impl<K: Ord> Default for Ring<K> {
    fn default() -> Self {
        Self { by_rank: BTreeSet::new(), by_deadline: BTreeSet::new(), begun: None }
    }
}

impl<K: Ord + Copy> Ring<K> {
    pub(super) fn insert(&mut self, who: K, place: Place) {
        self.by_rank.insert((place.rank, who));
        self.by_deadline.insert((place.deadline, who));
    }

    pub(super) fn remove(&mut self, who: K, place: Place) {
        self.by_rank.remove(&(place.rank, who));
        self.by_deadline.remove(&(place.deadline, who));
        if self.begun == Some(who) {
            self.begun = None;
        }
    }

    /// It was served in part, and stays.
    pub(super) fn begun(&mut self, who: K) {
        self.begun = Some(who);
    }

    pub(super) fn has_begun(&self, who: K) -> bool {
        self.begun == Some(who)
    }

    pub(super) fn next(&self, now: Time) -> Option<K> {
        let urgent =
            || self.by_deadline.first().filter(|(deadline, _)| *deadline <= now).map(|(_, who)| *who);
        let first = || self.by_rank.first().map(|(_, who)| *who);
        self.begun.or_else(urgent).or_else(first)
    }

    pub(super) fn is_first(&self, who: K) -> bool {
        self.by_rank.first().is_some_and(|(_, first)| *first == who)
    }

    pub(super) fn len(&self) -> usize {
        self.by_rank.len()
    }
}

#[cfg(test)]
mod tests;
