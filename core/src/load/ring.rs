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
///
/// On a link that is no limit there is one at the most: he comes, is granted all he wants, and goes, and is in no set meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring<K: Ord> {
    alone: Option<(K, Place)>,
    /// Empty if there is one alone.
    by_rank: BTreeSet<(Rank, K)>,
    by_deadline: BTreeSet<(Time, K)>,
    /// Whoever has begun a window finishes it first: half a window is no use to anybody.
    begun: Option<K>,
}

impl<K: Ord> Default for Ring<K> {
    fn default() -> Self {
        Self { alone: None, by_rank: BTreeSet::new(), by_deadline: BTreeSet::new(), begun: None }
    }
}

impl<K: Ord + Copy> Ring<K> {
    pub(super) fn insert(&mut self, who: K, place: Place) {
        if self.len() == 0 {
            self.alone = Some((who, place));
            return;
        }
        for (who, place) in self.alone.take().into_iter().chain([(who, place)]) {
            self.by_rank.insert((place.rank, who));
            self.by_deadline.insert((place.deadline, who));
        }
    }

    pub(super) fn remove(&mut self, who: K, place: Place) {
        if self.alone.take_if(|(alone, _)| *alone == who).is_none() {
            self.by_rank.remove(&(place.rank, who));
            self.by_deadline.remove(&(place.deadline, who));
        }
        if self.begun == Some(who) {
            self.begun = None;
        }
    }

    /// It was served in part, and stays.
    pub(super) fn begun(&mut self, who: K) {
        self.begun = Some(who);
    }

    pub(super) fn next(&self, now: Time) -> Option<K> {
        let alone = self.alone.map(|(who, _)| who);
        let urgent =
            || self.by_deadline.first().filter(|(deadline, _)| *deadline <= now).map(|(_, who)| *who);
        let first = || self.by_rank.first().map(|(_, who)| *who);
        self.begun.or(alone).or_else(urgent).or_else(first)
    }

    pub(super) fn is_first(&self, who: K) -> bool {
        let first = self.alone.map(|(who, _)| who).or_else(|| self.by_rank.first().map(|(_, who)| *who));
        first == Some(who)
    }

    pub(super) fn len(&self) -> usize {
        self.by_rank.len() + usize::from(self.alone.is_some())
    }
}

#[cfg(test)]
mod tests;
